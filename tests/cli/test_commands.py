"""What each command of the console prints."""

from __future__ import annotations

import asyncio
import logging
import re
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from arietta import verbose
from arietta.cli.commands import Command, CommandError, Commands, Console, Reply
from arietta.cli.switch import Originate
from arietta.config.conf import Problem

from .conftest import FakeSwitch, with_pjsip


def run(console: Console, line: str) -> Reply:
    return asyncio.run(console.commands.run(console, line))


def shown(console: Console, line: str) -> str:
    reply = run(console, line)
    assert reply.status == 0, reply.output
    return reply.output


def text(block: str) -> str:
    """A block without the margin it has in this file."""
    return "\n".join(line[8:] for line in block.strip("\n").split("\n")).rstrip()


GOLDEN = {
    "ari show status": """
        ARI Status:
        Enabled: Yes
        Output format: pretty
        Auth realm: Asterisk REST Interface
        Allowed Origins: http://localhost:8088
        User count: 1
        """,
    "ari show users": """
        r/o? Username
        ---- --------
        No   asterisk
        """,
    "ari show user asterisk": """
        Username: asterisk
        Read only?: No
        """,
    "ari show apps": """
        Application Name
        =========================
        hello-world

        1 application
        """,
    "ari show app hello-world": """
          Name:        hello-world
          Listening:   Yes
          Channels (1):
            1700000000.1
          Bridges (0):
          Endpoints (1):
            PJSIP/1001
          Devices (0):
        """,
    "http show status": """
        HTTP Server Status:
        Prefix:
        Server: Asterisk
        Server Enabled and Bound to 127.0.0.1:8088
        HTTPS Server Enabled and Bound to 127.0.0.1:8089

        Enabled URI's:
        /ari/... => Asterisk RESTful API
        /httpstatus => Asterisk HTTP General Status

        Enabled Redirects:
          None.
        """,
    "core show channels": """
        Channel              Location             State   Application(Data)
        PJSIP/1001-00000000  1000@default:3       Up      Stasis(hello-world,a)
        PJSIP/1002-00000001  1000@default:3       Up      AppDial2((Outgoing Line))
        Local/5@default-0000 1000@default:3       Ring    (None)
        3 active channels
        2 active calls
        7 calls processed
        """,
    "core show channels count": """
        3 active channels
        2 active calls
        7 calls processed
        """,
    "core show calls": """
        2 active calls
        7 calls processed
        """,
    "core show channels concise": """
        PJSIP/1001-00000000!default!1000!3!Up!Stasis!hello-world,a!1001!sales!!3!65!b-1!1700000000.1
        PJSIP/1002-00000001!default!1000!3!Up!AppDial2!(Outgoing Line)!1001!sales!!3!3725!b-1!1700000000.2
        Local/5@default-00000000;1!default!1000!3!Ring!(None)!!1001!sales!!3!1!(None)!1700000000.3
        """,
    "core show uptime": """
        System uptime: 1 day, 2 hours, 3 minutes, 4 seconds
        Last reload: 1 minute, 1 second
        """,
    "core show uptime seconds": """
        System uptime: 93784
        Last reload: 61
        """,
    "core show applications": """
        Answer                   Answer the call.
        Stasis                   Hand the channel to an ARI application.
            -= 2 applications registered =-
        """,
    "core show applications like STA": """
        Stasis                   Hand the channel to an ARI application.
            -= 1 application matching =-
        """,
    "core show application stasis": """
          -= Info about application 'Stasis' =-

        [Synopsis]
        Hand the channel to an ARI application.

        [Syntax]
        Stasis(app[,args])

        [Description]
        Waits until it is over.
        """,
    "core show functions": """
        LEN                      Length of a text.
            -= 1 function registered =-
        """,
    "core show function LEN()": """
          -= Info about function 'LEN' =-

        [Synopsis]
        Length of a text.

        [Syntax]
        LEN(text)
        """,
    "dialplan show default": """
        [ Context 'default' ]
          '1000' =>         1. NoOp()                                     [extensions.conf:9]
             [go]           2. Stasis(hello-world)                        [extensions.conf:10]
          '2001' =>         hint: PJSIP/1001
          Include =>        'other'

        -= 2 extensions (3 priorities) in 1 context. =-
        """,
    "dialplan show _X.@other": """
        [ Context 'other' ]
          '_X.' =>          1. Hangup()                                   [extensions.conf:14]

        -= 1 extension (1 priority) in 1 context. =-
        """,
    "pjsip show contacts": """
          Contact:  <Aor/ContactUri>                                       <Status>  <RTT(ms)> <Expires>
        ==========================================================================================
          Contact:  1001/sip:1001@127.0.0.1:5070                           Avail         1.250 3540 s
          Contact:  1002/sip:1002@10.0.0.9                                 NonQual         nan never

        Objects found: 2
        """,
    "pjsip show registrations": """
        <Registration/ServerURI>                         <Auth>           <Status>
        ================================================================================
        trunk/sip:sip.example.org                        trunk-auth       Registered (exp. 55 s)

        Objects found: 1
        """,
    "pjsip show transports": """
        Transport:  <TransportId>              <Type>   <BindAddress>
        ================================================================================
        Transport:  transport-udp              udp      127.0.0.1:5060

        Objects found: 1
        """,
    "core show hints": """
            -= Registered Asterisk Dial Plan Hints =-
                    2001@default : PJSIP/1001             State:InUse&Ringing   Presence:dnd             Watchers  2
                      2001@other : Custom:lamp            State:Idle            Presence:not_set         Watchers  0
        ----------------
        - 2 hints registered
        """,
    "core show hint 2001@other": """
                      2001@other : Custom:lamp            State:Idle            Presence:not_set         Watchers  0
        ----------------
        1 hint matching extension 2001@other
        """,
    "pjsip show subscriptions inbound": """
        Endpoint: <Endpoint>
        Resource: <Resource/Event>
          Expiry: <Expires in> <Call-ID>
        ================================================================================

        Endpoint: 1001
        Resource: 2001/presence
          Expiry: 590 s        call-7@10.0.0.2

        Endpoint: 1002
        Resource: 1002/message-summary;id=3
          Expiry: 60 s         call-8@10.0.0.3

        Objects found: 2
        """,
    "pjsip show subscriptions outbound": """
        No objects found. We subscribe to nothing elsewhere.
        """,
    "pjsip show bans": """
        <Source>                                     <Failures>   <Ends in>
        ====================================================================
        198.51.100.7                                 10           540 s

        Objects found: 1
        """,
    "pjsip show counters": """
        guard.limited                          7000
        requests                                 12
        """,
    "bridge show all": """
        Bridge-ID                            Chans Type            Technology      Name
        b-1                                  2     stasis          simple_bridge   talk
        """,
    "bridge show b-1": """
        Id:            b-1
        Name:          talk
        Type:          stasis
        Kind:          mixing
        Technology:    simple_bridge
        Creator:       Stasis
        Created:       2026-11-22T12:00:01.000+0000
        Num-Channels:  2
        Channel: PJSIP/1001-00000000
        Channel: PJSIP/1002-00000001
        """,
    "core show engine": """
        Media engine:              reference
        Not the native one:        the extension module was not built
        Threads:                   1
        Ports:                     5 open, 3 active
        Mixers:                    1
        Ticks:                     4000
        Late ticks, skipped:       2
        Time per tick:             12.5 µs
        Packets received:          1000
        Packets dropped:           7
        Packets lost:              4
        Packets sent:              900
        Send errors:               1
        Events dropped:            0
        Sound in memory:           1.2 MB
        """,
    "module show": """
        Module                         Description                                  Use Count  Status
        pbx_config.so                  Dialplan of files                            3          Running
        res_ari.so                     REST interface                               0          Running
        2 modules loaded
        """,
    "module show like ari": """
        Module                         Description                                  Use Count  Status
        res_ari.so                     REST interface                               0          Running
        1 module loaded
        """,
    "logger show channels": """
        Channel                                                      Type     Levels
        -------                                                      ----     ------
        console                                                      Console  notice, warning, error, verbose, dtmf
        """,
}


@pytest.mark.parametrize("line", GOLDEN)
def test_output(console: Console, line: str) -> None:
    assert shown(console, line) == text(GOLDEN[line])


def test_one_channel(console: Console) -> None:
    lines = shown(console, "core show channel PJSIP/1001-00000000").splitlines()
    assert lines[0] == " -- General --"
    for expected in (
        "  UniqueID:                  1700000000.1",
        "  Caller ID:                 1001",
        "  Connected Line ID:         (N/A)",
        "  State:                     Up",
        "  Codec:                     ulaw",
        "  Elapsed Time:              00:01:05",
        "  Answered Time:             00:01:00",
        "  Bridged To:                PJSIP/1002-00000001",
        "  Application:               Stasis",
        "  Data:                      hello-world,a",
        "  STASISSTATUS=",
    ):
        assert expected in lines


def test_verbose_channels_show_duration_and_bridge(console: Console) -> None:
    lines = shown(console, "core show channels verbose").splitlines()
    assert lines[0].split()[:4] == ["Channel", "Context", "Extension", "Prio"]
    assert lines[2].split()[-4:] == ["01:02:05", "sales", "sales", "b-1"]


def test_endpoints_show_their_auth_aor_contact_and_channel(console: Console) -> None:
    lines = shown(console, "pjsip show endpoints").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(" Endpoint:  1001/1001"))
    assert lines[at].split()[2:] == ["In", "use", "1", "of", "inf"]
    block = "\n".join(lines[at : lines.index("", at)])
    assert re.search(r"InAuth:  1001/1001", block)
    assert re.search(r"Aor:  1001 +\d", block)
    assert re.search(r"Contact:  1001/sip:1001@127.0.0.1:5070 +Avail +1\.250", block)
    assert re.search(r"Channel: PJSIP/1001-00000000 +Up +Stasis", block)
    assert "Identify:  demo-phone/demo-phone" in "\n".join(lines)


def test_one_endpoint_shows_every_option(console: Console) -> None:
    lines = shown(console, "pjsip show endpoint 1001").splitlines()
    assert " rtp_symmetric                      : true" in lines
    assert " allow                              : ulaw,alaw" in lines
    assert " aors                               : 1001" in lines


def test_nothing_is_found_where_nothing_is_configured(console: Console, switch: FakeSwitch) -> None:
    switch.config = with_pjsip(switch.config, endpoints={}, transports={}, aors={})
    for line in ("pjsip show endpoints", "pjsip show transports", "pjsip show aors"):
        assert shown(console, line) == "No objects found."


def test_version_and_settings_name_the_server(console: Console) -> None:
    assert shown(console, "core show version").startswith("Arietta ")
    settings = shown(console, "core show settings")
    assert "  Entity ID:                 02:00:00:00:00:01" in settings
    assert "  Media engine:              reference" in settings
    assert re.search(r"Run: +/var/state/arietta/demo-[0-9a-f]{8}/run", settings)


REFUSED = {
    "flag": "No such command 'flag' (type 'core show help flag' for other possible commands)",
    "core bogus now": "No such command 'core bogus now' (type 'core show help core' for other possible commands)",
    "core show channel": "Usage: core show channel NAME",
    "core show channel PJSIP/9-0": "PJSIP/9-0 is not a known channel",
    "core show channels sideways": "'sideways' is none of concise, verbose and count",
    "core show application Nonsense": "There is no dialplan application 'Nonsense'",
    "core set verbose 101": "level 101 is outside 0..100; it is 3",
    "core set debug ²": "level ² is outside 0..100; it is 0",
    "core show help bogus": "No command begins with 'bogus'",
    "ari show user nobody": "User 'nobody' not found",
    "ari show app nothing": "Application 'nothing' does not exist",
    "dialplan show nowhere": "There is no existence of 'nowhere' context",
    "dialplan show 9@default": "There is no extension '9' in context 'default'",
    "bridge show b-2": "Bridge 'b-2' not found",
    "core show hint 7": "No hint matches extension 7",
    "pjsip show endpoint 9": "Unable to find object 9.",
    "module show some ari": "'some ari' is not like WORD",
    "module reload res_fax.so": "No such module 'res_fax.so'",
    "channel request hangup PJSIP/9-0": "PJSIP/9-0 is not a known channel",
    "channel originate PJSIP application Echo": "'PJSIP' is not TECHNOLOGY/resource",
    "channel originate PJSIP/1 program Echo": "'program' is neither application nor extension",
    "channel originate PJSIP/1 extension 1@a b": "'b' is more than an extension needs",
    "channel originate Bogus/1 extension 1@a": "Allocation failed",
    'core show channel "x': "The line cannot be read: no closing quotation",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusal(console: Console, switch: FakeSwitch, line: str) -> None:
    assert run(console, line) == Reply(REFUSED[line], 1)
    assert switch.done == []


def test_the_server_ends_when_it_is_told_to(console: Console, switch: FakeSwitch) -> None:
    assert run(console, "core abort shutdown") == Reply("No shutdown waits for calls to end", 1)
    switch.done.clear()
    assert shown(console, "core stop when convenient").endswith("stops when there are none; 2 calls now.")
    assert "restarts after the last one" in shown(console, "core restart gracefully")
    assert "goes on" in shown(console, "core abort shutdown")
    shown(console, "core restart when convenient")
    shown(console, "core restart now")
    assert switch.done == [
        ("stop", "when convenient"),
        ("restart", "gracefully"),
        "abort",
        ("restart", "when convenient"),
        ("restart", "now"),
    ]


def test_who_gets_an_answer_has_waited_for_the_boot(console: Console) -> None:
    assert shown(console, "core waitfullybooted") == "Asterisk has fully booted."


def test_atleast_lowers_nothing(console: Console) -> None:
    shown(console, "core set verbose 5")
    assert shown(console, "core set verbose atleast 3") == "Console verbose is still 5."
    assert shown(console, "core set verbose atleast 7") == "Console verbose was 5 and is now 7."
    assert run(console, "core set verbose atmost 3").output == "'atmost' is not atleast"


def test_words_may_be_shortened_as_long_as_they_are_clear(console: Console) -> None:
    assert shown(console, "co sho up seconds") == shown(console, "core show uptime seconds")
    assert shown(console, "CORE SHOW CALLS") == shown(console, "core show calls")
    reply = run(console, "co s")
    assert reply.status == 1
    assert "core set verbose [atleast] LEVEL|off" in reply.output
    assert "core show version" in reply.output


def test_the_count_of_arguments_decides_between_two_commands() -> None:
    def answer(text: str):  # type: ignore[no-untyped-def]
        return lambda _console, _arguments: text

    commands = Commands(
        (
            Command(("show", "thing"), "", answer("one"), least=1, most=1),
            Command(("show", "things"), "", answer("all")),
            Command(("show", "thimbles"), "", answer("thimbles")),
        )
    )
    assert commands.find(["show", "thin", "x"])[0].name == "show thing"
    assert commands.find(["show", "things"])[0].name == "show things"
    with pytest.raises(CommandError, match="'sh thi' can mean: show thimbles, show things"):
        commands.find(["sh", "thi"])


def test_completion_of_words_and_values(console: Console) -> None:
    def complete(line: str) -> list[str]:
        return console.commands.complete(console, line)

    assert complete("cor") == ["core"]
    assert complete("core sh") == ["show"]
    assert complete("core show ch") == ["channel", "channels", "channeltype", "channeltypes"]
    assert complete("core show channel P") == ["PJSIP/1001-00000000", "PJSIP/1002-00000001"]
    assert complete("core show channel PJSIP/1001-00000000 ") == []
    assert complete("core show channels ") == ["concise", "count", "verbose"]
    assert complete("channel request hangup a") == ["all"]
    assert complete("channel originate ") == ["PJSIP/1001"]
    assert complete("channel originate PJSIP/1001 application S") == ["Stasis"]
    assert complete("dialplan show 1") == ["1000@default"]
    assert complete("module reload res_ari.so ") == ["pbx_config.so"]
    assert complete("help bri") == ["bridge"]
    assert "ari" in complete("")
    assert complete("bogus ") == []


def test_help_lists_all_and_explains_one(console: Console) -> None:
    everything = shown(console, "help").splitlines()
    assert len(everything) == len(list(console.commands))
    assert any(line.startswith("bridge show ID ") for line in everything)
    assert shown(console, "help core show version") == "Usage: core show version\n       Show the version."
    assert all(line.startswith("pjsip") for line in shown(console, "core show help pj").splitlines())


def test_every_command_has_a_summary_and_a_place(console: Console) -> None:
    for command in console.commands:
        assert command.summary.endswith(".")
        assert command.words == tuple(word.lower() for word in command.words)
        assert bool(command.syntax) == (command.most > 0), command.name


def test_levels(console: Console) -> None:
    assert shown(console, "core set verbose 5") == "Console verbose was 3 and is now 5."
    assert verbose.level() == 5
    assert shown(console, "core set verbose 5") == "Console verbose is still 5."
    assert shown(console, "core set verbose off") == "Console verbose was 5 and is now 0."
    assert shown(console, "core set debug 1") == "Core debug was 0 and is now 1."
    assert shown(console, "core set debug off") == "Core debug was 1 and is now 0."


def test_what_commands_do(console: Console, switch: FakeSwitch) -> None:
    assert shown(console, "channel request hangup PJSIP/1001-00000000") == "Requested hangup of PJSIP/1001-00000000."
    assert shown(console, "channel request hangup all") == "Requested hangup of 3 channels."
    assert shown(console, "channel originate PJSIP/1001 application Playback hello-world and more") == (
        "Calling PJSIP/1001 as PJSIP/1001-00000002."
    )
    shown(console, "channel originate Local/1@a extension 1000")
    shown(console, "pjsip unban 198.51.100.7")
    shown(console, "core stop now")
    assert "2 calls to go" in shown(console, "core stop gracefully")
    assert switch.done == [
        ("hang up", "1700000000.1"),
        *(("hang up", f"1700000000.{number}") for number in (1, 2, 3)),
        Originate("PJSIP/1001", application="Playback", data="hello-world and more"),
        Originate("Local/1@a", extension="1000", context="default"),
        ("unban", "198.51.100.7"),
        ("stop", "now"),
        ("stop", "gracefully"),
    ]


def test_reload(console: Console, switch: FakeSwitch) -> None:
    assert shown(console, "dialplan reload") == "Reloaded pbx_config.so.\n  extensions.conf: 2 contexts"
    shown(console, "module reload res_ari")
    shown(console, "module reload")
    assert shown(console, "core reload").startswith("Reloaded everything.")
    assert switch.done == [
        ("reload", ("pbx_config.so",)),
        ("reload", ("res_ari.so",)),
        ("reload", None),
        ("reload", None),
    ]


def test_logger_conf_is_read_again(console: Console, switch: FakeSwitch, tmp_path: Path, output: StringIO) -> None:
    (tmp_path / "logger.conf").write_text("[logfiles]\nconsole => error\nfull => notice\n")
    switch.config = msgspec.structs.replace(switch.config, directory=tmp_path)
    assert [line.split()[-2:] for line in shown(console, "logger reload").splitlines()[2:]] == [
        ["Console", "error"],
        ["File", "notice"],
    ]
    logging.getLogger("arietta").info("for the file")
    assert output.getvalue() == ""
    assert (tmp_path / "log" / "full").read_text().endswith("for the file\n")
    (tmp_path / "logger.conf").write_text("[logfiles]\nconsole => shouting\n")
    refused = run(console, "logger reload")
    assert refused.status == 1
    assert "logger.conf line 2" in refused.output


def test_a_broken_file_is_refused_with_its_place(console: Console, switch: FakeSwitch) -> None:
    switch.broken = (Problem("http.conf", 7, "error", "bindport 99999 is outside 1..65535"),)
    assert run(console, "core reload") == Reply(
        "The configuration is refused, the one in force stays:\n  http.conf line 7: bindport 99999 is outside 1..65535",
        1,
    )
