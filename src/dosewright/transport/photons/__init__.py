"""Transport of photons."""
