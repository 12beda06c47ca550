"""Recording to sound files: complete under their own name or not there at all."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from struct import pack
from typing import IO

from .codecs import codec
from .codecs.gsm import GsmEncoder, Parameters, pack_pair, unpack
from .codecs.registry import LINEAR_RATES
from .engine import MediaError, RecordOptions, Side
from .files import ALAW, GSM49, MOST_TRACKS, PCM, ULAW, MediaFileError, little_endian, wav_chunks
from .widening import copy_widened, widened

__all__ = ["WRITABLE", "SoundWriter", "WriteFormat", "no_track_left", "recording_format", "write_format"]

PCM_HEADER = 44
"""Bytes before the samples."""


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
    """Samples one by one in turns; other than one in PCM alone. 0: as many as turn out to be needed."""


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
    if options.side is not Side.BOTH:
        raise MediaError(f"recording {name!r} has no tracks: side {options.side.value!r} is asked for, not both")
    if form.tag != PCM:
        raise MediaError(f"recording format {name!r} has no tracks; wav and wav16 have")
    return replace(form, channels=2 if two_sided else 0)


def no_track_left(path: str) -> str:
    """What is said once of a recording whose tracks are all taken."""
    return f"recording {path}: there are {MOST_TRACKS} parties on a track each, who comes now is not recorded"


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
        self._levelled = os.path.join(folder, f".{name}.levelled.part")
        self._widths: list[tuple[int, int]] = []
        """From which place in the file on it has so many channels."""
        self._pending: list[Parameters] = []
        self._encode = None if form.codec in ("slin", "gsm49") else codec(form.codec).encoder()
        self._gsm = GsmEncoder() if form.codec == "gsm49" else None
        self._file: IO[bytes] | None = None
        try:
            if append and os.path.exists(self.path):
                shutil.copyfile(self.path, self._part)
                self._file = open(self._part, "r+b")  # noqa: SIM115 (closed by finish or abandon)
                self._data_at, channels = self._seek_end()
            else:
                self._file = open(self._part, "w+b")  # noqa: SIM115
                channels = form.channels or 1
                self._data_at = self._write_header(channels)
            self._widths.append((self._data_at, channels))
        except (OSError, MediaFileError) as error:
            self.abandon()
            raise self._error(error) from None

    def write(self, samples: bytes, channels: int = 1) -> None:
        """Add samples of the format's rate, whole frames of 20 ms, of all channels.

        A format that has as many as are needed takes any number: what has fewer is silent in the others.
        """
        if self._form.channels == 0 and self._file is not None:
            samples = self._of_all(samples, channels)
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
            if self._form.channels == 0:
                self._settle_channels()
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
        for path in (self._part, self._levelled):
            with suppress(OSError):
                os.unlink(path)

    def _of_all(self, samples: bytes, channels: int) -> bytes:
        assert self._file is not None
        end, width = self._file.tell(), self._widths[-1][1]
        if channels > width:
            if self._widths[-1][0] == end:
                self._widths.pop()
            self._widths.append((end, channels))
        return widened(samples, channels, max(channels, width))

    def _settle_channels(self) -> None:
        """Give all of it as many channels as it has at its end."""
        assert self._file is not None
        if len(self._widths) > 1 or self._data_at != PCM_HEADER:
            source, end = self._file, self._file.tell()
            self._file = open(self._levelled, "w+b")  # noqa: SIM115
            with source:
                self._data_at = self._write_header(self._widths[-1][1])
                copy_widened(source, self._file, self._widths, end)
            os.replace(self._levelled, self._part)
            return
        self._file.seek(0)
        self._write_header(self._widths[-1][1])

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

    def _write_header(self, channels: int) -> int:
        assert self._file is not None
        form = self._form
        if not form.tag:
            return 0
        if form.tag == GSM49:
            fmt = pack("<HHIIHHHH", GSM49, 1, 8000, 1625, 65, 0, 2, 320)
            extra = b"fact" + pack("<II", 4, 0)
        else:
            width = 2 if form.tag == PCM else 1
            block = width * channels
            fmt = pack("<HHIIHH", form.tag, channels, form.rate, form.rate * block, block, 8 * width)
            extra = b""
        header = b"WAVEfmt " + pack("<I", len(fmt)) + fmt + extra + b"data" + pack("<I", 0)
        self._file.write(b"RIFF" + pack("<I", len(header)) + header)
        return len(header) + 8

    def _seek_end(self) -> tuple[int, int]:
        """Where the sound of the file that is appended to begins, and its channels; what is behind it is cut off."""
        assert self._file is not None
        form = self._form
        if not form.tag:
            self._file.seek(0, os.SEEK_END)
            return 0, 1
        data = self._file.read()
        chunks = wav_chunks(self.path, data)
        at, size = chunks.get(b"fmt ", (0, 0))
        start, length = chunks.get(b"data", (0, 0))
        tag = int.from_bytes(data[at : at + 2], "little")
        channels = int.from_bytes(data[at + 2 : at + 4], "little")
        rate = int.from_bytes(data[at + 4 : at + 8], "little")
        if size < 16 or not start or (tag, rate) != (form.tag, form.rate):
            raise MediaFileError(f"format {tag:#x} at {rate} Hz cannot be continued as {form.codec} at {form.rate} Hz")
        if channels != form.channels and form.channels:
            raise MediaFileError(f"{channels} channels cannot be continued as {form.channels}")
        if not 0 < channels <= MOST_TRACKS:
            raise MediaFileError(f"{channels} channels are outside 1..{MOST_TRACKS}")
        if form.tag == GSM49 and data[start - 20 : start - 16] != b"fact":
            raise MediaFileError("its fact chunk is not where it is expected")
        self._file.truncate(start + length)
        self._file.seek(start + length)
        return start, channels
