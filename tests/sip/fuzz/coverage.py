"""The same checks under a fuzzer that sees which lines run: `python -m tests.sip.fuzz.coverage [OPTIONS OF IT] DIR`.

It needs `atheris`, which the tests do not: without it `python -m tests.sip.fuzz` mutates by what comes out.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["arietta.sip", "arietta.sdp"]):
    from .__main__ import taken
    from .mutation import MAX_BYTES


def main() -> None:
    """Fuzz until told to stop."""
    atheris.Setup([*sys.argv, f"-max_len={MAX_BYTES}"], taken_or_raised)
    atheris.Fuzz()


def taken_or_raised(data: bytes) -> None:
    """One input; libFuzzer wants nothing back."""
    taken(data)


if __name__ == "__main__":
    main()
