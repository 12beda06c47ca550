"""The SIP driver."""
