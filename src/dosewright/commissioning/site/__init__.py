"""The library of a site: ours or IDEAL's, read once, found by name."""
