"""The command line: thin, no logic; heavy imports inside the command bodies."""
