"""SIP objects of run time: made, read, changed, deleted, kept, and in force for the next REGISTER and call."""

import asyncio
import logging
import socket
import sqlite3
import stat
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from arietta.ari.behaviour.dynamic import CHANGEABLE, DynamicConfig, attributes
from arietta.config.conf import parse_conf
from arietta.config.endpoint import Endpoint
from arietta.config.init import write_initial
from arietta.config.kinds import AccessRule
from arietta.config.pjsip import TYPES, PjsipSettings, read_pjsip
from arietta.config.settings import Report
from arietta.config.system import SorcerySettings, read_sorcery
from arietta.config.tree import load
from arietta.errors import BadRequest, Forbidden, NotFound, Refused
from arietta.server import Server
from arietta.store import Store
from arietta.testing.phone import Phone

PJSIP = """
[transport-udp]
type=transport
bind=127.0.0.1:5060
[6001]
type=endpoint
allow=ulaw,alaw
aors=6001
callerid="Alice Six" <6001>
[6001]
type=aor
max_contacts=1
[6001]
type=auth
username=6001
password=pass6001
"""
MEMORY = "[res_pjsip]\nendpoint=config,pjsip.conf,criteria=type=endpoint\nendpoint=memory\naor=memory\nauth=astdb\n"


def pjsip(text: str = PJSIP) -> PjsipSettings:
    report = Report()
    read = read_pjsip(parse_conf(text, "pjsip.conf"), report)
    assert not [problem for problem in report.problems if problem.severity == "error"]
    return read


def sorcery(text: str = "") -> SorcerySettings:
    return read_sorcery(parse_conf(text, "sorcery.conf"), Report())


OPEN: list[Store] = []


def memory() -> Store:
    """A store in memory, closed after the test."""
    OPEN.append(Store(None))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def stores() -> Iterator[None]:
    """Close what the test opened."""
    yield
    while OPEN:
        OPEN.pop().close()


class Stage:
    """Objects with a store in memory; `applied` is what the SIP driver was given, in order."""

    def __init__(self, rules: str = "", store: Store | None = None) -> None:
        self.store = store or memory()
        self.applied: list[PjsipSettings] = []
        self.objects = DynamicConfig(self.store, pjsip(), sorcery(rules), self.applied.append)

    def put(self, what: str, *fields: tuple[str, str] | None) -> dict[str, str]:
        object_type, _, name = what.partition("/")
        given = None if fields == (None,) else [field for field in fields if field is not None]
        made = self.objects.update("res_pjsip", object_type, name, given)
        return {one.attribute: one.value for one in made}

    def get(self, what: str) -> dict[str, str]:
        object_type, _, name = what.partition("/")
        return {one.attribute: one.value for one in self.objects.get("res_pjsip", object_type, name)}

    def delete(self, what: str) -> None:
        self.objects.delete("res_pjsip", *what.split("/"))

    def refusal(self, what: str, *fields: tuple[str, str] | None) -> str:
        """How a PUT is refused; nothing may have changed by it."""
        before = len(self.applied)
        with pytest.raises(Refused) as refused:
            self.put(what, *fields)
        assert len(self.applied) == before
        return f"{refused.value.status} {refused.value.message}"


def test_an_object_is_made_changed_and_deleted() -> None:
    stage = Stage()
    assert stage.put("aor/desk", ("max_contacts", "3"))["max_contacts"] == "3"
    assert stage.put("aor/desk", ("qualify_frequency", "60"))["max_contacts"] == "3"
    assert stage.get("aor/desk")["qualify_frequency"] == "60"
    assert [applied.aors["desk"].qualify_frequency for applied in stage.applied] == [0, 60]
    assert stage.applied[-1].aors["6001"].max_contacts == 1
    stage.delete("aor/desk")
    assert "desk" not in stage.applied[-1].aors
    with pytest.raises(NotFound):
        stage.get("aor/desk")
    with pytest.raises(NotFound):
        stage.delete("aor/desk")


def test_every_attribute_is_shown_as_asterisk_spells_it() -> None:
    stage = Stage()
    shown = stage.get("endpoint/6001")
    assert (shown["100rel"], shown["direct_media"], shown["rtp_symmetric"]) == ("yes", "true", "false")
    assert (shown["allow"], shown["disallow"], shown["callerid"]) == ("(ulaw|alaw)", "", '"Alice Six" <6001>')
    assert stage.put("endpoint/new")["callerid"] == "<unknown>"
    assert stage.get("aor/6001")["qualify_timeout"] == "3.000000"
    assert stage.get("transport/transport-udp")["bind"] == "127.0.0.1:5060"
    assert stage.get("auth/6001")["password"] == "pass6001"
    assert "type" not in shown
    assert stage.get("global/global")["max_forwards"] == "70"


def test_lists_of_variables_and_networks_are_shown_one_by_one() -> None:
    stage = Stage()
    made = stage.objects.update("res_pjsip", "endpoint", "e", [("set_var", "A=1"), ("set_var", "B=2")])
    assert [one.value for one in made if one.attribute == "set_var"] == ["A=1", "B=2"]
    stage.put("endpoint/e", ("set_var", "C=3"))
    assert stage.applied[-1].endpoints["e"].set_var == (("C", "3"),)
    shown = stage.put("identify/i", ("endpoint", "e"), ("match", "192.0.2.0/24,192.0.2.7"))
    assert shown["match"] == "192.0.2.0/24,192.0.2.7/32"
    rules = (AccessRule(False, ip_network("0.0.0.0/0")), AccessRule(True, ip_network("::1")))
    texts = {one.attribute: one.value for one in attributes(Endpoint(access=rules))}
    assert (texts["permit"], texts["deny"]) == ("::1/128", "0.0.0.0/0")


def test_codecs_are_changed_as_in_a_file() -> None:
    stage = Stage()
    assert stage.put("endpoint/e", ("disallow", "all"), ("allow", "ulaw,gsm"))["allow"] == "(ulaw|gsm)"
    assert stage.put("endpoint/e", ("disallow", "gsm"))["allow"] == "(ulaw)"
    assert stage.put("endpoint/e", ("allow", "alaw"))["allow"] == "(ulaw|alaw)"
    assert stage.put("endpoint/e", ("disallow", "all"))["allow"] == "(nothing)"


@pytest.mark.parametrize(
    ("what", "fields", "refusal"),
    [
        ("aor/a", [("nonsense", "5")], "400 'nonsense' is not an attribute of a aor"),
        ("aor/a", [("max_contacts", "many")], "400 max_contacts many is not a whole number in 0..2147483647"),
        ("aor/a", [("contact", "desk")], "400 contact desk does not begin with sip: or sips:"),
        ("aor/a", [("minimum_expiration", "9000")], "400 minimum_expiration 9000 is above maximum_expiration 7200"),
        ("aor/a", [("type", "auth")], "400 type is 'auth', not aor"),
        ("auth/a", [("username", "a")], "400 auth [a] has no password"),
        ("endpoint/a", [("t38_udptl", "yes")], "400 t38_udptl=yes is not supported by this version"),
        ("endpoint/a", [("from_user", "a\r\nX: y")], "400 the value of from_user holds a control character"),
        ("endpoint/a\n", [], "400 'a\\n' cannot be the id of a endpoint"),
        ("registration/r", [("server_uri", "sip:x")], "400 client_uri without value does not begin with sip: or sips:"),
        ("transport/t", [("bind", "127.0.0.1")], "403 transport objects are changed in pjsip.conf, not at run time"),
        ("contact/c", [], "403 contact objects are changed in pjsip.conf, not at run time"),
        ("endpoint/6001", [("context", "x")], "403 endpoint '6001' is written in pjsip.conf, where it is changed"),
        ("nonsense/a", [], "404 there is no configuration res_pjsip/nonsense"),
    ],
)
def test_what_is_refused_changes_nothing(what: str, fields: list[tuple[str, str]], refusal: str) -> None:
    assert Stage().refusal(what, *fields) == refusal


def test_a_change_without_fields_is_refused_and_a_new_object_without_is_not() -> None:
    stage = Stage()
    assert stage.put("aor/a", None)["max_contacts"] == "0"
    assert stage.refusal("aor/a", None).startswith("400 aor 'a' exists")
    with pytest.raises(NotFound):
        stage.objects.update("res_nonsense", "aor", "a", [])
    with pytest.raises(Forbidden):
        stage.delete("aor/6001")


def test_secrets_are_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stage = Stage()
    fields = [("auth_type", "md5"), ("username", "a"), ("password", "Hunter2"), ("md5_cred", "Hunter2")]
    assert "Hunter2" not in stage.refusal("auth/a", *fields)
    assert "Hunter2" not in stage.refusal("auth/a", *fields[1:3], ("nonsense", "Hunter2"))
    stage.put("auth/a", *fields[1:3])
    assert "Hunter2" not in caplog.text


# -- where objects are kept --------------------------------------------------------------------------------------------


def test_objects_outlive_the_process_unless_sorcery_keeps_them_in_memory() -> None:
    store = memory()
    stage = Stage(MEMORY, store)
    stage.put("aor/a", None)
    stage.put("endpoint/a", ("aors", "a"))
    stage.put("auth/a", ("username", "a"), ("password", "secret"))
    later = Stage(MEMORY, store).objects.settings
    assert "a" in later.auths and "a" not in later.aors and "a" not in later.endpoints
    stage.delete("auth/a")
    assert "a" not in Stage(MEMORY, store).objects.settings.auths


def test_types_that_sorcery_does_not_name_are_read_only() -> None:
    stage = Stage(MEMORY)
    assert stage.refusal("identify/i", ("endpoint", "6001")).startswith("403")
    own = Stage("[res_pjsip_endpoint_identifier_ip]\nidentify=memory\n")
    own.put("identify/i", ("endpoint", "6001"), ("match", "192.0.2.1"))
    assert own.refusal("aor/a", None).startswith("403")
    assert Stage("[res_pjsip]\naor=config,pjsip.conf\n").refusal("aor/a", None).startswith("403")


def test_what_was_kept_and_cannot_be_read_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    store = memory()
    Stage("", store).put("aor/good", None)
    store.put("pjsip aor", "bad", [["max_contacts", "many"]])
    aors = Stage("", store).objects.settings.aors
    assert "good" in aors and "bad" not in aors
    assert "the aor 'bad' kept from an earlier run is left out" in caplog.text


def test_another_pjsip_conf_keeps_them_and_wins_over_them() -> None:
    stage = Stage()
    stage.put("aor/a", ("max_contacts", "3"))
    assert stage.objects.configure(pjsip(), sorcery()).aors["a"].max_contacts == 3
    written = PJSIP + "[a]\ntype=aor\nmax_contacts=7\n"
    assert stage.objects.configure(pjsip(written), sorcery()).aors["a"].max_contacts == 7
    assert stage.refusal("aor/a", ("max_contacts", "4")).startswith("403")


def test_only_the_owner_reads_the_store(tmp_path: Path) -> None:
    path = tmp_path / "state" / "kept.sqlite3"
    store = Store(path)
    Stage("", store).put("auth/a", ("username", "a"), ("password", "secret"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    store.close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT family, key FROM records").fetchall() == [("pjsip auth", "a")]
    database.close()


# -- properties --------------------------------------------------------------------------------------------------------

VALUES = st.sampled_from(["", "yes", "7", "all", "a,b", "sip:a@b", "\0"])


def puts(object_type: str) -> st.SearchStrategy[tuple[str, list[tuple[str, str]]]]:
    names = sorted({one.attribute for one in attributes(TYPES[object_type][1]())})
    return st.tuples(st.just(object_type), st.lists(st.tuples(st.sampled_from(names), VALUES), max_size=3))


@given(st.sampled_from(CHANGEABLE).flatmap(puts))
@example(("aor", [("contact", "sip:a@b"), ("max_contacts", "7")]))
@settings(max_examples=150, deadline=None)
def test_any_put_is_taken_or_refused_and_what_is_shown_can_be_put_again(
    put: tuple[str, list[tuple[str, str]]],
) -> None:
    object_type, fields = put
    stage = Stage()
    try:
        stage.objects.update("res_pjsip", object_type, "x", fields)
    except BadRequest:
        assert not stage.applied
        return
    made = getattr(stage.applied[-1], TYPES[object_type][0])["x"]
    shown = [(one.attribute, one.value) for one in attributes(made)]
    stage.objects.update("res_pjsip", object_type, "again", shown)
    again = getattr(stage.applied[-1], TYPES[object_type][0])["again"]
    assert attributes(again) == attributes(made)


# -- in force at once --------------------------------------------------------------------------------------------------


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.real
def test_a_phone_registers_and_calls_as_soon_as_its_objects_exist(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    sip = free_port(socket.SOCK_DGRAM)
    write_initial(folder, http_port=free_port(socket.SOCK_STREAM), sip_port=sip)
    with (folder / "extensions.conf").open("a") as dialplan:
        dialplan.write("\n[made]\nexten => 9,1,Answer()\n same => n,Wait(60)\n")

    def put(server: Server, object_type: str, *fields: tuple[str, str]) -> None:
        server.objects.update("res_pjsip", object_type, "desk", fields)

    async def story() -> None:
        server = Server(load(folder, {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}))
        await server.start()
        phone = await Phone.open(username="desk", password="secret", server=("127.0.0.1", sip))
        try:
            await phone.register(expect=401)
            put(server, "auth", ("username", "desk"), ("password", "secret"))
            put(server, "aor", ("max_contacts", "1"))
            put(server, "endpoint", ("context", "made"), ("allow", "ulaw"), ("aors", "desk"), ("auth", "desk"))
            assert server.domain.endpoints.get("PJSIP", "desk").state == "offline"  # type: ignore[union-attr]
            await phone.register()
            assert server.domain.endpoints.get("PJSIP", "desk").state == "online"  # type: ignore[union-attr]
            call = await (await phone.invite("9")).answered()
            server.reload()
            assert server.domain.endpoints.get("PJSIP", "desk").state == "online"  # type: ignore[union-attr]
            server.objects.delete("res_pjsip", "endpoint", "desk")
            await call.hang_up()
            await phone.register(expect=401)
        finally:
            await phone.close()
            await server.stop(0.0)

    asyncio.run(story())
