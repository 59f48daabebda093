"""The physics: every function compiled; no object, file or log."""
