"""Are the parts of a scene where they may be: each part alone along rays, overlaps, protrusions."""
