"""Sound files: wav, gsm, ulaw, alaw and raw signed linear, read, written and cached."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from struct import Struct as Layout

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard library's until 3.12, then audioop-lts
    import audioop

from .codecs import codec, resample
from .codecs.gsm import GsmDecoder, unpack_pair
from .codecs.registry import LINEAR_RATES
from .engine import MediaError

__all__ = [
    "EXTENSIONS",
    "MOST_TRACKS",
    "MediaFileError",
    "MediaFileMissing",
    "Sound",
    "SoundCache",
    "little_endian",
    "read_sound",
    "sound_files",
    "wav_chunks",
]

LARGEST_FILE = 512 << 20

EXTENSIONS: dict[str, str] = {
    "ulaw": "ulaw",
    "ul": "ulaw",
    "mu": "ulaw",
    "pcm": "ulaw",
    "alaw": "alaw",
    "al": "alaw",
    "gsm": "gsm",
    "wav": "wav",
    "wav16": "wav",
    "WAV": "wav",
    "wav49": "wav",
    "sln": "slin",
    **{"sln" + name[4:]: name for name in LINEAR_RATES if name != "slin"},
    "slin": "slin",
}
"""File name extension to codec; `wav` says it inside."""

MOST_TRACKS = 16
"""Of a file; also the parties of a mix that a recording keeps apart, as party_tracks.h's MOST_PARTIES."""
PCM, ALAW, ULAW, GSM49, EXTENSIBLE = 1, 6, 7, 0x31, 0xFFFE
_FORMAT = Layout("<HHIIHH")


class MediaFileError(MediaError):
    """A sound file that cannot be used; the message names it and what is wrong."""


class MediaFileMissing(MediaFileError):
    """There is no such file, or it may not be read."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file holds."""

    codec: str
    """`slin` for linear samples of any rate."""
    rate: int
    data: bytes
    """In the codec's bytes; linear samples in host order."""

    def samples(self) -> bytes:
        """Decoded, in host order at `rate`."""
        return self.data if self.codec == "slin" else codec(self.codec).decoder()(self.data)

    def encoded(self, name: str) -> bytes:
        """In the wire's bytes of a codec, resampled to its rate."""
        if name == self.codec and name != "slin":
            return self.data
        wanted = codec(name)
        return wanted.encoder()(resample(self.samples(), self.rate, wanted.rate))


def read_sound(path: str) -> Sound:
    """The sound in a file; MediaFileMissing or MediaFileError when there is none."""
    extension = os.path.splitext(path)[1][1:]
    kind = EXTENSIONS.get(extension) or EXTENSIONS.get(extension.lower())
    if kind is None:
        raise MediaFileError(f"sound file {path}: format {extension!r} is not known")
    try:
        size = os.stat(path).st_size
        if size > LARGEST_FILE:
            raise MediaFileError(f"sound file {path}: {size} bytes are over the limit of {LARGEST_FILE}")
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE)
    except OSError as error:
        raise MediaFileMissing(f"sound file {path}: {error.strerror or error}") from None
    if kind == "wav":
        return _read_wav(path, data)
    if kind in LINEAR_RATES:
        return Sound("slin", LINEAR_RATES[kind], little_endian(data))
    return Sound(kind, 8000, data)


def sound_files(folder: str) -> list[str]:
    """The sound files of a folder by name; of several formats of one piece the first by extension."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    pieces: dict[str, str] = {}
    for name in names:
        stem, _, extension = name.rpartition(".")
        if stem and extension in EXTENSIONS and not stem.startswith("."):
            pieces.setdefault(stem, os.path.join(folder, name))
    return list(pieces.values())


def little_endian(data: bytes) -> bytes:
    """Sixteen-bit words of a file (little-endian) to host order, or back; an odd byte is dropped."""
    if len(data) % 2:
        data = data[:-1]
    return data if sys.byteorder == "little" else audioop.byteswap(data, 2)


def wav_chunks(path: str, data: bytes) -> dict[bytes, tuple[int, int]]:
    """Offset and size of the first chunk of each name; a size beyond the file's end is cut to it."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise MediaFileError(f"sound file {path}: no RIFF/WAVE header")
    chunks: dict[bytes, tuple[int, int]] = {}
    offset = 12
    while offset + 8 <= len(data):
        name = data[offset : offset + 4]
        size = int.from_bytes(data[offset + 4 : offset + 8], "little")
        offset += 8
        available = len(data) - offset
        if name == b"data" and (size == 0 or size > available):
            size = available  # a recorder that was killed left the header as it was at the start
        chunks.setdefault(name, (offset, min(size, available)))
        offset += size + size % 2
    return chunks


def _read_wav(path: str, data: bytes) -> Sound:
    chunks = wav_chunks(path, data)
    start, size = chunks.get(b"fmt ", (0, 0))
    if size < 16:
        raise MediaFileError(f"sound file {path}: no fmt chunk")
    tag, channels, rate, _, block, bits = _FORMAT.unpack_from(data, start)
    if tag == EXTENSIBLE and size >= 26:
        tag = int.from_bytes(data[start + 24 : start + 26], "little")
    if b"data" not in chunks:
        raise MediaFileError(f"sound file {path}: no data chunk")
    at, length = chunks[b"data"]
    body = data[at : at + length]
    if not 0 < channels <= MOST_TRACKS:
        raise MediaFileError(f"sound file {path}: {channels} channels are outside 1..{MOST_TRACKS}")
    if not 4000 <= rate <= 192000:
        raise MediaFileError(f"sound file {path}: sample rate {rate} is outside 4000..192000")
    if tag == PCM and bits == 16:
        body = little_endian(body[: len(body) - len(body) % (2 * channels)])
        return Sound("slin", rate, _to_mono(body, channels))
    if tag in (ALAW, ULAW) and bits == 8 and channels == 1:
        name = "alaw" if tag == ALAW else "ulaw"
        return Sound(name, 8000, body) if rate == 8000 else Sound("slin", rate, codec(name).decoder()(body))
    if tag == GSM49 and channels == 1 and block == 65:
        decoder = GsmDecoder()
        frames = []
        for offset in range(0, len(body) - 64, 65):
            frames += [decoder.frame(one) for one in unpack_pair(body[offset : offset + 65])]
        return Sound("slin", rate, b"".join(frames))
    raise MediaFileError(
        f"sound file {path}: wav format {tag:#x} of {bits} bits and {channels} channels is not supported"
    )


def _to_mono(samples: bytes, channels: int) -> bytes:
    """The tracks mixed: two at half their level, more at that too, saturated, for rarely more than two talk at once."""
    if channels < 3:
        return samples if channels == 1 else audioop.tomono(samples, 2, 0.5, 0.5)
    tracks = array("h", samples)
    mixed = bytes(len(samples) // channels)
    for track in range(channels):
        mixed = audioop.add(mixed, audioop.mul(tracks[track::channels].tobytes(), 2, 0.5), 2)
    return mixed


class _Entry:
    __slots__ = ("forms", "signature", "size", "sound")

    def __init__(self, sound: Sound, signature: tuple[int, int]) -> None:
        self.sound = sound
        self.signature = signature
        self.forms: dict[str | int, bytes] = {}
        self.size = len(sound.data)


class SoundCache:
    """Sounds in memory: read once per file and change, encoded once per codec; the least used leave first.

    Safe to use from several threads.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self.size = 0
        """Bytes held."""
        self.reads = 0
        """Files read so far."""
        self.encodes = 0
        """Conversions made so far."""

    def encoded(self, path: str, name: str) -> bytes:
        """The file in a codec's wire bytes; raises MediaFileError."""
        return self._form(path, name)

    def samples(self, path: str, rate: int) -> bytes:
        """The file as samples in host order; raises MediaFileError."""
        return self._form(path, rate)

    def ready(self, path: str, form: str | int) -> bool:
        """Whether `encoded` (a codec) or `samples` (a rate) would answer from memory."""
        with self._lock:
            entry = self._entries.get(path)
            return entry is not None and form in entry.forms and entry.signature == _signature(path)

    def _form(self, path: str, form: str | int) -> bytes:
        signature = _signature(path)
        with self._lock:
            entry = self._entries.get(path)
            if entry is not None and entry.signature == signature:
                self._entries.move_to_end(path)
                data = entry.forms.get(form)
                if data is not None:
                    return data
            else:
                entry = None
        if entry is None:
            entry = _Entry(read_sound(path), signature)
            self.reads += 1
        sound = entry.sound
        if isinstance(form, int):
            data = resample(sound.samples(), sound.rate, form)
        else:
            data = sound.encoded(form)
        self.encodes += data is not sound.data
        with self._lock:
            self._keep(path, entry, form, data)
        return data

    def _keep(self, path: str, entry: _Entry, form: str | int, data: bytes) -> None:
        held = self._entries.pop(path, None)
        if held is not None:
            self.size -= held.size
        if form not in entry.forms:
            entry.forms[form] = data
            entry.size += len(data) if data is not entry.sound.data else 0
        self._entries[path] = entry
        self.size += entry.size
        while self.size > self._limit and self._entries:
            _, dropped = self._entries.popitem(last=False)
            self.size -= dropped.size


def _signature(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise MediaFileMissing(f"sound file {path}: {error.strerror or error}") from None
    return status.st_mtime_ns, status.st_size
