"""CPU time of the media engine alone, without signalling: for each leg and second, by what is done with the leg.

    python tools/bench_media.py [CASE ...] [--legs N] [--seconds 3] [--repeats 3] [--busy] [--no-priority]
                                [--first] [--most] [--json FILE]

Cases are those of media_bench/cases.py (all of them when none is named); --list shows them. The engine is one process
on the first core, its phones another one on the last: native engines too, that sing a tone each, 50 packets a second,
and plain sockets that look at every packet of a few legs. --busy lets a thread in Python use all that the engine's
core has to give. --no-priority takes away what lets audio threads go first (CAP_SYS_NICE). --first puts both processes
before all others of a machine that has something else to do (root). --most looks for the highest number of legs of
which nothing is lost or wrong, with the 99th percentile of the time between two packets below 30 ms.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

from media_bench import engine_side, phones
from media_bench.cases import CASES, Case
from media_bench.measure import Cores, Measurement, measure
from media_bench.report import HEAD, as_json, line, machine, remarks

FINEST_STEP = 1.05


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--list", action="store_true", help="show the cases")
    parser.add_argument("--legs", type=int, help="legs, in place of each case's own number")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one window")
    parser.add_argument("--repeats", type=int, default=3, help="windows of each case")
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--no-priority", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--most", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--role", choices=("engine", "phones"), help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def chosen(names: list[str]) -> list[Case]:
    """The cases of these names."""
    known = {case.name: case for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no case {unknown[0]!r}: there are {', '.join(known)}")
    return [known[name] for name in names] or list(CASES)


class Bench:
    """Cases measured one after the other, and printed."""

    def __init__(self, wanted: argparse.Namespace) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self._cores = Cores(cores[0], cores[-1])
        self._wanted = wanted
        self.done: list[Measurement] = []

    def run(self, case: Case) -> Measurement:
        """Measure and print one."""
        wanted = self._wanted
        one = measure(
            case,
            self._cores,
            seconds=wanted.seconds,
            repeats=wanted.repeats,
            busy=wanted.busy,
            priority=not wanted.no_priority,
            first=wanted.first,
        )
        self.done.append(one)
        print(line(one), flush=True)
        for remark in remarks(one):
            print(f"    {remark}", file=sys.stderr, flush=True)
        return one

    def most(self, case: Case) -> int:
        """The highest number of legs that holds, to within a twentieth."""
        held, failed = 0, 0
        legs = case.legs
        while not failed or failed > FINEST_STEP * held:
            case = case.with_legs(legs)
            if self.run(case).holds or self.run(case).holds:  # the first time somebody else may have been in the way
                held = case.legs
            else:
                failed = case.legs
            legs = (held + failed) // 2 if failed else legs * 3 // 2
            if legs < 10:
                return 0
        return held

    @property
    def where(self) -> str:
        """What the table stands under."""
        return machine(statistics.median(one.pair_us for one in self.done))


def main() -> None:
    """Run what the command line names."""
    wanted = options()
    if wanted.role:
        (engine_side if wanted.role == "engine" else phones).run(wanted.core)
        return
    cases = chosen(wanted.cases)
    if wanted.list:
        print("\n".join(f"{case.name:10} {case.title}, {case.legs} legs" for case in cases))
        return
    bench = Bench(wanted)
    print(HEAD, flush=True)
    for case in cases:
        case = case.with_legs(wanted.legs) if wanted.legs else case
        if wanted.most:
            print(f"{case.name}: {bench.most(case)} legs hold", file=sys.stderr)
        else:
            bench.run(case)
    print(f"\n{bench.where}")
    if wanted.json:
        wanted.json.write_text(as_json(bench.done, bench.where))


if __name__ == "__main__":
    main()
