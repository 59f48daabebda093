"""Scene files: parts, materials and modules as TOML."""
