"""What is kept, and how well it is known."""
