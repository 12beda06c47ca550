"""What the configuration says of audio: the engine's settings, the sounds, the tones of a country."""

from __future__ import annotations

from pathlib import Path

import arietta
from arietta.config.conf import read_conf
from arietta.config.indications import IndicationsSettings, read_indications
from arietta.config.settings import Report
from arietta.config.tree import Config
from arietta.media.engine import EngineSettings
from arietta.media.remote import RemoteSounds
from arietta.media.sounds import SoundLibrary, package_sounds, system_sounds
from arietta.stasis.media_uris import MediaLibrary

DTMF_SAMPLES_PER_MS = 8
PACKAGE_DATA = Path(arietta.__file__).parent / "data"


def sound_library(config: Config) -> SoundLibrary:
    """Where sounds are looked for, the operator's own first."""
    folders = [str(config.directories.sounds), *system_sounds(), package_sounds()]
    return SoundLibrary(folders, config.asterisk.options.defaultlanguage)


def media_library(config: Config, sounds: SoundLibrary, remote: RemoteSounds) -> MediaLibrary:
    """What a media URI may name."""
    indications = config.indications if config.indications.zones else _packaged_indications()
    zones = {name: indications.zone(name) for name in indications.zones}
    tones = {name: dict(zone.tones) for name, zone in zones.items() if zone is not None}
    return MediaLibrary(sounds, tones, indications.general.country, config.directories.recordings, remote)


def _packaged_indications() -> IndicationsSettings:
    return read_indications(read_conf(PACKAGE_DATA / "indications.conf"), Report())


def engine_settings(config: Config) -> EngineSettings:
    """What the media engine is told of the configuration."""
    rtp = config.rtp
    return EngineSettings(
        rtp_start=rtp.rtpstart,
        rtp_end=rtp.rtpend,
        strict_rtp=rtp.strictrtp != "no",
        probation=rtp.probation,
        music=music_classes(config),
        music_random=frozenset(n for n, settings in config.musiconhold.classes.items() if settings.sort == "random"),
        threads=rtp.media_threads,
        mix_loudest=rtp.mix_loudest,
        rtcp_interval_ms=rtp.rtcpinterval,
        digit_silence_ms=rtp.dtmftimeout // DTMF_SAMPLES_PER_MS,
        checksums=rtp.rtpchecksums,
        replay_protection=rtp.srtpreplayprotection,
    )


def music_classes(config: Config) -> dict[str, str | tuple[str, ...]]:
    """The classes of music on hold: the folder of each, or its files in their order."""
    sounds = sound_library(config)
    music: dict[str, str | tuple[str, ...]] = {}
    for name, settings in config.musiconhold.classes.items():
        if settings.mode == "files" and settings.directory:
            music[name] = str(_music_folder(config, settings.directory))
        elif settings.mode == "playlist":
            found = (sounds.find(entry) or entry for entry in settings.entry)
            music[name] = tuple(path for path in found if Path(path).is_file())
    music.setdefault("default", str(PACKAGE_DATA / "moh"))
    return music


def _music_folder(config: Config, directory: str) -> Path:
    """A folder of music, where a relative one is the operator's or else the package's."""
    own = config.directories.data / directory
    return own if Path(directory).is_absolute() or own.is_dir() else PACKAGE_DATA / directory
