"""A library made, looked at, approved."""
