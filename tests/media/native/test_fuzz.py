"""What reads bytes of a peer, for two seconds each, on mutated packets under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .leaves import INCLUDES, TOGETHER, compiler, source

FUZZ = Path(__file__).parent / "fuzz"
SECONDS = 2
TARGETS = {
    "rtp": ("rtp", "receiver", "telephone_event"),
    "rtcp": ("rtcp", "receiver"),
    "jitter": ("jitter", *TOGETHER["codec"]),
    "srtp": ("srtp", "libcrypto", "rtp"),
}
FLAGS = ("-std=c11", "-O1", "-g", "-D_GNU_SOURCE", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all")


def linked(compiler: str, target: str, binary: Path, sanitizers: str, *more: str) -> bool:
    """Whether it was built; False where the compiler has no such sanitizers."""
    command = [compiler, *FLAGS, *INCLUDES, str(FUZZ / f"fuzz_{target}.c"), *more]
    command += [str(source(name)) for name in TARGETS[target]]
    command += [f"-fsanitize={sanitizers}", "-o", str(binary), "-lm", "-ldl", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True)
    if ("cannot find" in built.stderr or "cannot open" in built.stderr) and "san" in built.stderr:
        return False
    assert built.returncode == 0, built.stderr
    return True


def build(target: str, folder: Path) -> list[str]:
    """The command that runs it, without the corpus: libFuzzer where clang has it, else a loop of ours.

    Skips where no compiler has sanitizers.
    """
    binary = folder / f"fuzz_{target}"
    clang = shutil.which("clang")
    if clang and linked(clang, target, binary, "fuzzer,address,undefined"):
        return [str(binary), f"-max_total_time={SECONDS}", "-seed=1"]
    for other in dict.fromkeys((compiler(), shutil.which("gcc"))):
        if other and linked(other, target, binary, "address,undefined", str(FUZZ / "fuzz_main.c")):
            return [str(binary), str(SECONDS), "1"]
    pytest.skip("no compiler here has sanitizers")


@pytest.mark.parametrize("target", TARGETS)
def test_any_bytes_are_survived(target: str, tmp_path: Path) -> None:
    command = build(target, tmp_path)
    corpus = FUZZ / "corpus" / target
    if command[1].startswith("-"):  # libFuzzer writes what it finds into the first folder
        command += [str(tmp_path), str(corpus)]
    else:
        command += [str(path) for path in sorted(corpus.iterdir())]
    environment = os.environ | {"ASAN_OPTIONS": "handle_abort=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
