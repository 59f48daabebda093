"""What matter does to photons, and how its atoms relax."""
