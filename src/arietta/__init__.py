"""Arietta: the Asterisk REST Interface as a Python server."""

__version__ = "0.1.0"
BUILD_DATE = "2026-11-22"
