"""Dosewright: independent Monte Carlo dose for radiotherapy. Not a medical device."""

from importlib.metadata import version

__version__ = version("dosewright")
