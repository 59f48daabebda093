"""Scenes: shapes as convex cells, found and traced by kernels."""
