"""A beam model from measurements: depth doses, spot sizes in air, absolute dose."""
