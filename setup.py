"""Builds the media engine in C; everything else about the package is in pyproject.toml."""

import sysconfig
from glob import glob

from setuptools import Extension, setup

FOLDER = "src/arietta/media/native"
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")  # a Python without the lock has no limited interface (PEP 703)

engine = Extension(
    "arietta.media.native._engine",
    sources=sorted(glob(f"{FOLDER}/c/*/*.c")),
    depends=sorted(glob(f"{FOLDER}/c/**/*.h", recursive=True)),
    include_dirs=[f"{FOLDER}/c", *sorted(glob(f"{FOLDER}/c/*/"))],
    define_macros=[("Py_LIMITED_API", "0x030B0000"), ("_GNU_SOURCE", None)],
    extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    libraries=["m", "pthread", "dl"],
    py_limited_api=True,
    optional=True,  # without a compiler the engine in Python does it, and says so
)

setup(
    ext_modules=[engine] if STABLE else [],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
