"""Every operation, and every answer it declares, had from the whole server: tables of requests, each one a story.

A line is a status, a request and perhaps a JSON body; `~ 0.5` lets time pass. `c` is half of a Local channel in the
application and `c;2` its other half, which is in the dialplan; `phone` is Bob's telephone in bridge `b`; `down` was
created and never dialled; `DIAL` is a bridge that Dial() made.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from arietta.ari.contract import Operation, operations
from arietta.ari.resources import RESOURCES
from arietta.ari.validate import response_problems
from arietta.server import Server
from arietta.testing import AriClient, Phone

APPLICATIONS = """
200 GET /applications
200 GET /applications/hello-world
404 GET /applications/nobody
200 POST /applications/hello-world/subscription?eventSource=channel:c
400 POST /applications/hello-world/subscription
400 POST /applications/hello-world/subscription?eventSource=x:y
404 POST /applications/nobody/subscription?eventSource=channel:c
422 POST /applications/hello-world/subscription?eventSource=channel:nobody
200 DELETE /applications/hello-world/subscription?eventSource=channel:c
400 DELETE /applications/hello-world/subscription?eventSource=x:y
404 DELETE /applications/nobody/subscription?eventSource=channel:c
422 DELETE /applications/hello-world/subscription?eventSource=deviceState:Stasis:never
501 DELETE /applications/hello-world/subscription?eventSource=bridge:
200 PUT /applications/hello-world/eventFilter {"disallowed": [{"type": "ChannelVarset"}]}
400 PUT /applications/hello-world/eventFilter {"allowed": [{}]}
404 PUT /applications/nobody/eventFilter {}
"""

ASTERISK = """
200 GET /asterisk/info
200 GET /asterisk/ping
200 GET /asterisk/modules
200 GET /asterisk/modules/func_math.so
404 GET /asterisk/modules/nothing.so
409 GET /asterisk/modules/func_math
204 DELETE /asterisk/modules/func_math.so
404 DELETE /asterisk/modules/nothing.so
409 DELETE /asterisk/modules/res_ari.so
204 POST /asterisk/modules/func_math.so
409 POST /asterisk/modules/func_math.so
204 PUT /asterisk/modules/pbx_config.so
404 PUT /asterisk/modules/nothing.so
409 PUT /asterisk/modules/func_math.so
200 GET /asterisk/logging
204 POST /asterisk/logging/everything?configuration=verbose
400 POST /asterisk/logging/other
409 POST /asterisk/logging/everything?configuration=verbose
204 PUT /asterisk/logging/everything/rotate
404 PUT /asterisk/logging/nothing/rotate
204 DELETE /asterisk/logging/everything
404 DELETE /asterisk/logging/everything
204 POST /asterisk/variable?variable=COLOUR&value=blue
400 POST /asterisk/variable
200 GET /asterisk/variable?variable=COLOUR
400 GET /asterisk/variable
500 GET /asterisk/variable?variable=NOTHING(x)
200 GET /asterisk/config/dynamic/res_pjsip/endpoint/alice
404 GET /asterisk/config/dynamic/res_pjsip/endpoint/nobody
200 PUT /asterisk/config/dynamic/res_pjsip/aor/carol {"fields": [{"attribute": "max_contacts", "value": "2"}]}
400 PUT /asterisk/config/dynamic/res_pjsip/aor/dave {"fields": [{"attribute": "colour", "value": "2"}]}
403 PUT /asterisk/config/dynamic/res_pjsip/contact/x {"fields": [{"attribute": "uri", "value": "sip:x@10.0.0.9"}]}
404 PUT /asterisk/config/dynamic/res_pjsip/nothing/x {"fields": [{"attribute": "max_contacts", "value": "2"}]}
204 DELETE /asterisk/config/dynamic/res_pjsip/aor/carol
403 DELETE /asterisk/config/dynamic/res_pjsip/contact/x
404 DELETE /asterisk/config/dynamic/res_pjsip/aor/carol
"""

BRIDGES = """
200 GET /bridges
200 POST /bridges?type=holding&bridgeId=hold
400 POST /bridges?bridgeId=odd {"x": {"y": {"z": 1}}}
409 POST /bridges?bridgeId=hold
500 POST /bridges?type=nothing
200 POST /bridges/mix?name=mixed
400 POST /bridges/odder {"variables": 7}
409 POST /bridges/mix
500 POST /bridges/other?type=nothing
200 GET /bridges/mix
404 GET /bridges/nobody
204 POST /bridges/mix/variable?variable=A&value=1
400 POST /bridges/mix/variable
404 POST /bridges/nobody/variable?variable=A&value=1
409 POST /bridges/DIAL/variable?variable=A&value=1
200 GET /bridges/mix/variable?variable=A
400 GET /bridges/mix/variable
404 GET /bridges/mix/variable?variable=B
204 POST /bridges/mix/variables {"variables": {"B": "2"}}
400 POST /bridges/mix/variables {"variables": 7}
404 POST /bridges/nobody/variables {"variables": {"B": "2"}}
409 POST /bridges/DIAL/variables {"variables": {"B": "2"}}
200 GET /bridges/mix/variables?variables=A,B
400 GET /bridges/mix/variables
404 GET /bridges/nobody/variables?variables=A
204 POST /bridges/mix/addChannel?channel=c
400 POST /bridges/mix/addChannel?channel=nobody
404 POST /bridges/nobody/addChannel?channel=c
409 POST /bridges/DIAL/addChannel?channel=c
422 POST /bridges/mix/addChannel?channel=c;2
204 POST /bridges/mix/videoSource/c
400 POST /bridges/mix/videoSource/nobody
404 POST /bridges/nobody/videoSource/c
409 POST /bridges/DIAL/videoSource/c
422 POST /bridges/mix/videoSource/phone
204 DELETE /bridges/mix/videoSource
404 DELETE /bridges/nobody/videoSource
409 DELETE /bridges/DIAL/videoSource
204 POST /bridges/mix/moh
404 POST /bridges/nobody/moh
409 POST /bridges/DIAL/moh
204 DELETE /bridges/mix/moh
404 DELETE /bridges/nobody/moh
409 DELETE /bridges/mix/moh
201 POST /bridges/mix/play?media=sound:beep
404 POST /bridges/nobody/play?media=sound:beep
409 POST /bridges/DIAL/play?media=sound:beep
422 POST /bridges/mix/play?media=sound:beep&announcer_format=nothing
500 POST /bridges/mix/play
201 POST /bridges/mix/play/mine?media=sound:beep
404 POST /bridges/nobody/play/mine?media=sound:beep
409 POST /bridges/DIAL/play/mine?media=sound:beep
422 POST /bridges/mix/play/mine?media=sound:beep&announcer_format=nothing
500 POST /bridges/mix/play/mine
201 POST /bridges/mix/record?name=room&format=wav&maxDurationSeconds=1
400 POST /bridges/mix/record?name=other
404 POST /bridges/nobody/record?name=room&format=wav
409 POST /bridges/mix/record?name=room&format=wav
422 POST /bridges/mix/record?name=other&format=nothing
500 POST /bridges/mix/record?name=../other&format=wav
~ 2
204 POST /bridges/mix/removeChannel?channel=c
400 POST /bridges/mix/removeChannel?channel=nobody
404 POST /bridges/nobody/removeChannel?channel=c
409 POST /bridges/DIAL/removeChannel?channel=c
422 POST /bridges/mix/removeChannel?channel=c
204 DELETE /bridges/mix
404 DELETE /bridges/mix
409 DELETE /bridges/DIAL
204 DELETE /bridges/hold
"""

CHANNELS = """
200 GET /channels
200 POST /channels?endpoint=Local/1300@default&app=hello-world&channelId=new
400 POST /channels?endpoint=Local/1300@default
409 POST /channels?endpoint=Local/1300@default&app=hello-world&channelId=new
500 POST /channels?endpoint=Nothing/x&app=hello-world
404 POST /channels?endpoint=Local/1300@default&extension=1000&context=default&label=nothing
200 POST /channels/newer?endpoint=Local/1300@default&app=hello-world
400 POST /channels/newest?endpoint=Local/1300@default
409 POST /channels/newer?endpoint=Local/1300@default&app=hello-world
500 POST /channels/newest?endpoint=Nothing/x&app=hello-world
404 POST /channels/newest?endpoint=Local/1300@default&extension=1000&context=default&label=nothing
200 POST /channels/create?endpoint=Local/1300@default&app=hello-world&channelId=made
400 POST /channels/create
409 POST /channels/create?endpoint=Local/1300@default&app=hello-world&channelId=made
500 POST /channels/create?endpoint=Nothing/x&app=hello-world
200 GET /channels/c
404 GET /channels/nobody
204 POST /channels/made/dial
404 POST /channels/nobody/dial
409 POST /channels/c/dial
204 POST /channels/c/answer
404 POST /channels/nobody/answer
409 POST /channels/c;2/answer
412 POST /channels/down/answer
204 POST /channels/c/ring
404 POST /channels/nobody/ring
409 POST /channels/c;2/ring
412 POST /channels/down/ring
204 DELETE /channels/c/ring
404 DELETE /channels/nobody/ring
409 DELETE /channels/c;2/ring
412 DELETE /channels/down/ring
204 POST /channels/c/progress
404 POST /channels/nobody/progress
409 POST /channels/c;2/progress
412 POST /channels/down/progress
200 POST /channels/c/snoop?spy=both&app=hello-world
400 POST /channels/c/snoop?app=hello-world
404 POST /channels/nobody/snoop?spy=both&app=hello-world
500 POST /channels/c/snoop?spy=both&app=nobody
200 POST /channels/c/snoop/spy?spy=both&app=hello-world
400 POST /channels/c/snoop/spy?app=hello-world
404 POST /channels/nobody/snoop/spy?spy=both&app=hello-world
500 POST /channels/c/snoop/spy?spy=both&app=hello-world
204 DELETE /channels/spy
200 GET /channels/phone/rtp_statistics
403 GET /channels/c/rtp_statistics
404 GET /channels/nobody/rtp_statistics
200 POST /channels/externalMedia?app=hello-world&external_host=10.0.0.9:9000&format=ulaw&channelId=media
400 POST /channels/externalMedia?app=hello-world&format=ulaw
409 POST /channels/externalMedia?app=hello-world&external_host=10.0.0.9:9000&format=ulaw&channelId=media
500 POST /channels/externalMedia?app=hello-world&external_host=10.0.0.9:9000&format=nothing
501 POST /channels/externalMedia?app=hello-world&external_host=10.0.0.9:9000&format=ulaw&encapsulation=nonsense
204 DELETE /channels/media
204 POST /channels/phone/transfer_progress?states=channel_progress
400 POST /channels/phone/transfer_progress
404 POST /channels/nobody/transfer_progress?states=channel_progress
409 POST /channels/c;2/transfer_progress?states=channel_progress
204 POST /channels/c/dtmf?dtmf=1
400 POST /channels/c/dtmf
404 POST /channels/nobody/dtmf?dtmf=1
409 POST /channels/c;2/dtmf?dtmf=1
412 POST /channels/down/dtmf?dtmf=1
204 POST /channels/c/mute?direction=both
400 POST /channels/c/mute?direction=x
404 POST /channels/nobody/mute?direction=both
409 POST /channels/c;2/mute?direction=both
412 POST /channels/down/mute?direction=both
204 DELETE /channels/c/mute?direction=both
400 DELETE /channels/c/mute?direction=x
404 DELETE /channels/nobody/mute?direction=both
409 DELETE /channels/c;2/mute?direction=both
412 DELETE /channels/down/mute?direction=both
204 POST /channels/c/hold
404 POST /channels/nobody/hold
409 POST /channels/c;2/hold
412 POST /channels/down/hold
204 DELETE /channels/c/hold
404 DELETE /channels/nobody/hold
409 DELETE /channels/c;2/hold
412 DELETE /channels/down/hold
204 POST /channels/c/moh
404 POST /channels/nobody/moh
409 POST /channels/c;2/moh
412 POST /channels/down/moh
204 DELETE /channels/c/moh
404 DELETE /channels/nobody/moh
409 DELETE /channels/c;2/moh
412 DELETE /channels/down/moh
204 POST /channels/c/silence
404 POST /channels/nobody/silence
409 POST /channels/c;2/silence
412 POST /channels/down/silence
204 DELETE /channels/c/silence
404 DELETE /channels/nobody/silence
409 DELETE /channels/c;2/silence
412 DELETE /channels/down/silence
201 POST /channels/c/play?media=sound:beep
404 POST /channels/nobody/play?media=sound:beep
409 POST /channels/c;2/play?media=sound:beep
412 POST /channels/down/play?media=sound:beep
500 POST /channels/c/play
201 POST /channels/c/play/mine?media=sound:beep
404 POST /channels/nobody/play/mine?media=sound:beep
409 POST /channels/c;2/play/mine?media=sound:beep
412 POST /channels/down/play/mine?media=sound:beep
500 POST /channels/c/play/mine
201 POST /channels/c/record?name=said&format=wav&maxDurationSeconds=1
400 POST /channels/c/record?name=other&format=wav&maxDurationSeconds=-1
404 POST /channels/nobody/record?name=said&format=wav
409 POST /channels/c/record?name=said&format=wav
422 POST /channels/c/record?name=other&format=nothing
500 POST /channels/c/record?name=../other&format=wav
204 POST /channels/c/variable?variable=A&value=1
400 POST /channels/c/variable
404 POST /channels/nobody/variable?variable=A&value=1
409 POST /channels/c;2/variable?variable=A&value=1
200 GET /channels/c/variable?variable=A
400 GET /channels/c/variable
404 GET /channels/c/variable?variable=B
500 GET /channels/c/variable?variable=NOTHING(x)
204 POST /channels/c/variables {"variables": {"B": "2"}}
400 POST /channels/c/variables {"variables": 7}
404 POST /channels/nobody/variables {"variables": {"B": "2"}}
409 POST /channels/c;2/variables {"variables": {"B": "2"}}
200 GET /channels/c/variables?variables=A,B
400 GET /channels/c/variables
404 GET /channels/nobody/variables?variables=A
500 GET /channels/c/variables?variables=NOTHING(x)
400 POST /channels/c/redirect?endpoint=
404 POST /channels/nobody/redirect?endpoint=Local/1@default
409 POST /channels/c;2/redirect?endpoint=Local/1@default
412 POST /channels/down/redirect?endpoint=PJSIP/bob
422 POST /channels/c/redirect?endpoint=PJSIP/bob
204 POST /channels/phone/redirect?endpoint=PJSIP/sip:elsewhere@10.0.0.9
204 POST /channels/c/move?app=hello-world
400 POST /channels/c/move
404 POST /channels/nobody/move?app=hello-world
409 POST /channels/c;2/move?app=hello-world
~ 2
204 POST /channels/c/continue?context=default&extension=1300&priority=2
400 POST /channels/new/continue?label=0
404 POST /channels/nobody/continue
409 POST /channels/c;2/continue
412 POST /channels/down/continue
400 DELETE /channels/new?reason=nothing
204 DELETE /channels/new
404 DELETE /channels/nobody
"""

OTHERS = """
204 PUT /deviceStates/Stasis:lamp?deviceState=BUSY
404 PUT /deviceStates/stasis:?deviceState=BUSY
409 PUT /deviceStates/PJSIP%2Falice?deviceState=BUSY
500 PUT /deviceStates/Stasis:lamp?deviceState=nothing
200 GET /deviceStates
200 GET /deviceStates/Stasis:lamp
204 DELETE /deviceStates/Stasis:lamp
404 DELETE /deviceStates/Stasis:
409 DELETE /deviceStates/PJSIP%2Falice
200 GET /endpoints
200 GET /endpoints/PJSIP
404 GET /endpoints/Nothing
200 GET /endpoints/PJSIP/alice
404 GET /endpoints/PJSIP/nobody
202 PUT /endpoints/sendMessage?to=pjsip:alice&from=sip:me@10.0.0.1&body=hello
400 PUT /endpoints/sendMessage?to=pjsip:alice
404 PUT /endpoints/sendMessage?to=nothing:alice&from=sip:me@10.0.0.1&body=hello
202 PUT /endpoints/PJSIP/alice/sendMessage?from=sip:me@10.0.0.1&body=hello
400 PUT /endpoints/PJSIP/alice/sendMessage
404 PUT /endpoints/PJSIP/nobody/sendMessage?from=sip:me@10.0.0.1&body=hello
202 POST /endpoints/refer?to=pjsip:alice&from=sip:me@10.0.0.1&refer_to=sip:x@10.0.0.9
400 POST /endpoints/refer?to=pjsip:alice
404 POST /endpoints/refer?to=nothing:alice&from=sip:me@10.0.0.1&refer_to=sip:x@10.0.0.9
202 POST /endpoints/PJSIP/alice/refer?from=sip:me@10.0.0.1&refer_to=sip:x@10.0.0.9
400 POST /endpoints/PJSIP/alice/refer
404 POST /endpoints/PJSIP/nobody/refer?from=sip:me@10.0.0.1&refer_to=sip:x@10.0.0.9
204 POST /events/user/happened?application=hello-world&source=channel:c
400 POST /events/user/happened
404 POST /events/user/happened?application=nobody
422 POST /events/user/happened?application=hello-world&source=channel:nobody
400 POST /events/claim
404 POST /events/claim?channelId=c&application=hello-world
204 PUT /mailboxes/box?oldMessages=1&newMessages=2
200 GET /mailboxes
200 GET /mailboxes/box
404 GET /mailboxes/nothing
204 DELETE /mailboxes/box
404 DELETE /mailboxes/box
201 POST /channels/c/play/tune?media=tone:ring
~ 0.1
200 GET /playbacks/tune
404 GET /playbacks/nothing
204 POST /playbacks/tune/control?operation=pause
400 POST /playbacks/tune/control?operation=nothing
404 POST /playbacks/nothing/control?operation=pause
409 POST /playbacks/tune/control?operation=restart
204 DELETE /playbacks/tune
404 DELETE /playbacks/tune
201 POST /channels/c/record?name=said&format=wav
200 GET /recordings/live/said
404 GET /recordings/live/nothing
204 POST /recordings/live/said/pause
404 POST /recordings/live/nothing/pause
204 DELETE /recordings/live/said/pause
404 DELETE /recordings/live/nothing/pause
204 POST /recordings/live/said/mute
404 POST /recordings/live/nothing/mute
204 DELETE /recordings/live/said/mute
404 DELETE /recordings/live/nothing/mute
~ 0.5
204 POST /recordings/live/said/stop
404 POST /recordings/live/nothing/stop
~ 0.1
201 POST /channels/c/play/before?media=tone:ring
201 POST /channels/c/record?name=waits&format=wav
409 POST /recordings/live/waits/pause
409 DELETE /recordings/live/waits/pause
409 POST /recordings/live/waits/mute
409 DELETE /recordings/live/waits/mute
204 DELETE /recordings/live/waits
404 DELETE /recordings/live/nothing
204 DELETE /playbacks/before
200 GET /recordings/stored
200 GET /recordings/stored/said
404 GET /recordings/stored/nothing
200 GET /recordings/stored/said/file
404 GET /recordings/stored/nothing/file
200 POST /recordings/stored/said/copy?destinationRecordingName=again
400 POST /recordings/stored/said/copy
403 POST /recordings/stored/said/copy?destinationRecordingName=../again
404 POST /recordings/stored/nothing/copy?destinationRecordingName=x
409 POST /recordings/stored/said/copy?destinationRecordingName=again
204 DELETE /recordings/stored/said
204 DELETE /recordings/stored/again
404 DELETE /recordings/stored/again
200 GET /sounds
404 GET /sounds?lang=xx
200 GET /sounds/beep
404 GET /sounds/nothing
"""

TABLES = {
    "applications": APPLICATIONS,
    "asterisk": ASTERISK,
    "bridges": BRIDGES,
    "channels": CHANNELS,
    "others": OTHERS,
}
NOT_IN_A_TABLE = {
    "DELETE /applications/{applicationName}/subscription 409": "documented; what is not subscribed to is 422",
    "GET /bridges/{bridgeId}/variable 409": "documented; a bridge of Dial can be read",
    "GET /bridges/{bridgeId}/variables 409": "documented; a bridge of Dial can be read",
    "GET /channels/{channelId}/variable 409": "documented; channels outside of applications can be read",
    "GET /channels/{channelId}/variables 409": "documented; channels outside of applications can be read",
    "POST /channels/{channelId}/transfer_progress 412": "documented; a transfer goes on in any state",
    "GET /endpoints/{tech}/{resource} 400": "documented; what does not exist is 404",
    "PUT /mailboxes/{mailboxName} 404": "documented; a mailbox that does not exist is made",
    "GET /recordings/stored/{recordingName}/file 403": "needs a file that its owner may not read",
    "POST /events/claim 204": "test_one_application_gets_the_call",
    "POST /events/claim 409": "test_one_application_gets_the_call",
}
"""Answers that are declared and not had from a line, with the reason."""
OPERATIONS = [operation for resource in RESOURCES for operation in operations(resource) if operation.upgrade is None]


def lines_of(table: str) -> list[tuple[int, str, str, object]]:
    """Status, method, target and body of each line; status 0 for time that passes."""
    found: list[tuple[int, str, str, object]] = []
    for line in table.split("\n"):
        if line.startswith("~"):
            found.append((0, "", line[2:], None))
        elif line:
            status, method, rest = line.split(" ", 2)
            target, _, body = rest.partition(" ")
            found.append((int(status), method, target, json.loads(body) if body else None))
    return found


def operation_of(server: Server, method: str, target: str) -> Operation:
    """The operation that a line asks."""
    found = server.api.operation(method, target.partition("?")[0])
    assert found is not None, f"nothing serves {method} {target}"
    return found


async def set_the_stage(alice: Phone, bob: Phone, app: AriClient) -> str:
    """The channels and bridges the lines speak of; gives the id of the bridge that Dial() made."""
    bob.on_invite = lambda call: call.answer()
    call = await alice.invite("1100")
    await call.answered()
    await asyncio.sleep(0.5)
    (dialled,) = (await app.get("/bridges")).json
    await app.post("/channels/c", endpoint="Local/1300@default", app="hello-world")
    await app.post("/channels/phone", endpoint="PJSIP/bob", app="hello-world")
    await app.event("StasisStart", channel_id="c")
    await app.event("StasisStart", channel_id="phone")
    await app.post("/channels/create", endpoint="PJSIP/bob", app="hello-world", channelId="down")
    await app.post("/bridges/b")
    await app.post("/bridges/b/addChannel", channel="phone")
    return str(dialled["id"])


@pytest.mark.parametrize("name", TABLES)
async def test_the_answers_are_as_declared(
    server: Server, alice: Phone, bob: Phone, app: AriClient, name: str, ari: Callable[..., AriClient]
) -> None:
    dialled = await set_the_stage(alice, bob, app)
    wrong: list[str] = []
    for status, method, target, body in lines_of(TABLES[name]):
        if not status:
            await asyncio.sleep(float(target))
            continue
        operation = operation_of(server, method, target)
        reply = await app.request(method, target.replace("DIAL", dialled).replace(";", "%3B"), body=body)
        if reply.status != status:
            wrong.append(f"{method} {target}: {reply.status} instead of {status}: {reply.body[:100]!r}")
        wrong += response_problems(operation, reply.status, reply.body)
    assert not wrong, "\n".join(wrong)
    for channel in (await app.get("/channels")).json:
        await app.request("DELETE", f"/channels/{channel['id']}".replace(";", "%3B"))
    await asyncio.sleep(65)  # a phone that was sent elsewhere may keep its call for a minute
    for bridge in (await app.get("/bridges")).json:
        await app.request("DELETE", f"/bridges/{bridge['id']}")


def test_no_answer_is_left_out() -> None:
    paths = [(operation, re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))) for operation in OPERATIONS]
    had = {
        (operation.method, operation.path, status)
        for table in TABLES.values()
        for status, method, target, _ in lines_of(table)
        for operation, path in paths
        if status and operation.method == method and path.fullmatch(target.partition("?")[0])
    }
    missing = [
        f"{operation.method} {operation.path} {status}"
        for operation in OPERATIONS
        for status in sorted({operation.success, *(failure.status for failure in operation.all_failures)})
        if (operation.method, operation.path, status) not in had
    ]
    assert set(missing) == set(NOT_IN_A_TABLE), "\n".join(missing)


async def test_one_application_gets_the_call(
    server: Server, alice: Phone, app: AriClient, ari: Callable[..., AriClient]
) -> None:
    other = ari("127.0.0.1", 8088)
    await other.connect("other")
    plan = server.config.directory / "extensions.conf"
    plan.write_text(plan.read_text() + "\nexten => 1500,1,StasisBroadcast(2500,,red:blue)\n")
    server.reload(("pbx_config.so",))
    call = await alice.invite("1500")
    channel = (await app.event("CallBroadcast"))["channel"]["id"]
    await other.event("CallBroadcast")
    await other.post("/events/claim", channelId=channel, application="other", expect=204)
    refused = await app.request("POST", "/events/claim", query={"channelId": channel, "application": "hello-world"})
    assert refused.status == 409
    assert (await other.event("StasisStart"))["args"] == ["red", "blue"]
    await other.delete(f"/channels/{channel}", expect=204)
    await call.ended()
    await app.request("POST", "/events/claim", query={"channelId": channel, "application": "other"}, expect=404)
    assert "StasisStart" not in app.types()
