"""Ports, mixers, codecs, files and tones: everything audible."""
