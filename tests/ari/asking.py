"""An in-memory server to ask: every part of the domain notes what it was asked, and answers as it is told."""

import json
from typing import Any

from arietta.ari.dispatch import Api, Response
from arietta.ari.domain import Domain
from arietta.ari.projections import ApiDocuments
from arietta.ari.resources import build
from arietta.errors import Refused
from arietta.model import snapshots

NOW = "2026-11-22T00:04:17.123+0000"
PARTS = (
    "applications",
    "bridges",
    "channels",
    "device_states",
    "endpoints",
    "mailboxes",
    "playbacks",
    "recordings",
    "sounds",
    "system",
)


class Part:
    """One part of the domain: `answers` by method name; a Refused among them is raised."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        def method(*values: Any) -> Any:
            self.asked.append((name, *values))
            answer = self.answers.get(name, self.answers.get("*"))
            if isinstance(answer, Refused):
                raise answer
            return answer(*values) if callable(answer) else answer

        return method

    def last(self) -> tuple[Any, ...]:
        """The latest question."""
        return self.asked[-1]


class Server:
    """An Api on such a domain."""

    def __init__(self, documents: ApiDocuments | None = None, *, pretty: bool = False) -> None:
        self.parts = {name: Part() for name in PARTS}
        self.domain = Domain(**self.parts)  # type: ignore[arg-type]
        self.api = Api(build(self.domain), documents, pretty=pretty)

    def __getattr__(self, name: str) -> Part:
        return self.parts[name]

    def ask(
        self,
        request: str,
        *,
        json_body: Any = ...,
        form: str | None = None,
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """The answer to `METHOD /path?query`, whether it has to be waited for or not."""
        method, _, target = request.partition(" ")
        path, _, query = target.partition("?")
        if json_body is not ...:
            body, content_type = json.dumps(json_body).encode(), content_type or "application/json"
        elif form is not None:
            body, content_type = form.encode(), "application/x-www-form-urlencoded"
        answer = self.api.handle(Asked(method, path, query, content_type, body))
        return run(answer) if hasattr(answer, "__await__") else answer


class Asked:
    """A request as a carrier would hand it over."""

    def __init__(self, method: str, rest: str, query: str, content_type: str | None, body: bytes) -> None:
        self.method = method
        self.rest = rest
        self.query_string = query
        self.headers = {"host": "pbx.example:8088"} | ({"content-type": content_type} if content_type else {})
        self.body = body


def run(awaitable: Any) -> Any:
    """What a coroutine that waits for nothing outside comes to."""
    steps = awaitable.__await__()
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def body_of(answer: Response) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.body)


def channel(channel_id: str = "c1") -> snapshots.Channel:
    """A channel to show."""
    return snapshots.Channel(
        id=channel_id,
        name="PJSIP/6001-00000000",
        state="Up",
        protocol_id="",
        caller=snapshots.CallerID("", ""),
        connected=snapshots.CallerID("", ""),
        accountcode="",
        dialplan=snapshots.DialplanCEP("default", "1000", 2, "Stasis", "a"),
        creationtime=NOW,
        language="en",
    )


def bridge(bridge_id: str = "b1") -> snapshots.Bridge:
    """A bridge to show."""
    return snapshots.Bridge(
        id=bridge_id,
        technology="simple_bridge",
        bridge_type="mixing",
        bridge_class="stasis",
        creator="Stasis",
        name="",
        channels=[],
        creationtime=NOW,
        video_mode="talker",
    )


def playback(playback_id: str = "p1") -> snapshots.Playback:
    """A playback to show."""
    return snapshots.Playback(
        id=playback_id, media_uri="sound:hello-world", target_uri="channel:c1", language="en", state="queued"
    )


def recording(name: str = "r1") -> snapshots.LiveRecording:
    """A recording to show."""
    return snapshots.LiveRecording(name=name, format="wav", state="recording", target_uri="channel:c1")


def application(name: str = "a") -> snapshots.Application:
    """An application to show."""
    return snapshots.Application(
        name=name,
        channel_ids=[],
        bridge_ids=[],
        endpoint_ids=[],
        device_names=[],
        events_allowed=[],
        events_disallowed=[],
    )
