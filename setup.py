"""Builds the media engine in C; everything else about the package is in pyproject.toml."""

from glob import glob

from setuptools import Extension, setup

FOLDER = "src/arietta/media/native"

setup(
    ext_modules=[
        Extension(
            "arietta.media.native._engine",
            sources=sorted(glob(f"{FOLDER}/c/*.c")),
            depends=sorted(glob(f"{FOLDER}/c/*.h")),
            include_dirs=[f"{FOLDER}/c"],
            define_macros=[("Py_LIMITED_API", "0x030B0000"), ("_GNU_SOURCE", None)],
            extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-unused-parameter"],
            libraries=["m", "pthread", "dl"],
            py_limited_api=True,
            optional=True,  # without a compiler the engine in Python does it, and says so
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
