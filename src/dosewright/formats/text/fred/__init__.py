"""FRED input: its text, and what the text defines."""
