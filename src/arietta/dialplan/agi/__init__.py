"""The Asterisk Gateway Interface: programs that steer a call by lines of text.

`protocol` is the lines, `commands` what each means, `session` one conversation, `carriers` how a program is reached
(a process, a TCP connection, the manager interface), `application` the step of the dialplan.
"""
