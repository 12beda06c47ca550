"""SIP as values: grammar, messages, transactions, dialogs, sessions, authentication, registrar; sans-IO.

Nothing here opens a socket, reads a clock or starts a task. The I/O skin owns one `UserAgent` and does only this:

```python
agent = UserAgent(Profile(product="Arietta"))
udp, contact = Transport("UDP", "192.0.2.1", 5060), "<sip:192.0.2.1:5060>"

agent.receive(datagram, peer_address, udp, now)        # a datagram, or a message from a StreamFramer
agent.handle_timeout(now)                              # the one timer fired
for output in agent.outputs():                         # after every call above and below: drain until empty
    match output:
        case Send(data, destination, transport): ...   # write it; agent.transport_failed(output, now) when that fails
        case RequestReceived(transaction, request):    # of no dialog: authenticate it, then
            session = agent.accept_invite(output, contact, now)                      # for an INVITE
            agent.respond(transaction, now, 200)                                     # for an OPTIONS
        case Incoming(session, request, sdp): session.accept(now, answer)
        case Ended(session, by): ...                   # each session ends with one Failed or Ended
timer_at = agent.next_timeout()                        # then re-arm

session = agent.invite("sip:1000@192.0.2.9", ("192.0.2.9", 5060), udp, contact, now, from_="<sip:me@x>", sdp=offer)
session.end(now, headers=[("Reason", "Q.850;cause=16")])
```

Read in this order: `message`, `headers`, `uri`, `transactions`, `layer`, `dialogs`, `usage`, `invite`, `events`,
`agent`; beside them `framing`, `auth`, `registrar`, `registration`, `profile`, `session_timer`,
`reliable`, `timers`, `errors`.
"""
