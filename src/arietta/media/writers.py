"""Recording to sound files: complete under their own name or not there at all."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from struct import pack
from typing import IO

from .codecs import codec
from .codecs.gsm import GsmEncoder, Parameters, pack_pair, unpack
from .codecs.registry import LINEAR_RATES
from .engine import MediaError, RecordOptions, Side
from .files import ALAW, GSM49, PCM, ULAW, MediaFileError, little_endian, wav_chunks

__all__ = ["WRITABLE", "SoundWriter", "WriteFormat", "recording_format", "write_format"]


@dataclass(frozen=True, slots=True)
class WriteFormat:
    """How a format is written."""

    extension: str
    codec: str
    """`slin` for linear samples, `gsm49` for pairs of GSM frames."""
    rate: int
    tag: int = 0
    """WAVE format tag; 0 is a file without header."""
    channels: int = 1
    """Samples one by one in turns; more than one in PCM alone."""


WRITABLE: dict[str, WriteFormat] = {
    "wav": WriteFormat("wav", "slin", 8000, PCM),
    "wav16": WriteFormat("wav16", "slin", 16000, PCM),
    "wav49": WriteFormat("WAV", "gsm49", 8000, GSM49),
    "WAV": WriteFormat("WAV", "gsm49", 8000, GSM49),
    "gsm": WriteFormat("gsm", "gsm", 8000),
    "ulaw": WriteFormat("ulaw", "ulaw", 8000),
    "ul": WriteFormat("ul", "ulaw", 8000),
    "mu": WriteFormat("mu", "ulaw", 8000),
    "pcm": WriteFormat("pcm", "ulaw", 8000),
    "alaw": WriteFormat("alaw", "alaw", 8000),
    "al": WriteFormat("al", "alaw", 8000),
    "wav-ulaw": WriteFormat("wav", "ulaw", 8000, ULAW),
    "wav-alaw": WriteFormat("wav", "alaw", 8000, ALAW),
    **{"sln" + name[4:]: WriteFormat("sln" + name[4:], "slin", rate) for name, rate in LINEAR_RATES.items()},
    **{name: WriteFormat("sln" + name[4:], "slin", rate) for name, rate in LINEAR_RATES.items()},
}
"""Formats by the names that callers use."""


def write_format(name: str) -> WriteFormat:
    """The format of that name; raises MediaError naming those there are."""
    found = WRITABLE.get(name)
    if found is None:
        raise MediaError(f"no recording format {name!r}; there are {', '.join(WRITABLE)}")
    return found


def recording_format(name: str, options: RecordOptions, *, two_sided: bool) -> WriteFormat:
    """The format of a recording of a port that has two sides or not; raises MediaError when there is none."""
    form = write_format(name)
    if not options.tracks:
        return form
    if options.side is not Side.BOTH or not two_sided:
        raise MediaError(f"recording {name!r} has no tracks: there is one side of the port, or one is asked for")
    if form.tag != PCM:
        raise MediaError(f"recording format {name!r} has no tracks; wav and wav16 have")
    return replace(form, channels=2)


class SoundWriter:
    """One file being written: beside its place as `.NAME.part`, moved there by `finish`.

    A file that is appended to is copied first, so that `abandon` (and a crash) leaves it as it was. Raises
    MediaFileError; blocks on the disk.
    """

    def __init__(self, path: str, form: WriteFormat, *, append: bool = False) -> None:
        self.path = f"{path}.{form.extension}"
        self._form = form
        folder, name = os.path.split(self.path)
        self._part = os.path.join(folder, f".{name}.part")
        self._pending: list[Parameters] = []
        self._encode = None if form.codec in ("slin", "gsm49") else codec(form.codec).encoder()
        self._gsm = GsmEncoder() if form.codec == "gsm49" else None
        self._file: IO[bytes] | None = None
        try:
            if append and os.path.exists(self.path):
                shutil.copyfile(self.path, self._part)
                self._file = open(self._part, "r+b")  # noqa: SIM115 (closed by finish or abandon)
                self._data_at = self._seek_end()
            else:
                self._file = open(self._part, "w+b")  # noqa: SIM115
                self._data_at = self._write_header()
        except (OSError, MediaFileError) as error:
            self.abandon()
            raise self._error(error) from None

    def write(self, samples: bytes) -> None:
        """Add samples of the format's rate, whole frames of 20 ms, of all channels."""
        if self._encode is not None:
            data = self._encode(samples)
        elif self._gsm is not None:
            frames = self._gsm.encode(samples)
            self._pending += [unpack(frames[at : at + 33]) for at in range(0, len(frames), 33)]
            data = b"".join(
                pack_pair(self._pending[at], self._pending[at + 1]) for at in range(0, len(self._pending) - 1, 2)
            )
            self._pending = self._pending[len(self._pending) & ~1 :]
        else:
            data = little_endian(samples)
        self._put(data)

    def finish(self) -> None:
        """Complete it and give it its name."""
        if self._file is None:
            return
        if self._gsm is not None and self._pending:
            self.write(bytes(320))
        try:
            if self._form.tag:
                self._file.seek(0, os.SEEK_END)
                end = self._file.tell()
                if (end - self._data_at) % 2:
                    self._file.write(b"\0")
                self._patch(4, self._file.tell() - 8)
                self._patch(self._data_at - 4, end - self._data_at)
                if self._form.tag == GSM49:
                    self._patch(self._data_at - 12, (end - self._data_at) // 65 * 320)
            self._file.close()
            self._file = None
            os.replace(self._part, self.path)
        except OSError as error:
            self.abandon()
            raise self._error(error) from None

    def abandon(self) -> None:
        """Forget it; a file that was there stays as it was."""
        if self._file is not None:
            self._file.close()
            self._file = None
        try:
            os.unlink(self._part)
        except OSError:
            pass

    def _put(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(data)
        except OSError as error:
            self.abandon()
            raise self._error(error) from None

    def _error(self, error: Exception) -> MediaFileError:
        text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        return MediaFileError(f"recording {self.path}: {text}")

    def _patch(self, at: int, value: int) -> None:
        assert self._file is not None
        self._file.seek(at)
        self._file.write(min(value, 0xFFFFFFFF).to_bytes(4, "little"))

    def _write_header(self) -> int:
        assert self._file is not None
        form = self._form
        if not form.tag:
            return 0
        if form.tag == GSM49:
            fmt = pack("<HHIIHHHH", GSM49, 1, 8000, 1625, 65, 0, 2, 320)
            extra = b"fact" + pack("<II", 4, 0)
        else:
            width = 2 if form.tag == PCM else 1
            block = width * form.channels
            fmt = pack("<HHIIHH", form.tag, form.channels, form.rate, form.rate * block, block, 8 * width)
            extra = b""
        header = b"WAVEfmt " + pack("<I", len(fmt)) + fmt + extra + b"data" + pack("<I", 0)
        self._file.write(b"RIFF" + pack("<I", len(header)) + header)
        return len(header) + 8

    def _seek_end(self) -> int:
        """Where the sound ends in the file that is appended to; anything after it is cut off."""
        assert self._file is not None
        form = self._form
        if not form.tag:
            self._file.seek(0, os.SEEK_END)
            return 0
        data = self._file.read()
        chunks = wav_chunks(self.path, data)
        at, size = chunks.get(b"fmt ", (0, 0))
        start, length = chunks.get(b"data", (0, 0))
        tag = int.from_bytes(data[at : at + 2], "little")
        channels = int.from_bytes(data[at + 2 : at + 4], "little")
        rate = int.from_bytes(data[at + 4 : at + 8], "little")
        if size < 16 or not start or (tag, rate) != (form.tag, form.rate):
            raise MediaFileError(f"format {tag:#x} at {rate} Hz cannot be continued as {form.codec} at {form.rate} Hz")
        if channels != form.channels:
            raise MediaFileError(f"{channels} channels cannot be continued as {form.channels}")
        if form.tag == GSM49 and data[start - 20 : start - 16] != b"fact":
            raise MediaFileError("its fact chunk is not where it is expected")
        self._file.truncate(start + length)
        self._file.seek(start + length)
        return start
