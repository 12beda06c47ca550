"""Tests of the records of calls."""
