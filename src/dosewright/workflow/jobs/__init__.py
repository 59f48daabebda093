"""The jobs of this machine: registered, looked at, stopped, archived, copied."""
