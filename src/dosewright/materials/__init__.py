"""What matter does."""
