"""Sound as it is played: sources in a codec's bytes, whole frames."""

from __future__ import annotations

from dataclasses import dataclass

from .codecs import Codec, resample
from .codecs.host import FRAME_MS, host_codec
from .engine import Files, Samples, Silence, Source, Tones
from .files import SoundCache
from .tones import render

__all__ = ["Track", "load_track", "track_ready"]


@dataclass(frozen=True, slots=True)
class Track:
    """Encoded sound of one codec, whole frames unless it repeats."""

    data: bytes
    repeat: int | None = None
    """Offset where it goes on after its end; None: it ends."""


def _form(codec: Codec) -> str | int:
    """The sound cache's key: the engine's own samples are kept by their rate."""
    return codec.rate if codec is host_codec(codec.rate) else codec.name


def _read(cache: SoundCache, path: str, codec: Codec) -> bytes:
    form = _form(codec)
    return cache.samples(path, form) if isinstance(form, int) else cache.encoded(path, form)


def track_ready(cache: SoundCache, source: Source, codec: Codec) -> bool:
    """Whether `load_track` answers without the disk."""
    return not isinstance(source, Files) or all(cache.ready(path, _form(codec)) for path in source.paths)


def load_track(cache: SoundCache, source: Source, codec: Codec) -> Track:
    """The track of a source; raises MediaFileError; may read the disk."""
    size = codec.bytes_of(FRAME_MS)
    if isinstance(source, Files):
        parts = [_whole(_read(cache, path, codec), codec) for path in source.paths]
        return Track(parts[0] if len(parts) == 1 else b"".join(parts))
    if isinstance(source, Samples):
        return Track(_whole(codec.encoder()(resample(source.data, source.rate, codec.rate)), codec))
    if isinstance(source, Tones):
        samples, repeat = render(source, codec.rate)
        data = codec.encoder()(samples)
        if repeat is None:
            return Track(_whole(data, codec))
        offset = repeat // 2 * codec.frame_bytes // (codec.rate * codec.frame_ms // 1000)
        if codec.frame_ms == FRAME_MS:
            offset -= offset % size
        return Track(data, offset)
    if isinstance(source, Silence) and source.duration_ms is not None:
        return Track(codec.silence * -(-source.duration_ms // FRAME_MS))
    return Track(codec.silence, 0)


def _whole(data: bytes, codec: Codec) -> bytes:
    """Filled with silence to whole frames."""
    size = codec.bytes_of(FRAME_MS)
    rest = len(data) % size
    if rest == 0:
        return data
    return data + codec.silence[rest:] if codec.frame_ms < FRAME_MS else data[:-rest]
