"""What matter does to electrons and positrons."""
