"""What is published: the engine in C goes into one wheel for every Python, and is left out where it cannot be built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "src", "docs", "examples")

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a build needs, without what was built."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, tree / name, ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
            )
        else:
            shutil.copy(ROOT / name, tree)
    return tree


def build(tree: Path, *arguments: str, **environment: str) -> Path:
    """The folder of what was built."""
    command = [sys.executable, "-m", "build", "--outdir", str(tree / "dist"), *arguments, str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, cwd=tree)
    assert done.returncode == 0, done.stdout + done.stderr
    return tree / "dist"


def test_the_wheel_is_for_every_python_and_the_sources_are_in_the_sdist(tree: Path) -> None:
    dist = build(tree)
    (wheel,) = dist.glob("*.whl")
    assert wheel.name.endswith(f"-cp311-abi3-{sys.platform}_{os.uname().machine}.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "arietta/media/native/_engine.abi3.so" in names
    assert "arietta/media/native/_engine.pyi" in names
    assert [name for name in names if name.endswith((".c", ".h", ".o"))] == []
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "src/arietta/media/native/c").rglob("*.[ch]")}
    assert sources and sources <= members


def test_without_a_compiler_the_engine_in_python_is_there(tree: Path, tmp_path: Path) -> None:
    (wheel,) = build(tree, "--wheel", CC="/bin/false").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    question = "from arietta.media.native import why_not; print(why_not())"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    said = subprocess.run([sys.executable, "-c", question], env=environment, capture_output=True, text=True, check=True)
    assert "for want of a C compiler" in said.stdout
