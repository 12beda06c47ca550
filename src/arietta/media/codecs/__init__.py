"""Codecs by name: samples to the bytes of the wire and back."""

from .registry import CODECS, Codec, Transcode, codec, is_codec
from .resample import Resampler, resample

__all__ = ["CODECS", "Codec", "Resampler", "Transcode", "codec", "is_codec", "resample"]
