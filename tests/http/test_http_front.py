"""The front of /ari: the order of its checks, and how it words its refusals."""

from __future__ import annotations

import pytest
from http_kit import KEY, SmallApi, World, answers, basic, request, statuses, upgrade

from arietta.http import AclRule, FrontOptions, User
from arietta.http.front import origins_of
from arietta.http.mounts import MountTable, normalized_prefix
from arietta.http.user import acl_permits

PING = request("GET /ari/asterisk/ping")


def ask(line: str, *headers: str, auth: str | None = "asterisk:asterisk") -> tuple[int, bytes]:
    (answer,) = answers(World().client().ask(request(line, *headers, auth=auth)))
    return answer.status, answer.body


# 401


def test_the_challenge() -> None:
    (answer,) = answers(World().client().ask(request("GET /ari/asterisk/ping", auth=None)))
    assert answer.status == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="Asterisk REST Interface"'
    assert answer.body == b'{"message":"Authentication required"}'


def test_the_realm_is_configured() -> None:
    world = World(FrontOptions(realm="Somewhere"))
    (answer,) = answers(world.client().ask(request("GET /ari/x", auth=None)))
    assert answer["WWW-Authenticate"] == 'Basic realm="Somewhere"'


def test_authentication_comes_before_the_path() -> None:
    assert ask("GET /ari/nothing/here", auth=None)[0] == 401
    assert ask("BREW /ari/nothing/", auth=None)[0] == 401


# 403


@pytest.mark.parametrize(
    "line", ["POST /ari/channels", "DELETE /ari/channels/c", "POST /ari/nothing/here", "BREW /ari/x/"]
)
def test_a_reader_may_not_write_anywhere(line: str) -> None:
    assert ask(line, auth="reader:readerpw")[0] == 403


def test_a_reader_may_read_and_ask_for_options() -> None:
    assert ask("GET /ari/asterisk/ping", auth="reader:readerpw")[0] == 200
    assert ask("OPTIONS /ari/channels", auth="reader:readerpw")[0] == 204


def test_an_acl_keeps_a_user_to_its_networks() -> None:
    rules = (acl(False, "0.0.0.0/0"), acl(True, "10.0.0.0/8"), acl(False, "10.9.0.0/16"))
    world = World(users=(User("asterisk", "asterisk", acls=(rules,)),))
    found = [statuses(world.client(host).ask(PING)) for host in ("10.1.1.1", "10.9.1.1", "192.0.2.1")]
    assert found == [[200], [403], [403]]


def test_several_lists_have_to_be_passed_each() -> None:
    lists = ((acl(False, "0.0.0.0/0"), acl(True, "10.0.0.0/8")), (acl(False, "10.9.0.0/16"),))
    world = World(users=(User("asterisk", "asterisk", acls=lists),))
    found = [statuses(world.client(host).ask(PING)) for host in ("10.1.1.1", "10.9.1.1", "192.0.2.1")]
    assert found == [[200], [403], [403]]


def acl(permit: bool, network: str) -> AclRule:
    import ipaddress

    return AclRule(permit, ipaddress.ip_network(network))


@pytest.mark.parametrize(
    ("host", "permitted"),
    [("::ffff:10.1.1.1", True), ("::ffff:192.0.2.1", False), ("2001:db8::1", True), ("fe80::1%eth0", True), ("", True)],
)
def test_acls_and_addresses_of_both_families(host: str, permitted: bool) -> None:
    assert acl_permits((acl(False, "0.0.0.0/0"), acl(True, "10.0.0.0/8")), host) is permitted


# 404, 405, OPTIONS


@pytest.mark.parametrize("path", ["/nothing", "/asterisk/ping/", "/", "/Asterisk/ping", "/channels/"])
def test_unknown_paths_and_trailing_slashes_are_404_in_json(path: str) -> None:
    status, body = ask(f"GET /ari{path}")
    assert status == 404 and body.startswith(b'{"message":"')


@pytest.mark.parametrize("line", ["POST /ari/nothing", "OPTIONS /ari/nothing", "BREW /ari/asterisk/"])
def test_the_path_comes_before_the_method(line: str) -> None:
    assert ask(line)[0] == 404


@pytest.mark.parametrize(
    ("line", "allow"),
    [
        ("GET /ari", "OPTIONS"),
        ("GET /ari/asterisk", "OPTIONS"),
        ("DELETE /ari/channels", "OPTIONS,GET,POST"),
        ("PATCH /ari/channels", "OPTIONS,GET,POST"),
        ("DELETE /ari/events", "OPTIONS"),
    ],
)
def test_other_methods_are_405_with_allow(line: str, allow: str) -> None:
    (answer,) = answers(World().client().ask(request(line)))
    assert (answer.status, answer["Allow"], answer.body) == (405, allow, b'{"message":"Invalid method"}')


def test_options() -> None:
    (answer,) = answers(World().client().ask(request("OPTIONS /ari/channels")))
    assert (answer.status, answer["Allow"], answer.body) == (204, "OPTIONS,GET,POST", b"")


def test_pretty_errors() -> None:
    (answer,) = answers(World(FrontOptions(pretty=True)).client().ask(request("GET /ari/nothing")))
    assert answer.body == b'{\n  "message": "Resource not found"\n}'


# CORS

ORIGIN = "Origin: http://ari.example.com"
CORS = FrontOptions(allowed_origins=origins_of(["http://ari.example.com", " https://panel.example.org:8443", ""]))


@pytest.mark.parametrize(
    ("line", "auth", "status"),
    [
        ("GET /ari/asterisk/ping", "asterisk:asterisk", 200),
        ("GET /ari/asterisk/ping", None, 401),
        ("GET /ari/nothing", "asterisk:asterisk", 404),
        ("POST /ari/asterisk/ping", "asterisk:asterisk", 405),
    ],
)
def test_an_allowed_origin_is_told_so_on_every_answer(line: str, auth: str | None, status: int) -> None:
    (answer,) = answers(World(CORS).client().ask(request(line, ORIGIN, auth=auth)))
    names = [name for name, _ in answer.headers]
    assert answer.status == status
    assert answer["Access-Control-Allow-Origin"] == "http://ari.example.com"
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert names.index("Access-Control-Allow-Origin") == names.index("Cache-Control") + 1


@pytest.mark.parametrize("origin", ["http://ARI.example.com", "http://evil.example.com", "null"])
def test_other_origins_get_a_plain_answer(origin: str) -> None:
    data = World(CORS).client().ask(request("GET /ari/asterisk/ping", f"Origin: {origin}"))
    assert statuses(data) == [200] and b"Access-Control" not in data


def test_a_star_allows_every_origin() -> None:
    world = World(FrontOptions(allowed_origins=frozenset("*")))
    (answer,) = answers(world.client().ask(request("GET /ari/asterisk/ping", "Origin: http://x")))
    assert answer["Access-Control-Allow-Origin"] == "http://x"


def test_a_preflight() -> None:
    headers = (ORIGIN, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: Content-Type, X-A")
    (answer,) = answers(World(CORS).client().ask(request("OPTIONS /ari/channels", *headers)))
    assert answer.status == 204
    assert answer["Access-Control-Allow-Methods"] == "OPTIONS,GET,POST"
    assert answer["Access-Control-Allow-Headers"] == "Content-Type, X-A"
    assert statuses(World(CORS).client().ask(request("OPTIONS /ari/channels", *headers, auth=None))) == [401]


@pytest.mark.parametrize("method", ["DELETE", "post"])
def test_a_preflight_for_a_method_the_resource_has_not(method: str) -> None:
    headers = (ORIGIN, f"Access-Control-Request-Method: {method}", "Access-Control-Request-Headers: A")
    data = World(CORS).client().ask(request("OPTIONS /ari/channels", *headers))
    assert statuses(data) == [204] and b"Access-Control-Allow-Methods" not in data
    assert b"Access-Control-Allow-Headers" not in data


def test_a_preflight_of_an_unknown_origin() -> None:
    data = World(CORS).client().ask(request("OPTIONS /ari/channels", "Access-Control-Request-Method: POST"))
    assert b"Access-Control" not in data


# Around /ari


@pytest.mark.parametrize("line", ["GET /", "GET /nothing", "POST /nothing", "GET /ariel", "OPTIONS *"])
def test_outside_of_ari_is_404_in_html(line: str) -> None:
    (answer,) = answers(World().client().ask(request(line)))
    assert (answer.status, answer["Content-type"]) == (404, "text/html")
    assert answer["Cache-Control"] == "no-cache, no-store"


def test_a_prefix_moves_everything() -> None:
    world = World()
    world.server.handler = MountTable({"/ari": world.front}, prefix="asterisk/")
    client = world.client()
    assert statuses(client.ask(PING)) == [404]
    assert statuses(client.ask(request("GET /asterisk/ari/asterisk/ping"))) == [200]
    assert [normalized_prefix(text) for text in ("", "/", "a", "/a/b/")] == ["", "", "/a", "/a/b"]


def test_redirects() -> None:
    world = World()
    world.server.handler = MountTable({"/ari": world.front}, redirects={"/": "/static/index.html"})
    (answer,) = answers(world.client().ask(request("GET /")))
    assert (answer.status, answer["Location"]) == (302, "/static/index.html")


def test_the_longest_mount_wins() -> None:
    world, inner = World(), World()
    world.server.handler = MountTable({"/ari": world.front, "/ari/inner": inner.front})
    world.client().ask(request("POST /ari/inner/echo") + request("POST /ari/innermost/echo"))
    assert [seen.rest for seen in inner.api.seen] == ["/echo"]
    assert [seen.rest for seen in world.api.seen] == ["/innermost/echo"]


# The handshake


def test_a_good_handshake_byte_for_byte() -> None:
    assert World().client().ask(upgrade("Sec-WebSocket-Protocol: ari")) == (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"Upgrade: websocket\r\n"
        b"Connection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        b"Sec-WebSocket-Protocol: ari\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize(
    ("headers", "protocol"),
    [
        ((), None),
        (("Sec-WebSocket-Protocol: other, ari",), "ari"),
        (("Sec-WebSocket-Protocol: other", "Sec-WebSocket-Protocol: ari"), "ari"),
        (("Sec-WebSocket-Extensions: permessage-deflate",), None),
    ],
)
def test_subprotocols_and_extensions(headers: tuple[str, ...], protocol: str | None) -> None:
    world = World()
    (answer,) = answers(world.client().ask(upgrade(*headers)))
    assert (answer.status, answer["Sec-WebSocket-Protocol"]) == (101, protocol)
    assert answer["Sec-WebSocket-Extensions"] is None
    assert world.api.sockets[0].subprotocol == protocol


@pytest.mark.parametrize("version", ["7", "8", "13"])
def test_versions(version: str) -> None:
    data = upgrade(f"Sec-WebSocket-Version: {version}", without="Sec-WebSocket-Version")
    assert statuses(World().client().ask(data)) == [101]


@pytest.mark.parametrize(
    "data",
    [
        upgrade("Sec-WebSocket-Version: 6", without="Sec-WebSocket-Version"),
        upgrade(without="Sec-WebSocket-Version"),
        upgrade(without="Sec-WebSocket-Key"),
        upgrade("Sec-WebSocket-Protocol: other"),
    ],
    ids=["version", "no version", "no key", "protocol"],
)
def test_a_bad_handshake_is_400_with_the_versions(data: bytes) -> None:
    client = World().client()
    (answer,) = answers(client.ask(data))
    assert (answer.status, answer["Sec-WebSocket-Version"], answer.body) == (400, "7, 8, 13", b"")
    assert answer["Content-type"] is None
    assert statuses(client.ask(PING)) == [200]


def test_a_missing_app_is_400_in_html_with_the_versions() -> None:
    (answer,) = answers(World().client().ask(upgrade(target="/ari/events")))
    assert (answer.status, answer["Content-type"]) == (400, "text/html")
    assert answer["Sec-WebSocket-Version"] == "7, 8, 13"


@pytest.mark.parametrize(
    "data",
    [
        request("GET /ari/events?app=a"),
        request("GET /ari/events?app=a", "Upgrade: h2c", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}"),
        request("GET /ari/events?app=a", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}"),
    ],
)
def test_events_without_an_upgrade_are_426_in_html(data: bytes) -> None:
    client = World().client()
    (answer,) = answers(client.ask(data))
    assert (answer.status, answer["Content-type"]) == (426, "text/html") and answer["Upgrade"] is None
    assert statuses(client.ask(PING)) == [200]


def test_the_upgrade_is_echoed_as_it_was_written() -> None:
    data = upgrade().replace(b"Upgrade: websocket", b"Upgrade: WebSocket")
    (answer,) = answers(World().client().ask(data.replace(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade")))
    assert (answer.status, answer["Upgrade"], answer["Connection"]) == (101, "WebSocket", "Upgrade")


def test_who_may_open_a_socket() -> None:
    def status(auth: str) -> list[int]:
        return statuses(World().client().ask(upgrade(auth=auth)))

    assert (status("reader:readerpw"), status("asterisk:wrong")) == ([101], [401])


def test_an_api_key_opens_a_socket() -> None:
    data = upgrade(target="/ari/events?api_key=asterisk:asterisk&app=a").replace(basic().encode() + b"\r\n", b"")
    assert statuses(World().client().ask(data)) == [101]


def test_a_websocket_elsewhere_is_404() -> None:
    world = World()
    assert statuses(world.client().ask(upgrade(target="/ari/nothing") + PING)) == [404, 200]


def test_an_api_that_describes_a_path_itself() -> None:
    class Documents(SmallApi):
        def allowed_methods(self, path: str) -> tuple[str, ...] | None:
            return ("OPTIONS", "GET")

    world = World()
    world.front.api = Documents()
    (answer,) = answers(world.client().ask(request("PUT /ari/any")))
    assert answer["Allow"] == "OPTIONS,GET"
