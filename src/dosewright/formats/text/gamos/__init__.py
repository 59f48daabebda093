"""Geometry text of GAMOS and Geant4: volumes, materials and modules."""
