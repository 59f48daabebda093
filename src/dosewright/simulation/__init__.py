"""One problem, from objects to numbers."""
