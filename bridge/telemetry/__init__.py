"""What the bridge says of itself: metrics and logs."""
