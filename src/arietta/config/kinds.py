"""The types that options may have: how their text is read, what is refused, how the reference names them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec

from arietta.config.support import ALL_CODECS
from arietta.config.support import CODECS as SUPPORTED_CODECS

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Note = Callable[[str], None]

TRUE_WORDS = frozenset(("yes", "true", "y", "t", "1", "on"))
FALSE_WORDS = frozenset(("no", "false", "n", "f", "0", "off"))

AUDIO_CODECS = (
    "ulaw", "alaw", "gsm", "g722", "slin", "slin12", "slin16", "slin24", "slin32", "slin44", "slin48", "slin96",
    "slin192", "opus", "g726", "g726aal2", "g723", "g729", "g719", "ilbc", "lpc10", "adpcm", "speex", "speex16",
    "speex32", "siren7", "siren14", "silk8", "silk12", "silk16", "silk24", "codec2", "none",
)  # fmt: skip
OTHER_CODECS = (
    "h261", "h263", "h263p", "h264", "h265", "mpeg4", "vp8", "vp9", "av1", "jpeg", "png", "red", "t140", "t140red",
    "t38",
)  # fmt: skip
KNOWN_CODECS = frozenset(AUDIO_CODECS + OTHER_CODECS)


class Invalid(Exception):
    """An option value outside of what its kind accepts; the text names option, value and limit."""


class HostPort(msgspec.Struct, frozen=True):
    """A host, IPv6 without brackets, with a port; port 0 means the protocol's default."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


class CallerId(msgspec.Struct, frozen=True):
    """A caller's name and number, either may be empty."""

    name: str = ""
    number: str = ""

    def __str__(self) -> str:
        if not self.number:
            return f'"{self.name}"' if self.name else ""
        return f'"{self.name}" <{self.number}>' if self.name else f"<{self.number}>"


class AccessRule(msgspec.Struct, frozen=True):
    """One `permit` or `deny` line of an access list."""

    permit: bool
    network: Network


def allows(rules: tuple[AccessRule, ...], address: str) -> bool:
    """Whether an access list admits a numeric address: the last rule that matches decides, none admits."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return not rules
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        ip = mapped
    for rule in reversed(rules):
        if ip.version == rule.network.version and ip in rule.network:
            return rule.permit
    return True


class Kind:
    """How one option is read: this one takes any text; `names` are its names in the file if not the field's."""

    __slots__ = ("description", "names")
    secret = False

    def __init__(self, description: str, *, names: tuple[str, ...] = ()) -> None:
        self.description = description
        self.names = names

    def read(self, text: str, name: str, current: Any, note: Note) -> Any:
        """The value of `text`, given what earlier lines made of the option; raises Invalid."""
        return text

    def label(self) -> str:
        """The kind in words, for the reference."""
        return "text"


class Text(Kind):
    """Any text."""


class Secret(Text):
    """Text that is never repeated in a message."""

    secret = True

    def label(self) -> str:
        return "secret"


class FilePath(Text):
    """A path of a file or folder."""

    def label(self) -> str:
        return "path"


class Bool(Kind):
    """yes or no, in any of Asterisk's words."""

    def read(self, text: str, name: str, current: Any, note: Note) -> bool:
        word = text.lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise Invalid(f"{name} {text} is neither yes nor no")

    def label(self) -> str:
        return "yes/no"


class Integer(Kind):
    """A whole number within limits."""

    __slots__ = ("maximum", "minimum", "unit")

    def __init__(
        self,
        description: str,
        minimum: int = 0,
        maximum: int = 2**31 - 1,
        *,
        unit: str = "",
        names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(description, names=names)
        self.minimum = minimum
        self.maximum = maximum
        self.unit = unit

    def read(self, text: str, name: str, current: Any, note: Note) -> int:
        digits = text[1:] if text[:1] in "+-" else text
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
            raise Invalid(f"{name} {text} is not a whole number in {self.minimum}..{self.maximum}{self._unit()}")
        value = int(text)
        if not self.minimum <= value <= self.maximum:
            raise Invalid(f"{name} {text} is outside {self.minimum}..{self.maximum}{self._unit()}")
        return value

    def label(self) -> str:
        limit = "" if self.maximum == 2**31 - 1 and self.minimum == 0 else f" {self.minimum}..{self.maximum}"
        return (self.unit or "number") + limit

    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


class Seconds(Integer):
    """A whole number of seconds."""

    def __init__(
        self, description: str, minimum: int = 0, maximum: int = 2**31 - 1, *, names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(description, minimum, maximum, unit="seconds", names=names)


class Milliseconds(Integer):
    """A whole number of milliseconds."""

    def __init__(
        self, description: str, minimum: int = 0, maximum: int = 2**31 - 1, *, names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(description, minimum, maximum, unit="milliseconds", names=names)


class Real(Kind):
    """A number with decimals within limits."""

    __slots__ = ("maximum", "minimum", "unit")

    def __init__(self, description: str, minimum: float, maximum: float, unit: str = "seconds") -> None:
        super().__init__(description)
        self.minimum = minimum
        self.maximum = maximum
        self.unit = unit

    def read(self, text: str, name: str, current: Any, note: Note) -> float:
        limits = f"{self.minimum:g}..{self.maximum:g} {self.unit}"
        try:
            value = float(text)
        except ValueError:
            raise Invalid(f"{name} {text} is not a number in {limits}") from None
        if not self.minimum <= value <= self.maximum:
            raise Invalid(f"{name} {text} is outside {limits}")
        return value

    def label(self) -> str:
        return f"{self.unit} {self.minimum:g}..{self.maximum:g}"


class Duration(Kind):
    """A length of time such as 500ms, 30, 30s, 5m, 2h or 1d; seconds when no unit is given."""

    UNITS = (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0))

    def read(self, text: str, name: str, current: Any, note: Note) -> float:
        number, factor = text.lower(), 1.0
        for unit, seconds in self.UNITS:
            if number.endswith(unit):
                number, factor = number[: -len(unit)].strip(), seconds
                break
        if not number.isascii() or not number.replace(".", "", 1).isdigit() or len(number) > 20:
            raise Invalid(f"{name} {text} is not a duration such as 500ms, 30s, 5m, 2h or 1d")
        return float(number) * factor

    def label(self) -> str:
        return "duration"


class Choice(Kind):
    """One of several words; `aliases` are other spellings of them."""

    __slots__ = ("aliases", "choices")

    def __init__(
        self, description: str, *choices: str, aliases: dict[str, str] | None = None, names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(description, names=names)
        self.choices = choices
        self.aliases = aliases or {}

    def read(self, text: str, name: str, current: Any, note: Note) -> str:
        word = text.lower()
        word = self.aliases.get(word, word)
        if word not in self.choices:
            raise Invalid(f"{name} {text} is none of {', '.join(self.choices)}")
        return word

    def label(self) -> str:
        return "one of " + ", ".join(self.choices)


def yes_no_or(description: str, *more: str) -> Choice:
    """A Choice of yes, no and further words, yes and no in any of Asterisk's spellings."""
    spellings = dict.fromkeys(TRUE_WORDS, "yes") | dict.fromkeys(FALSE_WORDS, "no")
    return Choice(description, "no", "yes", *more, aliases=spellings)


class TextList(Kind):
    """Texts between commas; `each_line_adds` keeps those of earlier lines."""

    __slots__ = ("each_line_adds", "separator")

    def __init__(
        self, description: str, *, each_line_adds: bool = False, separator: str = ",", names: tuple[str, ...] = ()
    ) -> None:
        super().__init__(description, names=names)
        self.each_line_adds = each_line_adds
        self.separator = separator

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[str, ...]:
        words = text.split(self.separator) if self.separator else [text]
        found = tuple(word for word in map(str.strip, words) if word)
        return (*current, *found) if self.each_line_adds else found

    def label(self) -> str:
        return "list, each line adds" if self.each_line_adds else "list"


class ChoiceList(Kind):
    """Words between commas, each one of a set."""

    __slots__ = ("choices",)

    def __init__(self, description: str, *choices: str) -> None:
        super().__init__(description)
        self.choices = choices

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[str, ...]:
        found = tuple(word for word in (part.strip().lower() for part in text.split(",")) if word)
        for word in found:
            if word not in self.choices:
                raise Invalid(f"{name} {word} is none of {', '.join(self.choices)}")
        return found

    def label(self) -> str:
        return "list of " + ", ".join(self.choices)


class Address(Kind):
    """A host with an optional port: 127.0.0.1:5060, [::1]:5060, ::1, sip.example.com."""

    def read(self, text: str, name: str, current: Any, note: Note) -> HostPort | None:
        return parse_host_port(text, name) if text else None

    def label(self) -> str:
        return "address[:port]"


class Host(Kind):
    """A host name or address without a port."""

    def read(self, text: str, name: str, current: Any, note: Note) -> str:
        return parse_host_port(text, name, port=False).host if text else ""

    def label(self) -> str:
        return "address"


class Networks(Kind):
    """Networks as CIDR or with a netmask, separated by commas, each line adds."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[Network, ...]:
        return (*current, *(parse_network(word, name) for word in map(str.strip, text.split(",")) if word))

    def label(self) -> str:
        return "networks, each line adds"


class Matches(Kind):
    """Networks, addresses or host names, separated by commas, each line adds."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[Network | str, ...]:
        found: list[Network | str] = list(current)
        for word in map(str.strip, text.split(",")):
            if not word:
                continue
            if (word[0].isdigit() and word.replace(".", "").replace("/", "").isdigit()) or ":" in word or "/" in word:
                found.append(parse_network(word, name))
            else:
                found.append(parse_host_port(word, name, port=False).host)
        return tuple(found)

    def label(self) -> str:
        return "networks or host names, each line adds"


class AccessList(Kind):
    """Rules of two options whose order matters; the name that ends in `permit` admits, the other refuses."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[AccessRule, ...]:
        permit = name.lower().endswith("permit")
        rules = list(current)
        for word in map(str.strip, text.split(",")):
            if word:
                inverted = word[0] == "!"
                rules.append(AccessRule(permit != inverted, parse_network(word[1:] if inverted else word, name)))
        return tuple(rules)

    def label(self) -> str:
        return "networks, the last match decides"


PACKET_STEPS_MS = {"gsm": 20}
"""Of codecs whose packets do not come in tens of milliseconds."""


class Codecs(Kind):
    """Codecs in order of preference, built by `allow` and `disallow` lines in their order.

    `ulaw:30` is a codec with the milliseconds of its packets, which stay behind its name.
    """

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[str, ...]:
        codecs = {one.partition(":")[0]: one for one in current}
        for word in map(str.strip, text.lower().split(",")):
            if not word:
                continue
            remove = name.lower() == "disallow" or word[0] == "!"
            codec, _, length = word.lstrip("!").partition(":")
            if codec == "all":
                codecs = {} if remove else codecs | {one: one for one in ALL_CODECS if one not in codecs}
            elif codec not in KNOWN_CODECS:
                raise Invalid(f"{name} {codec} is not a codec, known are all, {', '.join(AUDIO_CODECS)}")
            elif remove:
                codecs.pop(codec, None)
            elif codec not in SUPPORTED_CODECS:
                note(f"{name} {codec} is left out, supported are {', '.join(SUPPORTED_CODECS)}")
            else:
                codecs[codec] = codec + _packet_length(name, codec, length)
        return tuple(codecs.values())

    def label(self) -> str:
        return "codecs, in order; `:30` behind one is the milliseconds of its packets"


def _packet_length(name: str, codec: str, text: str) -> str:
    """The end of an entry of `allow`."""
    if not text:
        return ""
    step = PACKET_STEPS_MS.get(codec, 10)
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) <= 120 and int(text) % step == 0):
        raise Invalid(
            f"{name} {codec}:{text} has packets of a length that is none of {step}..120 in steps of {step} ms"
        )
    if codec == "opus" and int(text) != 20:
        raise Invalid(f"{name} {codec}:{text} is not supported: packets of opus have 20 ms")
    return f":{int(text)}"


class Variables(Kind):
    """Channel variables, one NAME=VALUE a line."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[tuple[str, str], ...]:
        variable, equals, value = text.partition("=")
        if not equals or not variable.strip():
            raise Invalid(f"{name} {text} is not NAME=VALUE")
        return (*current, (variable.strip(), value.strip()))

    def label(self) -> str:
        return "NAME=VALUE, each line adds"


class Caller(Kind):
    """A caller id: "Name" <number>, Name <number>, <number> or a number."""

    def read(self, text: str, name: str, current: Any, note: Note) -> CallerId:
        return parse_caller_id(text, name)

    def label(self) -> str:
        return '"Name" <number>'


class Groups(Kind):
    """Numbered groups 0..63 such as 1,3-5."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[int, ...]:
        groups: set[int] = set()
        for word in map(str.strip, text.split(",")):
            if not word:
                continue
            first, dash, last = word.partition("-")
            last = last if dash else first
            if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()) or len(word) > 8:
                raise Invalid(f"{name} {word} is neither a group nor a range of groups in 0..63")
            if not 0 <= int(first) <= int(last) <= 63:
                raise Invalid(f"{name} {word} is outside 0..63")
            groups.update(range(int(first), int(last) + 1))
        return tuple(sorted(groups))

    def label(self) -> str:
        return "groups 0..63"


class Tos(Kind):
    """A DSCP class such as cs3 or ef, or the number of the TOS byte 0..255."""

    CLASSES = frozenset(("ef", *(f"cs{n}" for n in range(8)), *(f"af{c}{d}" for c in range(1, 5) for d in range(1, 4))))

    def read(self, text: str, name: str, current: Any, note: Note) -> int:
        word = text.lower()
        if word == "ef":
            return 46 << 2
        if word in self.CLASSES:
            return int(word[2]) << 5 if word[0] == "c" else (int(word[2]) * 8 + int(word[3]) * 2) << 2
        try:
            value = int(word, 0)
        except ValueError:
            value = -1
        if not 0 <= value <= 255:
            raise Invalid(f"{name} {text} is neither a DSCP class (cs0..cs7, af11..af43, ef) nor a number in 0..255")
        return value

    def label(self) -> str:
        return "DSCP class or 0..255"


def parse_host_port(text: str, name: str, *, port: bool = True) -> HostPort:
    """Read `host`, `host:port`, `[ipv6]:port` or `ipv6`."""
    tail = ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise Invalid(f"{name} {text} is not [address]:port")
        tail = rest[1:]
        has_port = bool(rest)
    elif text.count(":") > 1:
        host, has_port = text, False
    else:
        host, colon, tail = text.partition(":")
        has_port = bool(colon)
    if has_port and not port:
        raise Invalid(f"{name} {text} may not have a port")
    numeric = ":" in host or host.replace(".", "").isdigit()
    if numeric:
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            raise Invalid(f"{name} {text} is not an address") from None
    elif not host or not all(sign.isalnum() or sign in "-._" for sign in host):
        raise Invalid(f"{name} {text} is neither an address nor a host name")
    number = 0
    if has_port:
        if not (tail.isascii() and tail.isdigit() and len(tail) <= 8):
            raise Invalid(f"{name} {text}: port {tail} is not a number in 1..65535")
        number = int(tail)
        if not 1 <= number <= 65535:
            raise Invalid(f"{name} {text}: port {tail} is outside 1..65535")
    return HostPort(host, number)


def parse_network(text: str, name: str) -> Network:
    """Read `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10.1.2.3`, `fd00::/8` or `0.0.0.0/0`; host bits may be set."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Invalid(
            f"{name} {text} is not a network such as 192.0.2.0/24, 192.0.2.0/255.255.255.0 or 2001:db8::/32"
        ) from None


def parse_caller_id(text: str, name: str) -> CallerId:
    """Read the forms of a caller id."""
    text = text.strip()
    if text.endswith(">") and "<" in text:
        shown, _, number = text[:-1].rpartition("<")
        return CallerId(_without_quotes(shown.strip()), number.strip())
    if "<" in text or ">" in text:
        raise Invalid(f'{name} {text} is not "Name" <number>')
    if text and all(sign.isdigit() or sign in "+*#-() ." for sign in text):
        return CallerId("", text)
    return CallerId(_without_quotes(text), "")


def _without_quotes(text: str) -> str:
    return text[1:-1].replace('\\"', '"') if len(text) >= 2 and text[0] == text[-1] == '"' else text
