"""Treatments as scripts: deliveries in FRED's language carried out, and plans written in it."""
