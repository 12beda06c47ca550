"""amd.conf: how AMD tells a person from a machine where its arguments do not say."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import Integer, Text
from arietta.config.settings import Report, Settings, merged, read_settings

MOST_MS = 60_000
MOST_ENERGY = 32_767
MOST_WORDS = 1000


class AmdSettings(Settings, frozen=True, kw_only=True, eq=False):
    """The limits of a greeting; times in milliseconds."""

    TITLE: ClassVar[str] = "amd.conf [general]"

    initial_silence: Annotated[int, Integer("Silence at first that only a machine keeps.", 1, MOST_MS)] = 2500
    greeting: Annotated[int, Integer("Length of a greeting that only a machine has.", 1, MOST_MS)] = 1500
    after_greeting_silence: Annotated[int, Integer("Silence in which a person waits.", 1, MOST_MS)] = 800
    total_analysis_time: Annotated[int, Integer("Time after which it gives up.", 1, MOST_MS)] = 5000
    min_word_length: Annotated[int, Integer("Shorter sounds are no words.", 1, MOST_MS)] = 100
    between_words_silence: Annotated[int, Integer("Silence that ends a word.", 1, MOST_MS)] = 50
    maximum_number_of_words: Annotated[int, Integer("Words that only a machine says.", 1, MOST_WORDS)] = 2
    silence_threshold: Annotated[int, Integer("Energy below which there is silence.", 1, MOST_ENERGY)] = 256
    maximum_word_length: Annotated[int, Integer("Length of a word that only a machine says.", 1, MOST_MS)] = 5000
    playback_file: Annotated[str, Text("Sound that is played meanwhile.")] = ""


def read_amd(file: ConfFile, report: Report) -> AmdSettings:
    """The settings of amd.conf."""
    for section in file.active():
        if section.name.lower() != "general":
            report.warn(section, f"[{section.name}] is not a section of amd.conf, it is ignored")
    return read_settings(AmdSettings, merged(file.named("general"), report), report)
