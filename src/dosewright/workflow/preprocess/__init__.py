"""Before the simulation: what a request refers to, found and placed."""
