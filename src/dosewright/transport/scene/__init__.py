"""Photons, electrons and positrons in the solids of a scene: from boundary to boundary, one particle at a time."""
