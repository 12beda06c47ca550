"""Asterisk's configuration files as one frozen, typed tree."""
