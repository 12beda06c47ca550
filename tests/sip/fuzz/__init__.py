"""A fuzzer of everything that reads SIP: `python -m tests.sip.fuzz --seconds 60`."""
