"""The typed tree: a whole folder, missing files, asterisk.conf, reloads."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from arietta.config.conf import ConfigError
from arietta.config.kinds import AccessRule, CallerId, HostPort, parse_network
from arietta.config.tree import Config, load, read

LAB = Path(__file__).parent / "data" / "lab"
HOME = {"HOME": "/home/ann"}


@pytest.fixture(scope="module")
def lab() -> Config:
    return load(LAB, HOME)


def test_http_and_ari(lab: Config) -> None:
    assert (lab.http.enabled, lab.http.bindaddr, lab.http.bindport, lab.http.sessionlimit) == (
        True,
        "127.0.0.1",
        8088,
        2000,
    )
    assert lab.ari.general.allowed_origins == ("http://a.example.com", "https://b.example.org:8443")
    assert lab.ari.general.channelvars == ("TRACK", "OTHER")
    assert lab.ari.general.auth_realm == "Asterisk REST Interface"
    writer, reader = lab.ari.users["writer"], lab.ari.users["reader"]
    assert (writer.read_only, writer.password_format, reader.read_only, reader.password_format) == (
        False,
        "plain",
        True,
        "crypt",
    )
    assert writer.access == (
        AccessRule(False, parse_network("0.0.0.0/0", "")),
        AccessRule(True, parse_network("127.0.0.0/8", "")),
    )
    assert writer.where == "ari.conf line 6"
    assert lab.ari.outbound_websockets["out"].apps == ("one", "two")
    assert lab.websocket_clients["out"].reconnect_interval == 1000


def test_pjsip(lab: Config) -> None:
    pjsip = lab.pjsip
    assert pjsip.general.endpoint_identifier_order == ("username", "ip")
    assert pjsip.general.max_forwards == 70
    assert (pjsip.system.timer_t1, pjsip.system.timer_b) == (400, 32000)
    assert pjsip.transports["transport-udp"].bind == HostPort("127.0.0.1", 5060)
    assert pjsip.transports["transport-tcp6"].bind == HostPort("::1", 5060)
    alice = pjsip.endpoints["alice"]
    assert alice.allow == ("ulaw", "alaw")
    assert alice.callerid == CallerId("Alice", "alice")
    assert alice.set_var == (("A", "1"), ("FUNC(x)", "y=z"))
    assert (alice.auth, alice.aors, alice.context, alice.direct_media) == (("alice",), ("alice",), "default", False)
    assert alice.call_group == (1, 2, 3)
    assert alice.identify_by == ("username", "ip")
    assert alice.where == "pjsip.conf line 25"
    assert (alice.at("context").line, alice.at("aors").line, alice.at("language").line) == (19, 27, 25)
    assert pjsip.endpoints["trunk"].allow == ("gsm",)
    assert pjsip.endpoints["trunk"].rel100 == "no"
    assert pjsip.aors["alice"].qualify_timeout == 0.8
    assert pjsip.aors["trunk"].contact == ("sip:127.0.0.1:5090", "sip:127.0.0.2")
    assert list(map(str, pjsip.identifies["trunk"].match)) == ["127.0.0.1/32", "10.0.0.0/8", "sip.example.com"]
    assert pjsip.registrations["trunk"].retry_interval == 60
    assert "phone" not in pjsip.endpoints, "a template is no endpoint"


def test_the_other_files(lab: Config) -> None:
    assert (lab.rtp.rtpstart, lab.rtp.rtpend, lab.rtp.strictrtp, lab.rtp.icesupport) == (20000, 20998, "yes", False)
    assert [context.name for context in lab.extensions.contexts] == ["default", "other"]
    steps = lab.extensions.contexts[0].options
    assert [(step.name, step.value, step.line) for step in steps] == [
        ("exten", "1000,1,Answer()", 9),
        ("same", "n,Stasis(lab,one;two)", 10),
    ]
    assert lab.extensions.contexts[1].where == "more-extensions.conf line 1"
    assert [(option.name, option.value) for option in lab.extensions.globals] == [
        ("GREETING", "hello"),
        ("OTHER", "world"),
    ]
    zone = lab.indications.zone()
    assert zone is not None and zone.tones["dial"] == "425" and zone.cadence_ms == (1000, 4000)
    assert lab.indications.zone("at") is zone
    assert lab.musiconhold.classes["list"].entry == ("one,with a comma", "two")
    assert lab.modules.noload == ("chan_sip.so", "res_xmpp.so")
    assert lab.modules.preload_require == ("res_odbc.so",)
    console, full = lab.logger.channels
    assert (console.levels, console.verbose_level, console.json) == (("warning", "error", "verbose"), 3, False)
    assert "security" in full.levels and full.json
    assert [mapping.wizard for mapping in lab.sorcery.wizards("endpoint")] == ["config", "memory"]
    assert lab.sorcery.wizards("contact")[0].cache
    assert (lab.asterisk.options.verbose, lab.asterisk.options.systemname) == (3, "lab")


def test_folders_of_a_configuration_folder_follow_xdg(lab: Config) -> None:
    assert lab.directories.etc == lab.directory == LAB
    assert lab.directories.log.parent.parent == Path("/home/ann/.local/state/arietta")
    assert lab.directories.log.parent.name.startswith("lab-")
    assert lab.directories.sounds == lab.directories.data / "sounds"
    moved = load(LAB, {"HOME": "/x", "XDG_STATE_HOME": "/state", "XDG_RUNTIME_DIR": "/run/user/7"}).directories
    assert moved.db.parent == Path("/state/arietta")
    assert moved.run.parent == Path("/run/user/7/arietta")


def test_an_asterisk_conf_names_the_folders(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "http.conf").write_text("[general]\nbindport=9\n")
    main = tmp_path / "asterisk.conf"
    main.write_text(f"[directories]\nastetcdir => {tmp_path}/etc\nastspooldir => {tmp_path}/spool\n")
    config = load(main, HOME)
    assert config.source == main, "what a reload reads again"
    assert config.http.bindport == 9
    assert config.directories.spool == tmp_path / "spool"
    assert config.directories.log == Path("/var/log/asterisk"), "the documented default"
    main.write_text("[directories]\nastetcdir => /nowhere/at/all\n")
    with pytest.raises(ConfigError, match=r"^asterisk.conf line 2: astetcdir /nowhere/at/all is not a folder$"):
        load(main, HOME)


def test_an_asterisk_conf_in_the_folder_overrides_some_of_them(tmp_path: Path) -> None:
    (tmp_path / "asterisk.conf").write_text("[directories]\nastdatadir => /srv/sounds\n")
    directories = load(tmp_path, HOME).directories
    assert directories.data == Path("/srv/sounds")
    assert directories.spool.is_relative_to("/home/ann")


def test_an_empty_folder_gives_the_documented_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, HOME)
    assert (config.http.enabled, config.http.bindport, config.http.session_keep_alive) == (False, 8088, 15000)
    assert (config.rtp.rtpstart, config.rtp.rtpend, config.rtp.probation) == (5000, 31000, 4)
    assert config.ari.users == {} and config.pjsip.endpoints == {}
    assert config.warnings == ()
    assert config.http.where == "the defaults"


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is neither a configuration folder nor an asterisk\.conf$"):
        load(tmp_path / "absent", HOME)


def test_exec_in_a_file_follows_asterisk_conf(tmp_path: Path) -> None:
    (tmp_path / "http.conf").write_text('[general]\n#exec "echo bindport=77"\n')
    with pytest.raises(ConfigError, match=r"^http.conf line 2: #exec echo bindport=77 is refused"):
        load(tmp_path, HOME)
    (tmp_path / "asterisk.conf").write_text("[options]\nexecincludes=yes\n")
    assert load(tmp_path, HOME).http.bindport == 77


def test_files_of_others_are_ignored_in_one_line(tmp_path: Path) -> None:
    for name in ("queues.conf", "followme.conf", "http.conf", "part.conf"):
        (tmp_path / name).write_text("")
    (tmp_path / "http.conf").write_text("#include part.conf\n")
    (warning,) = load(tmp_path, HOME).warnings
    assert str(warning) == f"{tmp_path}: files that this server does not read are ignored: followme.conf, queues.conf"


def test_a_broken_file_is_refused_whole_and_others_are_still_read(tmp_path: Path) -> None:
    (tmp_path / "http.conf").write_text("[general]\nbindport=99999\nenabled=perhaps\n")
    (tmp_path / "rtp.conf").write_text("nonsense\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, HOME)
    assert list(map(str, caught.value.problems)) == [
        "http.conf line 2: bindport 99999 is outside 1..65535",
        "http.conf line 3: enabled perhaps is neither yes nor no",
        "rtp.conf line 1: nonsense is neither a [section] nor NAME = VALUE",
    ]
    config, problems = read(tmp_path, HOME)
    assert config is not None and len(problems) == 3


def test_a_reload_is_a_new_tree_and_equal_where_nothing_changed(tmp_path: Path) -> None:
    for file in LAB.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    before = load(tmp_path, HOME)
    (tmp_path / "rtp.conf").write_text(
        "; a comment moves the lines\n[general]\nrtpstart=20000\nrtpend=20998\nicesupport=no\n"
    )
    (tmp_path / "http.conf").write_text("[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8090\n")
    after = load(tmp_path, HOME)
    assert after.rtp == before.rtp and after.rtp.where != before.rtp.where
    assert [after.rtp != before.rtp, after.http != before.http] == [False, True]
    assert after.pjsip == before.pjsip and after.ari == before.ari
    assert after.http != before.http
    assert before.http.bindport == 8088, "the old tree stays as it was"


def test_the_tree_is_frozen(lab: Config) -> None:
    with pytest.raises(AttributeError):
        lab.http.bindport = 1  # type: ignore[misc]


def test_loading_costs_little() -> None:
    best = 1.0
    for _ in range(5):
        before = time.process_time()
        load(LAB, HOME)
        best = min(best, time.process_time() - before)
    assert best < 0.010


def test_importing_the_tree_brings_no_heavy_modules() -> None:
    def modules(imported: str) -> set[str]:
        code = f"import sys, {imported}; print(*sys.modules)"
        return set(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        )

    heavy = {"dataclasses", "asyncio", "subprocess", "socket", "logging", "glob", "hashlib", "json"}
    assert not (modules("arietta.config.tree") - modules("msgspec, pathlib")) & heavy
