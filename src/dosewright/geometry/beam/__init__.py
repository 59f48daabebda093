"""What stands in a beam."""
