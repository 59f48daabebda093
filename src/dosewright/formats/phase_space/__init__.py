"""Phase-space files: each format read and written in pieces; what they are is told by their content."""
