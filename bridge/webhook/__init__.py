"""The public door: receive, verify, acknowledge. What an event means is decided elsewhere."""
