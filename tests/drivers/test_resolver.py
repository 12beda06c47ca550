"""The resolver alone: a nameserver of our own on the virtual network, and one on loopback."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from arietta.config.resolver import ResolverSettings
from arietta.drivers.sip.resolver import MAX_KEPT, Resolver
from arietta.sip.locating import Naptr, Question
from arietta.sip.uri import parse_uri
from arietta.testing.loop import VirtualLoop

from .nameserver import Nameserver

DNS = ("10.0.0.53", 53)
ZONE = {
    "example.com NAPTR": ('10 10 "s" "SIP+D2U" "" _sip._udp.example.com.',),
    "_sip._udp.example.com SRV": ("20 0 5062 b.example.com.", "10 0 5061 a.example.com."),
    "a.example.com A": ("10.0.0.7",),
    "b.example.com A": ("10.0.0.8",),
}


def resolver_on(loop: VirtualLoop, **more: str) -> Resolver:
    return Resolver(ResolverSettings(nameserver=(DNS,), **more), loop, Counter())


def shown(targets: tuple[object, ...]) -> list[str]:
    return [f"{t.protocol} {t.host}:{t.port}" for t in targets]  # type: ignore[attr-defined]


def test_a_domain_becomes_its_servers_and_is_asked_for_once() -> None:
    loop, server = VirtualLoop(), Nameserver(ZONE)

    async def story() -> None:
        await server.open(*DNS)
        resolver = resolver_on(loop)
        uri = parse_uri("sip:example.com")
        both = await asyncio.gather(*(resolver.targets(uri, ("UDP", "TCP"), (4,)) for _ in range(3)))
        assert [shown(one) for one in both] == [["UDP 10.0.0.7:5061", "UDP 10.0.0.8:5062"]] * 3
        assert set(server.asked.values()) == {1}
        await asyncio.sleep(200)
        await resolver.targets(uri, ("UDP", "TCP"), (4,))
        assert set(server.asked.values()) == {1}
        await asyncio.sleep(101)  # the TTL is 300
        await resolver.targets(uri, ("UDP", "TCP"), (4,))
        assert set(server.asked.values()) == {2}
        server.close()

    loop.run(story())
    loop.close()


def test_a_record_of_a_telephone_number_says_how_it_is_rewritten() -> None:
    rule = r"!^\\+44(.*)$!sip:\\1@example.com!"
    loop, server = VirtualLoop(), Nameserver({"4.4.e164.arpa NAPTR": (f'10 20 "u" "E2U+sip" "{rule}" .',)})

    async def story() -> None:
        await server.open(*DNS)
        (found,) = await resolver_on(loop).records(Question("NAPTR", "4.4.e164.arpa"))
        assert found == Naptr(10, 20, "u", "E2U+sip", "", r"!^\+44(.*)$!sip:\1@example.com!")
        server.close()

    loop.run(story())
    loop.close()


def test_what_is_not_there_is_remembered_as_long_as_its_zone_says() -> None:
    loop, server = VirtualLoop(), Nameserver(ZONE, refusal_s=60)

    async def story() -> None:
        await server.open(*DNS)
        resolver = resolver_on(loop)
        for _ in range(2):
            assert await resolver.records(Question("A", "nobody.example.com")) == ()
        assert server.asked["nobody.example.com A"] == 1
        await asyncio.sleep(61)
        assert await resolver.records(Question("A", "nobody.example.com")) == ()
        assert server.asked["nobody.example.com A"] == 2
        server.close()

    loop.run(story())
    loop.close()


def test_a_silent_server_costs_a_bounded_time_and_names_of_the_network_work() -> None:
    loop, server = VirtualLoop(), Nameserver(ZONE)
    loop.network.names["gw.example.com"] = "10.0.0.9"
    server.is_silent = True

    async def story() -> None:
        await server.open(*DNS)
        resolver = resolver_on(loop)
        began = loop.time()
        assert shown(await resolver.targets(parse_uri("sip:gw.example.com:5060"), ("UDP",), (4,))) == [
            "UDP 10.0.0.9:5060"
        ]
        assert 4 < loop.time() - began <= 5.5
        assert resolver.counters["dns.failures"] == 1
        server.close()

    loop.run(story())
    loop.close()


def test_the_hosts_file_comes_first(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("10.9.9.9 PBX pbx.example.com # ours\nnot-an-address x\n2001:db8::9 pbx\n")
    loop, server = VirtualLoop(), Nameserver(ZONE)

    async def story() -> None:
        await server.open(*DNS)
        resolver = resolver_on(loop, hosts=str(hosts))
        found = await resolver.targets(parse_uri("sip:pbx:5060"), ("UDP",), (4, 6))
        assert shown(found) == ["UDP 10.9.9.9:5060", "UDP 2001:db8::9:5060"]
        assert not server.asked
        server.close()

    loop.run(story())
    loop.close()


def test_what_is_kept_is_bounded() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        resolver = Resolver(ResolverSettings(), loop, Counter())
        for number in range(MAX_KEPT + 50):
            await resolver.records(Question("SRV", f"n{number}.example.com"))
        assert len(resolver._kept) == MAX_KEPT and not resolver._asked
        assert await resolver.records(Question("A", "x" * 300)) == ()

    loop.run(story())
    loop.close()


def test_a_server_on_loopback_is_asked_over_real_sockets() -> None:
    async def story() -> None:
        server = Nameserver({**ZONE, "v6.example.com AAAA": ("2001:db8::5",)})
        port = await server.open("127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        resolver = Resolver(ResolverSettings(nameserver=(("127.0.0.1", port),)), loop, Counter())
        assert shown(await resolver.targets(parse_uri("sip:example.com"), ("UDP",), (4,))) == [
            "UDP 10.0.0.7:5061",
            "UDP 10.0.0.8:5062",
        ]
        hosts, ttl_s = await resolver.hosts("example.com", with_services=True)
        assert set(hosts) == {"10.0.0.7", "10.0.0.8"} and 0 < ttl_s <= 300
        await resolver.stop()
        server.close()

    asyncio.run(story())
