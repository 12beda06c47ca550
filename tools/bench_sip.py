"""Measure the CPU of one minimal inbound call: INVITE, 100, 200, ACK, BYE, 200, through layer and session.

Run: python tools/bench_sip.py [CALLS]
"""

from __future__ import annotations

import sys
import time

from arietta.sip.agent import UserAgent
from arietta.sip.events import Incoming
from arietta.sip.message import parse
from arietta.sip.transactions import RequestReceived, Send, Transport

TRANSPORT = Transport("UDP", "127.0.0.1", 5060)
BATCH = 500
"""Calls measured together; the best batch is what the machine does when nobody disturbs it."""
PEER = ("127.0.0.1", 5061)
SDP = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
COMMON = (
    "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{n}-{k}\r\nFrom: sipp <sip:sipp@127.0.0.1:5061>;tag={n}\r\n"
    "To: 1000 <sip:1000@127.0.0.1:5060>{tag}\r\nCall-ID: {n}-4711@127.0.0.1\r\nCSeq: {cseq} {method}\r\n"
    "Contact: sip:sipp@127.0.0.1:5061\r\nMax-Forwards: 70\r\nSubject: Performance Test\r\n"
)


def message(method: str, n: int, k: int, cseq: int, tag: str, body: bytes = b"") -> bytes:
    """One request as sipp writes it."""
    head = f"{method} sip:1000@127.0.0.1:5060 SIP/2.0\r\n" + COMMON.format(n=n, k=k, tag=tag, cseq=cseq, method=method)
    if body:
        head += "Content-Type: application/sdp\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def drain(agent: UserAgent, now: float) -> list[bytes]:
    """Do what a driver does: accept what comes."""
    sent = []
    while outputs := agent.outputs():
        for output in outputs:
            kind = type(output)
            if kind is Send:
                sent.append(output.data)
            elif kind is RequestReceived:
                agent.accept_invite(output, "<sip:arietta@127.0.0.1:5060>", now)
            elif kind is Incoming:
                output.session.accept(now, SDP)
    agent.next_timeout()
    return sent


def main() -> None:
    """Run the calls, print microseconds of CPU for each."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    agent = UserAgent()
    spent, ended = 0.0, 0
    batches: list[float] = []
    for n in range(calls):
        now = n * 0.005
        invite = message("INVITE", n, 0, 1, "", SDP)
        started = time.process_time()
        agent.receive(invite, PEER, TRANSPORT, now)
        sent = drain(agent, now)
        spent += time.process_time() - started
        tag = ";tag=" + parse(sent[-1]).to_tag
        ack, bye = message("ACK", n, 1, 1, tag), message("BYE", n, 2, 2, tag)
        started = time.process_time()
        agent.receive(ack, PEER, TRANSPORT, now)
        drain(agent, now)
        agent.receive(bye, PEER, TRANSPORT, now)
        sent = drain(agent, now)
        agent.handle_timeout(now)
        spent += time.process_time() - started
        ended += sent[-1].startswith(b"SIP/2.0 200")
        if n % BATCH == BATCH - 1:
            batches.append(spent - sum(batches))
    if ended != calls:
        raise SystemExit(f"only {ended} of {calls} calls ended with 200")
    best = min(batches, default=spent) / min(BATCH, calls) * 1e6
    print(
        f"{spent / calls * 1e6:.1f} µs of CPU per call ({best:.1f} in the best {BATCH}), {calls} calls, "
        f"{len(agent.layer)} transactions kept"
    )


if __name__ == "__main__":
    main()
