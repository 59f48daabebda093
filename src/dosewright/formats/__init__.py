"""Bytes to core nouns and back; nothing else."""
