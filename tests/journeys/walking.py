"""A walk through the operations, sensible and senseless ones, that keeps its own picture of the server by events alone.

python -m tests.journeys.walking 0 100      # seeds 0 to 99, 150 steps each
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from arietta.ari.contract import Operation, Parameter, operations
from arietta.ari.resources import RESOURCES
from arietta.ari.validate import event_problems, response_problems
from arietta.server import Server
from arietta.testing import AriClient, Call, Phone, Unexpected, VirtualLoop
from arietta.testing.switch import start

from .conftest import FILES, PASSWORD, SERVER
from .leftovers import assert_nothing_left, assert_nothing_open

T = TypeVar("T")
Choose = Callable[[Sequence[Any]], Any]
Event = dict[str, Any]

OPERATIONS: tuple[Operation, ...] = tuple(
    operation for resource in RESOURCES for operation in operations(resource) if operation.upgrade is None
)
MAKING: tuple[Operation, ...] = tuple(
    operation
    for operation in OPERATIONS
    if operation.method == "POST" and operation.path.split("/")[1] in ("bridges", "channels", "recordings")
)
"""Those that make channels and bridges, and bring them to do something."""
WAITING = frozenset({"answer", "redirect", "addChannel", "removeChannel"})
"""Those that wait for their turn behind a playback, which may be a tone that never ends."""

APP = "walk"
ENDPOINTS = (
    "PJSIP/alice",
    "PJSIP/bob",
    "PJSIP/nobody",
    "Local/1000@default",
    "Local/1200@default/n",
    "Local/1300@default",
    "Local/nothing@default",
    "Local/@",
    "Nothing/x",
    "PJSIP",
    "",
)
JUNK = ("", " ", "x", "0", "-1", "99999999999", "a,b", "é☎", "a" * 200, "%00", "null", "..", "true")
VALUES: Mapping[str, Sequence[Any]] = {
    "endpoint": ENDPOINTS,
    "app": (APP, "other", "gone", ""),
    "appArgs": ("", "a", "a,b"),
    "applicationName": (APP, "other", "gone"),
    "application": (APP, "other", "gone"),
    "extension": ("1000", "1200", "s", "nowhere"),
    "context": ("default", "nowhere"),
    "priority": (1, 2, 0, -1, "n"),
    "label": ("again", "1", "0"),
    "callerId": ('"Al" <1>', "2", "<>"),
    "timeout": (1, 5, 30, 0, -1, "abc"),
    "formats": ("ulaw", "ulaw,alaw", "nothing", ","),
    "format": ("ulaw", "slin16", "wav", "sln", "gsm", "nothing"),
    "media": ("sound:beep", "sound:hello-world", "sound:none", "tone:ring", "number:12", "recording:r1", "x", ""),
    "lang": ("en", "de", ""),
    "offsetms": (0, 100, -1),
    "skipms": (500, 0, -1),
    "operation": ("restart", "pause", "unpause", "reverse", "forward", "stop"),
    "name": ("r1", "r2", "folder/r3", "../r4", "", "a room"),
    "recordingName": ("r1", "r2", "folder/r3", "../r4", "nothing"),
    "destinationRecordingName": ("r2", "r5", "../r6", "folder/r7", ""),
    "maxDurationSeconds": (0, 1, 2, -1),
    "maxSilenceSeconds": (0, 1, -1),
    "ifExists": ("fail", "overwrite", "append", "wrong"),
    "terminateOn": ("none", "any", "#", "x"),
    "announcer_format": ("ulaw", "nothing"),
    "recorder_format": ("slin16", "nothing"),
    "direction": ("in", "out", "both", "none", ""),
    "dtmf": ("1", "12#", "x", ""),
    "before": (0, 100, -1),
    "between": (50, 0),
    "duration": (100, 0, -1),
    "after": (0, 100),
    "mohClass": ("default", "nothing"),
    "type": ("mixing", "holding", "dtmf_events,mixing", "proxy_media", "video_sfu", "nothing", ""),
    "role": ("participant", "announcer", "x"),
    "reason": ("normal", "busy", "no_answer", "nothing"),
    "reason_code": ("16", "17", "abc", "0"),
    "spy": ("in", "out", "both", "none", "x"),
    "whisper": ("in", "out", "both", "none"),
    "external_host": ("10.0.0.9:9000", "nowhere", "10.0.0.9:0", "10.0.0.9:99999", ""),
    "encapsulation": ("rtp", "none", "audiosocket", "x"),
    "transport": ("udp", "tcp", "websocket", "x"),
    "connection_type": ("client", "server", "x"),
    "states": ("channel_progress", "channel_answered", "channel_unavailable", "channel_declined", "x"),
    "variable": ("A", "_B", "__C", "CALLERID(num)", "CHANNEL(name)", "GLOBAL(G)", "NOTHING(x)", "A(", "${X}", ""),
    "variables": ("A,B", "A", ",", "CHANNEL(state)"),
    "value": ("1", "", "a b", "${A}"),
    "report_events": (True, False, "x"),
    "deviceName": ("Stasis:a", "Stasis:b", "PJSIP/alice", "stasis:", "x"),
    "deviceState": ("BUSY", "inuse", "UNKNOWN", "x", ""),
    "mailboxName": ("m1", "m2", "m1@default"),
    "oldMessages": (0, 1, -1),
    "newMessages": (0, 3, "x"),
    "tech": ("PJSIP", "pjsip", "Local", "Nothing"),
    "resource": ("alice", "bob", "nobody"),
    "to": ("pjsip:alice", "pjsip:sip:1@10.0.0.9", "x", ""),
    "from": ("sip:walk@10.0.0.1", "x", ""),
    "refer_to": ("sip:1@10.0.0.9", "pjsip:bob", ""),
    "body": ("hello", ""),
    "eventName": ("happened", " "),
    "only": ("build", "build,system", "x", ""),
    "moduleName": ("func_math.so", "res_ari.so", "chan_pjsip.so", "nothing.so", "nothing"),
    "logChannelName": ("walk", "console", "../x"),
    "configuration": ("notice,warning", "verbose", "nothing", ""),
    "configClass": ("res_pjsip", "nothing"),
    "objectType": ("endpoint", "auth", "aor", "identify", "contact", "nothing"),
    "id": ("alice", "new", "newer"),
    "soundId": ("beep", "nothing"),
    "subscribeAll": (True,),
}
BODIES: Mapping[str, Sequence[Any]] = {
    "variables": (
        {},
        {"A": "1"},
        {"A": {"value": "2", "report_events": True}, "CALLERID(name)": "Walker"},
        {"A": 1},
        {"A": {}},
        ["A"],
        "A",
        None,
    ),
    "fields": (
        [],
        [{"attribute": "context", "value": "default"}, {"attribute": "allow", "value": "ulaw"}],
        [{"attribute": "auth_type", "value": "userpass"}, {"attribute": "username", "value": "u"}],
        [{"attribute": "max_contacts", "value": "2"}],
        [{"attribute": "nothing", "value": "x"}],
        [{"attribute": "context"}],
        "x",
        None,
    ),
    "filter": (
        {},
        {"allowed": []},
        {"allowed": [{"type": "RESTResponse"}]},
        {"allowed": [{}]},
        {"allowed": "x"},
        [],
        None,
    ),
}


class Picture:
    """What somebody who only reads events knows of the server."""

    def __init__(self) -> None:
        self.channels: dict[str, Event] = {}
        self.bridges: dict[str, Event] = {}
        self.playbacks: dict[str, Event] = {}
        self.recordings: dict[str, Event] = {}
        self.known_channels: list[str] = []
        self.known_bridges: list[str] = []
        self.known_playbacks: list[str] = []

    def take(self, event: Event) -> None:
        """Change the picture as an event says."""
        kind = event["type"]
        if kind == "ChannelDestroyed":
            self.channels.pop(event["channel"]["id"], None)
        elif kind == "ChannelCreated":
            self.channels[event["channel"]["id"]] = event["channel"]
            self.known_channels.append(event["channel"]["id"])
        elif kind == "BridgeCreated":
            self.bridges[event["bridge"]["id"]] = event["bridge"]
            self.known_bridges.append(event["bridge"]["id"])
        elif kind == "BridgeDestroyed":
            self.bridges.pop(event["bridge"]["id"], None)
        elif kind in ("PlaybackStarted", "PlaybackContinuing"):
            self.playbacks[event["playback"]["id"]] = event["playback"]
            self.known_playbacks.append(event["playback"]["id"])
        elif kind == "PlaybackFinished":
            self.playbacks.pop(event["playback"]["id"], None)
        elif kind == "RecordingStarted":
            self.recordings[event["recording"]["name"]] = event["recording"]
        elif kind in ("RecordingFinished", "RecordingFailed"):
            self.recordings.pop(event["recording"]["name"], None)
        for name in ("channel", "peer", "caller", "forwarded", "replace_channel"):
            shown = event.get(name)
            if isinstance(shown, dict) and shown.get("id") in self.channels:
                self.channels[shown["id"]] = shown
        shown = event.get("bridge")
        if isinstance(shown, dict) and shown.get("id") in self.bridges:
            self.bridges[shown["id"]] = shown


class Walk:
    """One walk: a server of its own, two phones, an application that hears everything and one that comes and goes."""

    files: Mapping[str, str] = FILES
    """The configuration of the server."""

    def __init__(self, choose: Choose, folder: Path, seed: int = 0) -> None:
        self.choose = choose
        self.loop = VirtualLoop(seed=seed)
        self.before = asyncio.all_tasks(self.loop)
        self.folder = folder
        self.picture = Picture()
        self.calls: list[Call] = []
        self.ringing: list[Call] = []
        self.problems: list[str] = []
        self.story: list[str] = []
        self._seen = 0
        self._names = 0
        self._stack = AsyncExitStack()
        self._errors = _Errors()
        logging.getLogger("arietta").addHandler(self._errors)
        self.server: Server = self.loop.run(self._open())

    async def _open(self) -> Server:
        for name, text in self.files.items():
            (self.folder / name).write_text(text)
        server = await start(self.folder)
        self._stack.push_async_callback(server.stop, drain_seconds=0)
        self.phones = [
            await self._stack.enter_async_context(
                await Phone.open(host, 5060, username=name, password=PASSWORD, server=SERVER, name=name)
            )
            for name, host in (("alice", "10.0.0.2"), ("bob", "10.0.0.3"))
        ]
        for phone in self.phones:
            await phone.register()
            phone.on_invite = self._rings
        self.ari = await self._stack.enter_async_context(AriClient("127.0.0.1", 8088))
        await self.ari.connect(APP, subscribe_all=True)
        self.other = await self._stack.enter_async_context(AriClient("127.0.0.1", 8088))
        return server

    def _rings(self, call: Call) -> None:
        self.calls.append(call)
        what = self.choose(("answer", "answer", "ring", "busy"))
        if what == "answer":
            call.answer()
        elif what == "ring":
            call.ring()
            self.ringing.append(call)
        else:
            call.reject(486)

    # ------------------------------------------------------------------------------------------------------- steps

    def ask(self, operation: Operation) -> None:
        """One operation with parameters that may be right."""
        path = operation.path
        query: dict[str, Any] = {}
        body: dict[str, Any] = {}
        for parameter in operation.parameters:
            if parameter.where == "path":
                value = str(self._value(parameter)) or "x"
                path = path.replace("{" + parameter.name + "}", quote(value, safe=""))
                continue
            given = self.choose((True, True, True, False)) if parameter.enforced else self.choose((True, False))
            if not given:
                continue
            if parameter.where == "body":
                value = self.choose(BODIES[parameter.name])
                if parameter.whole and isinstance(value, dict):
                    body.update(value)
                else:
                    body[parameter.name] = value
            else:
                (query if self.choose((True, True, False)) else body)[parameter.name] = self._value(parameter)
        if operation.nickname == "filter" and path.startswith(f"/applications/{APP}/"):
            return  # it would not hear everything any more
        self.story.append(f"{operation.method} {path} {query or ''} {json.dumps(body) if body else ''}")
        try:
            reply = self.loop.run(self.ari.request(operation.method, path, query=query, body=body or None))
        except TimeoutError:
            self.story[-1] += " no answer"
            if operation.nickname not in WAITING:
                self.problems.append(self.story[-1])
            return
        self.story[-1] += f" -> {reply.status}"
        self.problems += response_problems(operation, reply.status, reply.body)
        if reply.status == 500 and b"Internal Server Error" in reply.body:
            self.problems.append(f"{self.story[-1]}: {self._errors.take()}")

    def _value(self, parameter: Parameter) -> Any:
        """A value for a parameter: one that lives, one that did, one that is plausible, or junk."""
        if self.choose(range(12)) == 0:
            return self.choose(JUNK)
        name = parameter.name
        picture = self.picture
        if name in ("channelId", "channel", "originator", "caller"):
            if parameter.where == "path" or name in ("channel", "originator", "caller"):
                value = self._one(picture.channels, picture.known_channels)
                return f"{value},{self._one(picture.channels, [])}" if name == "channel" and self._rarely() else value
            return self._new("c") if self.choose((True, True, False)) else self._one(picture.channels, [])
        if name in ("otherChannelId", "snoopId"):
            return self._new("o")
        if name == "bridgeId":
            alive = self._one(picture.bridges, picture.known_bridges)
            return alive if parameter.where == "path" and self.choose((True, True, False)) else self._new("b")
        if name == "playbackId":
            return self._one(picture.playbacks, picture.known_playbacks) if self.choose((1, 0)) else self._new("p")
        if name in ("eventSource", "source"):
            return self.choose(
                (
                    "channel:" + self._one(picture.channels, picture.known_channels),
                    "bridge:" + self._one(picture.bridges, picture.known_bridges),
                    "endpoint:PJSIP/alice",
                    "endpoint:PJSIP",
                    "deviceState:Stasis:a",
                    "bridge:",
                    "channel:",
                    "x:y",
                    "channel:gone,deviceState:x",
                )
            )
        if name == "recordingName" and picture.recordings and self.choose((True, False)):
            return self._one(picture.recordings, [])
        if parameter.values and name not in VALUES:
            return self.choose(parameter.values)
        return self.choose(VALUES.get(name, JUNK))

    def _one(self, living: Mapping[str, Any], former: Sequence[str]) -> str:
        if living and self.choose(range(6)):
            return str(self.choose(list(living)))
        return str(self.choose(former[-5:])) if former and self._rarely() else "nobody"

    def _rarely(self) -> bool:
        return bool(self.choose((False, False, True)))

    def _new(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def call(self) -> None:
        """A phone calls an extension."""
        extension = self.choose(("1000", "1001", "1100", "1200", "1300", "walk", "4711"))
        phone = self.choose(self.phones)
        self.story.append(f"{phone.name} calls {extension}")
        self.calls.append(self.loop.run(phone.invite(extension)))

    def phone_does(self) -> None:
        """Somebody on the phone does something."""
        self.calls = [call for call in self.calls if call.end is None]
        if not self.calls:
            return
        call = self.choose(self.calls)
        what = self.choose(("hang up", "hang up", "digits", "talk", "hold", "resume", "answer"))
        self.story.append(f"{call} {what}")
        if what == "hang up":
            self.loop.run(call.hang_up())
        elif what == "answer":
            if call in self.ringing:
                self.ringing.remove(call)
                self.loop.call_soon(call.answer)
        else:
            self.loop.run(_act(call, what))

    def wait(self) -> None:
        """Time passes."""
        seconds = self.choose((0.01, 0.1, 0.5, 1.5, 6))
        self.story.append(f"{seconds} s pass")
        self.loop.advance(seconds)

    def other_application(self) -> None:
        """Another client connects to another application, or leaves, or dies."""
        if self.other.sockets and self.choose((True, False)):
            socket = self.other.sockets.pop()
            self.story.append("the other application goes")
            if self.choose((True, False)):
                socket.drop()
            else:
                self.loop.run(socket.close())
        else:
            self.story.append("the other application comes")
            self.loop.run(self.other.connect(self.choose(("other", "hello-world", "other,hello-world"))))

    def step(self) -> None:
        """Any of these, the operations most of the time, those that make something twice as often."""
        what = self.choose(("ask",) * 8 + ("make",) * 6 + ("call", "phone", "phone", "wait", "wait", "other"))
        if what == "ask":
            self.ask(self.choose(OPERATIONS))
        elif what == "make":
            self.ask(self.choose(MAKING))
        elif what == "call":
            self.call()
        elif what == "phone":
            self.phone_does()
        elif what == "wait":
            self.wait()
        else:
            self.other_application()

    # ------------------------------------------------------------------------------------------------------ checks

    def read(self) -> None:
        """Take the events that have come into the picture."""
        self._take_until(len(self.ari.events))
        for event in self.other.events:
            self.problems += event_problems(json.dumps(event))
        self.other.events.clear()

    def _take_until(self, last: int) -> None:
        events = self.ari.events
        for index in range(self._seen, last):
            self.problems += event_problems(json.dumps(events[index]))
            self.picture.take(events[index])
        self._seen = max(self._seen, last)

    def check(self) -> None:
        """The picture is what GET shows, and everything that was said keeps to its declaration."""
        self.problems += self._compare("channels", self.picture.channels)
        self.problems += self._compare("bridges", self.picture.bridges)
        self.read()
        for failure in self.loop.failures:
            self.problems.append(f"on the loop: {failure}")
        self.problems += [f"logged: {record}" for record in self._errors.take_all()]
        if self.problems:
            raise AssertionError("\n".join([*self.problems, "after:", *self.story]))

    def _compare(self, path: str, pictured: Mapping[str, Event]) -> list[str]:
        """What GET says on the event socket, against the events that came there before the answer."""
        answer = self.loop.run(self.ari.sockets[0].request("GET", path))
        self._take_until(next(index for index, event in enumerate(self.ari.events) if event is answer))
        shown = {one["id"]: one for one in json.loads(answer["message_body"])}
        found = [f"{path} shows {name}, no event did" for name in shown if name not in pictured]
        found += [f"{path} does not show {name}, no event said that it went" for name in pictured if name not in shown]
        for name in shown.keys() & pictured.keys():
            for field in sorted(shown[name].keys() | pictured[name].keys()):
                now, then = shown[name].get(field), pictured[name].get(field)
                if now != then and (path, field) not in SILENT:
                    found.append(f"{path}/{name}: {field} is {now!r}, the events said {then!r}")
        return found

    def end(self) -> None:
        """Everything is ended, and nothing stays."""
        try:
            self._end_all()
            self.loop.advance(40)
            assert_nothing_left(self.server, self.loop)
            self.loop.run(self._stack.aclose())
            assert_nothing_open(self.loop, self.before)
            assert not self.loop.failures, self.loop.failures
            left = [str(path) for path in self.folder.rglob("*") if path.suffix in (".part", ".tmp")]
            assert not left, f"files left: {left}"
        except Exception as error:
            if "after:" not in str(error):
                raise AssertionError("\n".join([repr(error), "after:", *self.story])) from error
            raise

    def close(self) -> None:
        """Free everything, however the walk ended."""
        self.loop.run(self._stack.aclose())
        self.loop.close()
        logging.getLogger("arietta").removeHandler(self._errors)

    def _end_all(self) -> None:
        run = self.loop.run
        for channel in run(self.ari.get("/channels")).json:
            run(self.ari.request("DELETE", f"/channels/{quote(channel['id'], safe='')}"))  # its other half may be gone
        self.loop.advance(1)
        for call in self.calls:
            if call.end is None:
                run(call.hang_up())
        for bridge in run(self.ari.get("/bridges")).json:
            run(self.ari.request("DELETE", f"/bridges/{quote(bridge['id'], safe='')}", expect=204))
        self.loop.advance(5)
        self.check()
        self.loop.run(self.ari.close())
        self.loop.run(self.other.close())


SILENT = frozenset({("bridges", "bridgevars"), ("bridges", "technology")})
"""What changes without an event."""


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.records.append(record.getMessage() + "\n" + trace)

    def take(self) -> str:
        """The latest one."""
        return self.records.pop() if self.records else "nothing was logged"

    def take_all(self) -> list[str]:
        """All of them."""
        taken, self.records = self.records, []
        return taken


async def _act(call: Call, what: str) -> None:
    """Something a phone does in a call, which the far end may cut short."""
    try:
        if not call.is_confirmed:
            return
        if what == "digits":
            call.send_digits("1#")
        elif what == "talk":
            call.send_tone(440, 500)
        elif what == "hold":
            await call.hold()
        elif what == "resume":
            await call.resume()
    except Unexpected:
        pass


def walk(seed: int, steps: int) -> None:
    """A whole walk along a seed; AssertionError with all that is wrong and the way there."""
    with tempfile.TemporaryDirectory() as folder:
        taken = Walk(random.Random(seed).choice, Path(folder), seed)
        try:
            for number in range(steps):
                taken.step()
                if number % 10 == 9:
                    taken.check()
            taken.end()
        finally:
            taken.close()


def main() -> None:
    """Walk along the seeds of the command line; the whole story only where it is but one."""
    first, last = (int(text) for text in sys.argv[1:3])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    for seed in range(first, last):
        try:
            walk(seed, steps)
            print(f"seed {seed}: well", flush=True)
        except Exception as error:
            if last == first + 1:
                raise
            print(f"seed {seed}: {str(error).partition('after:')[0]}", flush=True)


if __name__ == "__main__":
    main()
