"""The application that sends a text as Morse code (ITU-R M.1677-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import whole_number
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

CODE = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..",
    "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.",
    "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..",
    "0": "-----", "1": ".----", "2": "..---", "3": "...--", "4": "....-",
    "5": ".....", "6": "-....", "7": "--...", "8": "---..", "9": "----.",
    ".": ".-.-.-", ",": "--..--", ":": "---...", "?": "..--..", "'": ".----.", "-": "-....-", "/": "-..-.",
    "(": "-.--.", ")": "-.--.-", '"': ".-..-.", "=": "-...-", "+": ".-.-.", "@": ".--.-.",
}  # fmt: skip
DOT, DASH, BETWEEN_SIGNS, BETWEEN_LETTERS, BETWEEN_WORDS = 1, 3, 1, 3, 7
"""Lengths in dots."""
DEFAULT_DOT_MS, DEFAULT_TONE_HZ = 80, 800
MIN_DOT_MS, MAX_DOT_MS = 10, 1000
MAX_TONE_HZ = 4000
MAX_LETTERS = 500


def morse(text: str) -> list[list[tuple[int, int]]]:
    """Per letter its (sound, pause after it) in dots; what has no code is left out, blanks part words."""
    letters: list[list[tuple[int, int]]] = []
    for word in text.upper().split():
        before = len(letters)
        for letter in word:
            signs = CODE.get(letter)
            if signs is not None:
                lengths = [DOT if sign == "." else DASH for sign in signs]
                letters.append([*((sound, BETWEEN_SIGNS) for sound in lengths[:-1]), (lengths[-1], BETWEEN_LETTERS)])
        if len(letters) > before:
            letters[-1][-1] = (letters[-1][-1][0], BETWEEN_WORDS)
    return letters


async def _morsecode(channel: Channel, arguments: str, run: Run) -> None:
    if len(arguments) > MAX_LETTERS:
        raise ApplicationError(f"a text of {len(arguments)} letters is over the limit of {MAX_LETTERS}")
    kind = run.plan.variable(channel, "MORSETYPE") or "INTERNATIONAL"
    if kind.upper() != "INTERNATIONAL":
        raise ApplicationError(f"MORSETYPE {kind} is not supported, only INTERNATIONAL is")
    dot_ms = _setting(channel, run, "MORSEDITLEN", DEFAULT_DOT_MS, MIN_DOT_MS, MAX_DOT_MS)
    tone = _setting(channel, run, "MORSETONE", DEFAULT_TONE_HZ, 0, MAX_TONE_HZ)
    pause = _setting(channel, run, "MORSESPACETONE", 0, 0, MAX_TONE_HZ)
    media = run.plan.media
    try:
        for letter in morse(arguments):
            cadence = ",".join(f"!{tone}/{dot_ms * on},!{pause}/{dot_ms * off}" for on, off in letter)
            media.tones(channel, f"{cadence},{pause}")
            await channel.sleep(dot_ms * sum(on + off for on, off in letter) / 1000)
    finally:
        media.tones(channel, None)


def _setting(channel: Channel, run: Run, name: str, default: int, least: int, most: int) -> int:
    """A number in a variable, brought within its limits."""
    return min(max(whole_number(run.plan.variable(channel, name), default), least), most)


APPLICATIONS = (
    Application(
        "Morsecode",
        "Morsecode(text)",
        "Sends a text as Morse code, dots of MORSEDITLEN milliseconds (80) at MORSETONE Hz (800), MORSESPACETONE (0) "
        "between them. MORSETYPE may only be INTERNATIONAL.",
        _morsecode,
    ),
)
