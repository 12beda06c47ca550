"""The manager interface (AMI): actions and events as lines of text, over TCP, TLS and HTTP."""
