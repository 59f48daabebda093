"""The run file: one simulation, described in TOML."""
