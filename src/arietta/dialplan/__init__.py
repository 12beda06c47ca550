"""extensions.conf at work: its reader, the matcher, expressions, functions, applications and the step loop."""
