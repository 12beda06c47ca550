"""Event sockets that the server opens itself: kept open for good, or one for each call.

What happens while a socket is down waits for it: at most MAX_WAITING_EVENTS events and MAX_WAITING_BYTES bytes. When
there is no more room the oldest events are dropped, and a warning says how many when the socket is up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from arietta.channels.channel import Channel
from arietta.config.ari import OutboundWebsocket, WebsocketClient
from arietta.config.references import resolve
from arietta.config.tree import Config
from arietta.http import WebSocketOptions, text_frame
from arietta.http.websocket_client import CannotConnect, ClientTls, Target, WebSocketClient, connect
from arietta.model import events
from arietta.model.times import wire_now
from arietta.server.api import AriApi, Requests
from arietta.stasis.applications import Application
from arietta.verbose import verbose

log = logging.getLogger(__name__)

MAX_WAITING_EVENTS = 10_000
MAX_WAITING_BYTES = 8 << 20
PING_INTERVAL_MS = 20_000
PERSISTENT, PER_CALL = "persistent", "per_call_config"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the configuration says about one socket."""

    name: str
    target: Target
    retry_ms: int
    attempts: int
    """For the socket of a call; a persistent one is tried for ever."""
    apps: tuple[str, ...]
    subscribe_all: bool
    read_only: bool

    def reconnects(self, other: Plan) -> bool:
        """Whether the socket of this plan has to be opened anew to be that of the other."""
        return replace(self.target, timeout_ms=0) != replace(other.target, timeout_ms=0)


class OutboundSocket:
    """One socket: events go out when it is up and wait while it is down, requests come in."""

    def __init__(self, api: AriApi, plan: Plan, names: tuple[str, ...], *, attempts: int | None = None) -> None:
        self.plan = plan
        self.names = names
        self.is_closed = False
        self.up: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """Whether the first connection came about; pending for ever if attempts are not counted and all fail."""
        self.on_lost: Callable[[], None] | None = None
        """Told when a socket that was up broke and all attempts to open it again failed."""
        self._api = api
        self._attempts = attempts
        self._connection: WebSocketClient | None = None
        self._requests: Requests | None = None
        self._gone: asyncio.Future[None] | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self.task = asyncio.get_running_loop().create_task(self._keep(), name=f"outbound WebSocket {plan.name}")

    @property
    def is_up(self) -> bool:
        """Whether it is connected now."""
        return self._connection is not None

    @property
    def application(self) -> Application:
        """The first of its applications."""
        return self._api.applications.need(self.names[0])

    # ---------------------------------------------------------------------------------------------------- events

    def send(self, payload: bytes) -> None:
        """Send one event, now or at the next connection."""
        connection = self._connection
        if connection is not None and connection.is_open:
            connection.send_frame(text_frame(payload))
            return
        self._waiting.append(payload)
        self._waiting_bytes += len(payload)
        while len(self._waiting) > MAX_WAITING_EVENTS or self._waiting_bytes > MAX_WAITING_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._dropped += 1

    def register(self, name: str) -> Application:
        """Take an application, from whoever has it."""
        return self._api.applications.register(name, self, subscribe_all=self.plan.subscribe_all, home=True)

    def tell(self, name: str, event: events.Event) -> None:
        """Send an event about an application to this socket, whoever has the application."""
        application = self._api.applications.get(name)
        if application is not None:
            application.send_last(self, event)

    # -------------------------------------------------------------------------------------------- the connection

    async def _keep(self) -> None:
        """Open the socket, and open it again whenever it is gone, until it is closed or all attempts failed."""
        failures = 0
        while True:
            try:
                await connect(self.plan.target, self._opened)
            except CannotConnect as problem:
                failures += 1
                level = logging.WARNING if failures == 1 else logging.DEBUG
                log.log(
                    level, "outbound WebSocket '%s': %s; tried every %d ms", self.plan.name, problem, self.plan.retry_ms
                )
                if self._attempts is not None and failures >= self._attempts:
                    self._give_up(failures)
                    return
            else:
                failures = 0
                if self._gone is not None:
                    await self._gone
                if self.is_closed:
                    return
            await asyncio.sleep(self.plan.retry_ms / 1000)

    def _give_up(self, failures: int) -> None:
        log.warning("outbound WebSocket '%s' is given up after %d attempts", self.plan.name, failures)
        if not self.up.done():
            self.up.set_result(False)
        elif self.on_lost is not None:
            self.on_lost()

    def _opened(self, connection: WebSocketClient) -> None:
        if self.is_closed:
            connection.close(1000)
            return
        verbose(2, f"Outbound WebSocket '{self.plan.name}' is connected to {self.plan.target.place}")
        self._connection = connection
        self._gone = asyncio.get_running_loop().create_future()
        requests = self._requests = Requests(self._api, connection, self.names[0], read_only=self.plan.read_only)
        connection.on_text = requests.take
        connection.on_closed = self._closed
        for name in self.names:
            self.register(name)
            self.tell(name, events.ApplicationRegistered(timestamp=wire_now()))
        if self._dropped:
            log.warning("outbound WebSocket '%s': %d events were dropped", self.plan.name, self._dropped)
        waiting, self._waiting, self._waiting_bytes, self._dropped = self._waiting, deque(), 0, 0
        for payload in waiting:
            connection.send_frame(text_frame(payload))
        if not self.up.done():
            self.up.set_result(True)

    def _closed(self, code: int, by: str) -> None:
        verbose(2, f"Outbound WebSocket '{self.plan.name}' closed ({code}, by {by})")
        if self._requests is not None:
            self._requests.drop()
        self._connection = self._requests = None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Give the applications back and close the socket; it is not opened again."""
        if self.is_closed:
            return
        self.is_closed = True
        for name in self.names:
            self._api.applications.release(name, self)
        if self._connection is not None:
            self._connection.close(code, reason)
        else:
            self.task.cancel()
        self._waiting.clear()

    async def ended(self, patience_s: float) -> None:
        """Wait for the end of a socket that was closed, at most so long; then drop it."""
        if self._gone is not None and not self._gone.done():
            await asyncio.wait((self._gone,), timeout=patience_s)
        if self._connection is not None:
            self._connection.abort()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    # ---------------------------------------------------------------------------------------------------- reload

    def change(self, plan: Plan) -> None:
        """Take a new plan that needs no new connection, and tell the application what became of its apps."""
        former, again = self.plan, self.plan.subscribe_all != plan.subscribe_all
        self.plan = plan
        for name in former.apps:
            if name not in plan.apps:
                self.tell(name, events.ApplicationUnregistered(timestamp=wire_now()))
            if name not in plan.apps or again:
                self._api.applications.release(name, self)
        self.names = plan.apps
        if self._requests is not None:
            self._requests.application = plan.apps[0]
            self._requests.read_only = plan.read_only
        for name in plan.apps:
            kept = name in former.apps
            if kept and not again and former.apps == plan.apps:
                continue
            self.register(name)
            event = events.ApplicationReplaced if kept else events.ApplicationRegistered
            self.tell(name, event(timestamp=wire_now()))


class OutboundSockets:
    """Every socket that the server opens to applications."""

    def __init__(self, api: AriApi) -> None:
        self._api = api
        self._persistent: dict[str, OutboundSocket] = {}
        self._plans: dict[str, Plan] = {}  # of sockets for calls, by the application
        self._living: set[OutboundSocket] = set()

    def configure(self, config: Config) -> None:
        """Open what is new, close what is gone, change the rest; sockets of calls stay as they are."""
        plans = {plan.name: plan for plan in _plans(config, PERSISTENT)}
        self._plans = {app: plan for plan in _plans(config, PER_CALL) for app in plan.apps}
        for name, socket in tuple(self._persistent.items()):
            plan = plans.get(name)
            if plan is None or socket.plan.reconnects(plan):
                for app in socket.names:
                    socket.tell(app, events.ApplicationUnregistered(timestamp=wire_now()))
                socket.close()
                del self._persistent[name]
        for name, plan in plans.items():
            known = self._persistent.get(name)
            if known is not None:
                known.change(plan)
                continue
            socket = self._persistent[name] = OutboundSocket(self._api, plan, plan.apps)
            self._keep(socket)
            for app in plan.apps:
                socket.register(app)

    def __iter__(self) -> Iterator[OutboundSocket]:
        return iter(tuple(self._living))

    async def open_for_call(self, channel: Channel, name: str) -> OutboundSocket | None:
        """Open the socket of a channel that enters `name`: NAME:CHANNELNAME is its application.

        In the owner of the channel. None if no such socket is configured, or nobody accepts it in as many attempts
        as the configuration allows.
        """
        plan = self._plans.get(name)
        if plan is None:
            return None
        own = f"{name}:{channel.name}"
        plan = replace(plan, name=f"{plan.name}:{channel.name}")
        socket = OutboundSocket(self._api, plan, (own,), attempts=plan.attempts)
        self._keep(socket)
        accepted = False
        try:
            accepted = await channel.until(socket.up)
        finally:
            if not accepted:
                socket.close()
        return socket if accepted else None

    def _keep(self, socket: OutboundSocket) -> None:
        def ended(task: asyncio.Task[None]) -> None:
            self._living.discard(socket)
            if not task.cancelled() and (failure := task.exception()) is not None:
                log.error("outbound WebSocket '%s' failed", socket.plan.name, exc_info=failure)
                socket.close(1011, "Internal error")

        self._living.add(socket)
        socket.task.add_done_callback(ended)

    async def stop(self, patience_s: float = 1.0) -> None:
        """Close every socket and wait for their ends."""
        living = tuple(self._living)
        for socket in living:
            socket.close(1001, "Server is stopping")
        await asyncio.gather(*(socket.ended(patience_s) for socket in living))
        self._persistent.clear()
        self._plans.clear()


def _plans(config: Config, kind: str) -> list[Plan]:
    """The sockets of one connection_type that the configuration asks for."""
    if not config.ari.general.enabled:
        return []
    found = []
    for socket in config.ari.outbound_websockets.values():
        client = config.websocket_clients.get(socket.websocket_client_id)
        if client is not None and client.connection_type == kind:
            found.append(_plan(config, socket, client))
    return found


def _plan(config: Config, socket: OutboundWebsocket, client: WebsocketClient) -> Plan:
    user = config.ari.users.get(socket.local_ari_user)
    return Plan(
        name=socket.name,
        target=target_of(config, client),
        retry_ms=client.reconnect_interval,
        attempts=max(1, client.reconnect_attempts),
        apps=tuple(dict.fromkeys(socket.apps)),
        subscribe_all=socket.subscribe_all,
        read_only=user is None or user.read_only,
    )


def target_of(config: Config, client: WebsocketClient) -> Target:
    """Where and how a section of websocket_client.conf connects."""

    def file(name: str) -> Path | None:
        return resolve(config, name) if name else None

    tls = None
    if client.tls_enabled or client.uri.startswith("wss://"):
        tls = ClientTls(
            ca_file=file(client.ca_list_file),
            ca_folder=file(client.ca_list_path),
            certificate=file(client.cert_file),
            private_key=file(client.priv_key_file),
            verify_certificate=client.verify_server_cert,
            verify_hostname=client.verify_server_hostname,
        )
    return Target(
        client.uri,
        subprotocols=client.protocols,
        username=client.username,
        password=client.password,
        tls=tls,
        timeout_ms=client.connection_timeout,
        options=WebSocketOptions(
            write_timeout_ms=config.ari.general.write_timeout_ms, ping_interval_ms=PING_INTERVAL_MS
        ),
    )
