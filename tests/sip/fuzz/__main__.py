"""Mutate seeds for a while: `python -m tests.sip.fuzz [--seconds 60] [--seed 1] [--keep]`.

An input that is taken in a way not seen before joins the pool; `--keep` writes it into the corpus. The first input that
breaks a check is written to `broken.dat` and ends the run with its traceback.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import traceback
from pathlib import Path
from random import Random

from .check import check_agent, check_dialog, check_parser, check_stream
from .mutation import CORPUS, PIECES, seeds, vary

SLOW_S = 0.5
METHODS = (b"INVITE", b"ACK", b"BYE", b"INFO", b"CANCEL", b"REFER", b"UPDATE", b"PRACK")
MAX_KEPT_BYTES = 1500


def taken(data: bytes) -> str:
    """How an input was taken by everything."""
    return " | ".join((check_parser(data), check_stream(data), check_agent(data)))


def run(seconds: float, seed: int, *, keep: bool = False, inputs: int = 10**9) -> None:
    """Fuzz for so long, or with so many inputs."""
    random, pool, count = Random(seed), seeds(), 0
    seen = {taken(data) for data in pool}
    end = time.monotonic() + seconds
    while time.monotonic() < end and count < inputs:
        data = vary(random, pool)
        count += 1
        began = time.process_time()
        try:
            how = taken(data)
            assert time.process_time() - began < SLOW_S, "it took too long"
            if count % 20 == 0:
                check_dialog(steps := _steps(random))
        except Exception:
            Path("broken.dat").write_bytes(data)
            traceback.print_exc()
            print(f"seed {seed}, input {count}: {data!r}", file=sys.stderr)
            if count % 20 == 0 and "steps" in locals():
                print(f"steps {steps!r}", file=sys.stderr)
            raise SystemExit(1) from None
        if how not in seen:
            seen.add(how)
            pool.append(data)
            if keep and len(data) <= MAX_KEPT_BYTES:
                (CORPUS / f"{hashlib.sha256(data).hexdigest()[:12]}.dat").write_bytes(data)
    print(f"{count} inputs in at most {seconds:.0f} s, {len(seen)} ways of taking them, seed {seed}")


def _steps(random: Random) -> list[tuple[bytes, list[tuple[float, int, bytes]]]]:
    return [
        (
            random.choice(METHODS),
            [(random.random(), random.randrange(12), random.choice(PIECES)) for _ in range(random.randrange(4))],
        )
        for _ in range(random.randrange(6))
    ]


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m tests.sip.fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--keep", action="store_true", help="write new ways into the corpus")
    given = options.parse_args()
    run(given.seconds, given.seed, keep=given.keep)
