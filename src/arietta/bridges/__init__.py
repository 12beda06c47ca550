"""Bridges: membership and the choice of the mixer."""
