"""Records of calls (CDR) and the log of channels (CEL): made of facts, written by a thread of their own."""
