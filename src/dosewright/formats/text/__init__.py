"""Text tables of beam models and CT protocols."""
