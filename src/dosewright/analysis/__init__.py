"""Images in, verdicts out."""
