"""Studies of how a run should be set up: runs as experiments."""
