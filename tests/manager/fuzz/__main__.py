"""Mutate actions for a while: `python -m tests.manager.fuzz [--seconds 60] [--seed 1] [--keep]`.

An input that is answered in a new kind joins the pool; `--keep` writes it into the corpus. The first one that
breaks a check is written to `broken.dat` and ends the run with its traceback.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

from arietta.testing import VirtualLoop
from arietta.testing.switch import start

from .check import Talk
from .mutation import CORPUS, seeds, vary

SLOW_S = 2.0
MAX_KEPT_BYTES = 600
FILES = {
    "http.conf": "[general]\nenabled=no\n",
    "ari.conf": "[general]\nenabled=no\n",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10199\n",
    "manager.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\n[admin]\nsecret=s3cr3t-words\nread=all\nwrite=all\n",
    "extensions.conf": "[default]\nexten => 1200,1,Answer()\n same => n,Echo()\nexten => 1300,1,Wait(5)\n",
    "pjsip.conf": "[udp]\ntype=transport\nprotocol=udp\nbind=192.0.2.100:5060\n"
    "[alice]\ntype=endpoint\ncontext=default\nallow=ulaw\naors=alice\nauth=alice\n[alice]\ntype=aor\nmax_contacts=1\n"
    "[alice]\ntype=auth\nusername=alice\npassword=a-well-kept-secret\n",
}


def run(seconds: float, seed: int, *, keep: bool = False, inputs: int = 10**9) -> None:
    """Fuzz for so long, or with so many inputs."""
    random, pool, count = Random(seed), seeds(), 0
    first, seen = len(pool), set[str]()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            (Path(folder) / name).write_text(text)
        loop = VirtualLoop()
        server = loop.run(start(Path(folder)))
        talk = Talk(server, loop)
        try:
            while time.monotonic() < end and count < inputs:
                data = pool[count] if count < first else vary(random, pool)
                count += 1
                _try(talk, data, seed, count, seen, pool, keep=keep)
        finally:
            talk.close()
            loop.run(server.stop(0.0))
            loop.close()
    print(f"{count} inputs in at most {seconds:.0f} s, {len(seen)} kinds of answers, seed {seed}")


def _try(talk: Talk, data: bytes, seed: int, count: int, seen: set[str], pool: list[bytes], *, keep: bool) -> None:
    began = time.process_time()
    try:
        kinds = talk.say(data)
        assert time.process_time() - began < SLOW_S, "it took too long"
    except Exception:
        Path("broken.dat").write_bytes(data)
        traceback.print_exc()
        print(f"seed {seed}, input {count}: {data!r}", file=sys.stderr)
        raise SystemExit(1) from None
    if kinds - seen:
        seen |= kinds
        pool.append(data)
        if keep and len(data) <= MAX_KEPT_BYTES:
            (CORPUS / f"{hashlib.sha256(data).hexdigest()[:12]}.dat").write_bytes(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    run(asked.seconds, asked.seed, keep=asked.keep)
