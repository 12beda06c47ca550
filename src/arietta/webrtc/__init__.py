"""Media as browsers want it (RFC 8834, RFC 8827): ICE finds the way, DTLS agrees the keys, on one port; sans-IO."""

from arietta.webrtc.path import Keyed, MediaPath, PathFailed, PathOutput, Reached, SendPacket

__all__ = ["Keyed", "MediaPath", "PathFailed", "PathOutput", "Reached", "SendPacket"]
