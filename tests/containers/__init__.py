"""The image and the compose file, in real containers."""
