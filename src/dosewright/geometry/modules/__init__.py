"""Modules of a beam line made into parts of a scene."""
