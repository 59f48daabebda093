"""Dose and image files."""
