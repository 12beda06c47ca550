"""Features of a call: what two who talk ask for with their keys."""
