"""A small firm: its configuration, its phones, its provider, and the programs around its switch."""
