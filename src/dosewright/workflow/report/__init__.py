"""The report: one self-contained page, drawn from plain values; it computes no physics."""
