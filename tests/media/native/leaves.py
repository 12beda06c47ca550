"""Parts of the engine in C, compiled alone and called through ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import arietta.media.native

__all__ = ["FLAGS", "INCLUDES", "compiler", "leaf", "source"]

SOURCES = Path(arietta.media.native.__file__).parent / "c"
TOGETHER = {"codec": ("codec", "g711", "g722", "gsm", "opus")}
"""Files that one name stands for."""
FLAGS = ("-std=c11", "-O2", "-g", "-fPIC", "-shared", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter")
INCLUDES = (f"-I{SOURCES}", *(f"-I{folder}" for folder in sorted(SOURCES.iterdir()) if folder.is_dir()))


def source(name: str) -> Path:
    """The file c/*/NAME.c."""
    (found,) = SOURCES.glob(f"*/{name}.c")
    return found


def compiler() -> str:
    """The C compiler of this machine."""
    return os.environ.get("CC") or shutil.which("cc") or sysconfig.get_config_var("CC").split()[0]


def leaf(*names: str) -> ctypes.CDLL:
    """The functions of c/*/NAME.c for each name, built once for each content of the folder."""
    names = tuple(dict.fromkeys(file for name in names for file in TOGETHER.get(name, (name,))))
    digest = hashlib.sha256(" ".join(names).encode())
    for path in sorted(SOURCES.rglob("*.h")) + [source(name) for name in names]:
        digest.update(path.read_bytes())
    folder = Path(__file__).parents[3] / "build" / "leaves"
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / f"{names[0]}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        fresh = library.with_suffix(f".{os.getpid()}")
        sources = [str(source(name)) for name in names]
        subprocess.run(
            [compiler(), *FLAGS, *INCLUDES, *sources, "-o", str(fresh), "-lm", "-ldl", "-lpthread"], check=True
        )
        fresh.replace(library)
    return ctypes.CDLL(str(library))
