"""Measure the CPU of a REGISTER that refreshes one of many contacts: parsed, bound, kept, answered.

Run: python tools/bench_register.py [CONTACTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from arietta.bus import Bus
from arietta.channels.registry import ChannelRegistry
from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import Aor, PjsipSettings
from arietta.drivers.sip.driver import SipDriver
from arietta.media.engine import EngineSettings
from arietta.sip.transactions import Transport
from arietta.store import Store
from arietta.testing.loop import VirtualLoop
from arietta.testing.media import VirtualEngine

TRANSPORT = Transport("UDP", "10.0.0.1", 5060, "udp")
BATCH = 1000
EVERY_S = 60.0


def register(number: int, cseq: int) -> bytes:
    """A REGISTER as phones write it."""
    user, host = f"p{number}", host_of(number)
    return (
        f"REGISTER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;rport;branch=z9hG4bK{number}x{cseq}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{user}@10.0.0.1>;tag={number}t\r\nTo: <sip:{user}@10.0.0.1>\r\n"
        f"Call-ID: {number}-0815@{host}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{host}:5060>\r\n"
        "Expires: 120\r\nUser-Agent: bench\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def host_of(number: int) -> str:
    """Where a phone is."""
    return f"10.1.{number >> 8}.{number & 255}"


def main() -> None:
    """Register all, refresh all twice, print microseconds of CPU for each."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    names = [f"p{number}" for number in range(contacts)]
    settings = PjsipSettings(
        name="pjsip.conf",
        endpoints={name: Endpoint(name=name, aors=(name,)) for name in names},
        aors={name: Aor(name=name, max_contacts=1) for name in names},
    )
    loop = VirtualLoop()
    driver = SipDriver(ChannelRegistry(Bus(), VirtualEngine(loop, EngineSettings()), loop), settings)
    answers: Counter[bytes] = Counter()
    driver.transports.send = lambda send: answers.update([send.data[:11]])  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "bench.sqlite3")
        driver.contacts.keep_in(store)
        loop.call_soon(driver.contacts.start)
        loop.settle()
        for cseq in (1, 2, 3):
            batches = []
            for first in range(0, contacts, BATCH):
                began = time.process_time()
                for number in range(first, min(first + BATCH, contacts)):
                    driver._received(register(number, cseq), (host_of(number), 5060), TRANSPORT)
                    loop.advance(EVERY_S / contacts)
                batches.append((time.process_time() - began) / BATCH * 1e6)
            mean = sum(batches) / len(batches)
            print(f"round {cseq}: best {min(batches):.0f} us, mean {mean:.0f} us; {answers}")
        loop.call_soon(driver.contacts.stop)
        loop.settle()
        store.close()
    loop.close()


if __name__ == "__main__":
    main()
