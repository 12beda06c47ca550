"""Fuzzing of the manager interface's lines: seeds, what is done to them, and what has to hold then."""
