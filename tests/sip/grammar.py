"""Hypothesis strategies that follow the grammar of RFC 3261 25.1: messages with what they mean beside them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

TOKEN_CHARACTERS = "abcXYZ019-.!%*_+`'~"
tokens = st.text(TOKEN_CHARACTERS, min_size=1, max_size=12)
words = st.text(TOKEN_CHARACTERS + '()<>:\\"/[]?{}', min_size=1, max_size=16)
labels = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=3).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
ports = st.none() | st.integers(0, 65535)
texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
users = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=8)
schemes = st.sampled_from(["sip", "sips", "SIP", "Sips"])
methods = st.sampled_from(["INVITE", "OPTIONS", "REGISTER", "BYE", "MESSAGE", "x-Odd!%"])
spaces = st.sampled_from(["", " ", "\t", "  ", "\r\n ", " \r\n\t"])


def escaped(text: str) -> str:
    """A user part with everything but letters and digits escaped."""
    return "".join(
        character
        if character.isascii() and character.isalnum()
        else "".join(f"%{byte:02x}" for byte in character.encode())
        for character in text
    )


def quoted(text: str) -> str:
    """A quoted-string; NUL and line breaks do not occur in `texts`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Uri:
    """A SIP URI as text, and its parts."""

    text: str
    user: str | None
    host: str
    port: int | None
    parameters: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Sample:
    """A request as it may come over the wire, and what must be read in it."""

    data: bytes
    method: str
    uri: Uri
    from_display: str
    from_uri: Uri
    from_tag: str
    call_id: str
    cseq: int
    branch: str
    sent_by: tuple[str, int | None]
    contacts: tuple[Uri, ...]
    body: bytes


@st.composite
def uris(draw: st.DrawFn) -> Uri:
    user, host, port = draw(st.none() | users), draw(hosts), draw(ports)
    parameters = tuple(draw(st.dictionaries(labels, st.none() | labels, max_size=3)).items())
    text = draw(schemes) + ":" + (f"{escaped(user)}@" if user is not None else "") + host
    text += f":{port}" if port is not None else ""
    text += "".join(f";{name}" + (f"={value}" if value is not None else "") for name, value in parameters)
    return Uri(text, user, host.strip("[]"), port, parameters)


@st.composite
def requests(draw: st.DrawFn) -> Sample:
    method, uri, from_uri, to_uri = draw(methods), draw(uris()), draw(uris()), draw(uris())
    display, tag, branch, call_id = draw(texts), draw(tokens), "z9hG4bK" + draw(tokens), draw(words)
    cseq, host, port = draw(st.integers(0, 2**31 - 1)), draw(hosts), draw(ports)
    contacts, body = draw(st.lists(uris(), max_size=3)), draw(st.binary(max_size=40))
    space = draw(spaces)
    sent_by = host + (f"{space}:{space}{port}" if port is not None else "")
    lines = [
        (["Via", "v", "VIA"], f"SIP/2.0/UDP {sent_by};{space}branch{space}={space}{branch}"),
        (["From", "f", "fRoM"], f"{quoted(display)}{space}<{from_uri.text}>{space};{space}tag{space}={space}{tag}"),
        (["To", "t"], f"<{to_uri.text}>"),
        (["Call-ID", "i", "CALL-ID"], call_id),
        (["CSeq", "cseq"], f"{cseq} {method}"),
        (["Content-Length", "l"], str(len(body))),
        (["X-Any"], draw(texts).strip() or "x"),
    ]
    if contacts:
        lines.append((["Contact", "m"], f"{space},{space}".join(f"<{contact.text}>" for contact in contacts)))
    head = f"{method} {uri.text} SIP/2.0\r\n"
    for names, value in draw(st.permutations(lines)):
        head += f"{draw(st.sampled_from(names))}{draw(st.sampled_from(['', ' ', chr(9)]))}:{space}{value}\r\n"
    return Sample(
        f"{head}\r\n".encode() + body, method, uri, display, from_uri, tag, call_id, cseq, branch,
        (host.strip("[]"), port), tuple(contacts), body,
    )  # fmt: skip
