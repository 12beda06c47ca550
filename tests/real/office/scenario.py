"""What a phone does, written as a scenario of sipp: pieces in the order in which they happen.

Each piece may count on those before it: a call is made or taken first, then both ends of its dialog are known.
"""

from __future__ import annotations

ALAW = """
v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
CALLER = "<sip:[number]@[remote_ip]>;tag=[pid]-[call_number]"
CONTACT = "Contact: <sip:[number]@[local_ip]:[local_port];transport=[transport]>"
PROVISIONAL = "".join(f'<recv response="{status}" optional="true"/>\n' for status in (100, 180, 183))


def scenario(name: str, *pieces: str) -> str:
    """The whole file."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{"".join(pieces)}</scenario>\n'


# --------------------------------------------------------------------------------------------- what a phone does


def registers() -> str:
    """Register, and be called from now on where it registered from."""
    first, second = (
        _request("REGISTER sip:[remote_ip]:[remote_port]", CALLER, "<sip:[number]@[remote_ip]>", cseq, CONTACT, *proof)
        for cseq, proof in ((1, ()), (2, ("[authentication]",)))
    )
    return first + _gets(401, auth=True) + second + _gets(200)


def calls(extension: str, *headers: str) -> str:
    """Call an extension, prove who it is, and be answered."""
    return _invites(extension, *headers) + PROVISIONAL + _gets(200, ends=("me", "them")) + _asks("ACK", 2)


def calls_in_vain(extension: str, status: int) -> str:
    """Call an extension, prove who it is, and be told no."""
    return _invites(extension) + PROVISIONAL + _gets(status) + _acks_refusal(extension, 2)


def calls_and_gives_up(extension: str, after_ms: int) -> str:
    """Call an extension, prove who it is, and give up while it rings."""
    rings = '<recv response="100" optional="true"/>\n' + _gets(180) + talks(after_ms)
    cancel = _request(f"CANCEL {_at_server(extension)}", CALLER, f"<{_at_server(extension)}>", 2)
    return _invites(extension) + rings + cancel + _gets(200) + _gets(487) + _acks_refusal(extension, 2)


def is_called() -> str:
    """Wait for a call, and ring."""
    return '<recv request="INVITE" rrs="true"/>\n' + _answer("180 Ringing", tagged=True)


def answers(after_ms: int = 0) -> str:
    """Answer the call that rings."""
    return talks(after_ms) + _answer("200 OK", body=ALAW, tagged=True) + _hears("ACK", _ends("them", "me"))


def refuses(status: str) -> str:
    """Say no to the call that rings."""
    return _answer(status, tagged=True) + _hears("ACK")


def is_cancelled() -> str:
    """Stop ringing: the caller gave up, or another phone was faster."""
    return (
        _hears("CANCEL")
        + _answer("200 OK", tagged=True)
        + _answer("487 Gone", tagged=True, of="INVITE")
        + _hears("ACK")
    )


def talks(ms: int) -> str:
    """Let some time go by."""
    return f'<pause milliseconds="{ms}"/>\n' if ms else ""


def transfers_to(refer_to: str, progress: tuple[int, ...] = (100, 200)) -> str:
    """Send whom it talks to elsewhere, and hear how it goes: well in the end."""
    told = "".join(
        _hears(
            "NOTIFY",
            f'<ereg regexp="SIP/2.0 {status} " search_in="msg" check_it="true" assign_to="told{status}"/>'
            f'<log message="[$told{status}]"/>',
        )
        + _answer("200 OK")
        for status in progress
    )
    return _asks("REFER", 3, CONTACT, f"Refer-To: {refer_to}") + _gets(202) + told


def is_shown(number: str) -> str:
    """Be told with whom it talks from now on (RFC 3325), in a re-INVITE."""
    name = f"shown{number}"
    checks = (
        f'<ereg regexp="sip:{number}@" search_in="hdr" header="P-Asserted-Identity:" check_it="true" '
        f'assign_to="{name}"/><log message="[${name}]"/>'
    )
    return _hears("INVITE", checks) + _answer("200 OK", body=ALAW) + _hears("ACK")


def hangs_up() -> str:
    """End the call."""
    return _asks("BYE", 4) + _gets(200)


def is_hung_up() -> str:
    """Wait until the switch ends the call."""
    return _hears("BYE", '<log message="[$me] [$them]"/>') + _answer("200 OK")


# ------------------------------------------------------------------------------------------------- the messages


def _at_server(extension: str) -> str:
    return f"sip:{extension}@[remote_ip]:[remote_port]"


def _invites(extension: str, *headers: str) -> str:
    """INVITE, its 401, and INVITE once more."""
    challenged = PROVISIONAL + _gets(401, auth=True) + _acks_refusal(extension, 1)
    return _invite(extension, 1, *headers) + challenged + _invite(extension, 2, *headers, "[authentication]")


def _invite(extension: str, cseq: int, *headers: str) -> str:
    target = _at_server(extension)
    return _request(f"INVITE {target}", CALLER, f"<{target}>", cseq, CONTACT, *headers, body=ALAW)


def _acks_refusal(extension: str, cseq: int) -> str:
    return _request(f"ACK {_at_server(extension)}", CALLER, "[last_To:]", cseq)


def _asks(method: str, cseq: int, *headers: str) -> str:
    """A request of the call that goes on."""
    return _request(f"{method} [next_url]", "[$me]", "[$them]", cseq, *headers)


def _request(start: str, from_: str, to: str, cseq: int, *headers: str, body: str = "") -> str:
    method = start.split()[0]
    of_invite = f"-{start.split()[0]}" if method not in ("ACK", "CANCEL") or "next_url" in start else "-INVITE"
    lines = (
        f"{start} SIP/2.0",
        f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-{cseq}{of_invite}",
        "Max-Forwards: 70",
        f"From: {from_}",
        to if to.startswith("[last") else f"To: {to}",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        *headers,
    )
    return _send(lines, body, repeats=method not in ("ACK", "CANCEL"))


def _answer(status: str, *, tagged: bool = False, body: str = "", of: str = "") -> str:
    lines = (
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:];tag=[pid]-[call_number]" if tagged else "[last_To:]",
        "[last_Call-ID:]",
        f"CSeq: [cseq] {of}" if of else "[last_CSeq:]",
        CONTACT,
    )
    return _send(lines, body, repeats=bool(body))


def _send(lines: tuple[str, ...], body: str, *, repeats: bool) -> str:
    headers = (
        (*lines, "Content-Type: application/sdp", "Content-Length: [len]") if body else (*lines, "Content-Length: 0")
    )
    start = '<send retrans="500">' if repeats else "<send>"
    return start + "<![CDATA[\n" + "\n".join(headers) + "\n" + (body or "\n") + "]]></send>\n"


def _gets(status: int, *, auth: bool = False, ends: tuple[str, str] | None = None) -> str:
    """A response, with the ends of the dialog: its From and its To."""
    more = ' auth="true"' if auth else ' rrs="true"' if ends else ""
    return f'<recv response="{status}"{more}>{_action(_ends(*ends) if ends else "")}</recv>\n'


def _hears(method: str, action: str = "") -> str:
    """A request of the switch."""
    return f'<recv request="{method}">{_action(action)}</recv>\n'


def _action(action: str) -> str:
    return f"<action>{action}</action>" if action else ""


def _ends(from_: str, to: str) -> str:
    """Keep the ends of the dialog for the requests to come."""
    return "".join(
        f'<ereg regexp="&lt;.*" search_in="hdr" header="{header}:" check_it="true" assign_to="{name}"/>'
        for header, name in (("From", from_), ("To", to))
    )
