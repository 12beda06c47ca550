"""Drivers: each makes one kind of channel."""
