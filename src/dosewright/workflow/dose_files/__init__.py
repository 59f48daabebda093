"""Dose files looked at: numbers, histograms, pictures."""
