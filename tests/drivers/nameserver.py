"""A DNS server of the tests' own: it knows a zone, counts what it is asked, and may be silent."""

from __future__ import annotations

import asyncio
from collections import Counter

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset


class Nameserver(asyncio.DatagramProtocol):
    """Answers from `zone`: {"example.com SRV": ("10 0 5060 a.example.com.", ...)}; NXDOMAIN for names without any."""

    def __init__(self, zone: dict[str, tuple[str, ...]], *, ttl_s: int = 300, refusal_s: int = 60) -> None:
        self.zone = zone
        self.ttl_s = ttl_s
        self.refusal_s = refusal_s
        self.asked: Counter[str] = Counter()
        self.is_silent = False
        self._carrier: asyncio.DatagramTransport | None = None

    async def open(self, host: str, port: int = 53) -> int:
        """Bind; returns the port."""
        loop = asyncio.get_running_loop()
        self._carrier, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        return int(self._carrier.get_extra_info("sockname")[1])

    def close(self) -> None:
        assert self._carrier is not None
        self._carrier.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        pass

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = str(question.name).rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[f"{name} {kind}"] += 1
        if self.is_silent:
            return
        response = dns.message.make_response(query, recursion_available=True)
        records = self.zone.get(f"{name} {kind}", ())
        if records:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl_s, "IN", kind, *records))
        else:
            if not any(key.startswith(f"{name} ") for key in self.zone):
                response.set_rcode(3)  # NXDOMAIN
            soa = f"ns.example.com. me.example.com. 1 3600 600 86400 {self.refusal_s}"
            response.authority.append(dns.rrset.from_text("example.com.", self.refusal_s, "IN", "SOA", soa))
        assert self._carrier is not None
        self._carrier.sendto(response.to_wire(), addr)
