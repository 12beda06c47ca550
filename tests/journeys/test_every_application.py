"""Every application of the dialplan with no, too many and senseless arguments, and with a hangup in the middle.

Nothing may be left behind, and what goes wrong is a line in the log, never a failure of ours.
"""

from __future__ import annotations

import asyncio
import logging

import pytest

from arietta.server import Server
from arietta.testing import Phone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,TryExec(${APPLICATION}(${ARGUMENTS}))
exten => 2,1,Answer()
 same => n,TryExec(${APPLICATION}(${ARGUMENTS}))
exten => 1,hint,PJSIP/bob
exten => back,1,Return()
"""
FORMS = {
    "none": "",
    "too many": ",".join(map(str, range(1, 40))),
    "empty": ",,,,,,,,,,",
    "senseless": 'ü\\"((&&/../|@:=?,,-1,nan,1e999,(x,[y,^,99999999999999999999',
    "options": "x,zZ(,zZ(),zZ(a(b),))),aAbBcCdDeE",
}
SENSIBLE = {
    "AMD": "",
    "Authenticate": "1234",
    "Background": "beep&demo-instruct",
    "BackgroundDetect": "demo-instruct",
    "Busy": "",
    "ChanSpy": "PJSIP/nobody,q",
    "Congestion": "",
    "ControlPlayback": "demo-instruct",
    "Dial": "PJSIP/bob",
    "DISA": "1234",
    "Echo": "",
    "ExtenSpy": "1,q",
    "Gosub": "back,1",
    "Milliwatt": "",
    "MixMonitor": "call.wav,B(5)W(2)r(in.wav)t(out.wav)",
    "Morsecode": "SOS SOS",
    "MusicOnHold": "",
    "Originate": "PJSIP/bob,app,Wait,30",
    "Playback": "demo-instruct",
    "PlayTones": "dial",
    "PrivacyManager": "",
    "Read": "X,demo-instruct,4",
    "ReadExten": "X,demo-instruct",
    "ReceiveText": "",
    "Record": "said.wav",
    "RetryDial": "beep,5,0,PJSIP/nobody",
    "SayDigits": "12345678",
    "SayUnixTime": "",
    "SendDTMF": "123456789,500",
    "StartMusicOnHold": "",
    "StasisBroadcast": "5000",
    "Wait": "30",
    "WaitDigit": "",
    "WaitExten": "30,m",
    "WaitForCondition": "#,0",
    "WaitForNoise": "1000,1,30",
    "WaitForRing": "1",
    "WaitForSignal": "never",
    "WaitForSilence": "1000,9,30",
    "WaitForTone": "700",
    "WaitUntil": "9999999999",
    "Zapateller": "",
}
"""What makes an application take its time."""
PROGRAMS = ("AGI", "DeadAGI")
"""They start what they are given, which no virtual loop does."""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def end_calls(server: Server, seconds: float) -> list[str]:
    """What is left so many seconds after every call was asked to end."""
    for channel in server.channels:
        channel.request_hangup()
    await asyncio.sleep(seconds)
    return [f"{channel.name} in {channel.app_name}" for channel in server.channels]


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged with a traceback, or for a story that failed."""
    return [record.getMessage() for record in caplog.records if record.exc_info or "failed and is" in record.msg]


async def execute(server: Server, phone: Phone, number: str, name: str, arguments: str, hangup_after: float) -> None:
    """One call that runs an application, and is hung up in the middle."""
    server.dialplan.globals.update(APPLICATION=name, ARGUMENTS=arguments)
    call = await phone.invite(number)
    await asyncio.sleep(hangup_after)
    if call.end is None:
        await (call.hang_up() if call.is_confirmed else call.cancel())
    assert not await end_calls(server, 0.5), f"left by {name}({arguments})"


@pytest.mark.parametrize("form", FORMS)
async def test_arguments_that_make_no_sense(
    server: Server, alice: Phone, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for application in server.dialplan.applications:
        if application.name in PROGRAMS:
            continue
        await execute(server, alice, "1", application.name, FORMS[form], 0.3)
        assert not failures(caplog), f"{application.name}({FORMS[form]})"


@pytest.mark.parametrize("hangup_after", [0.02, 1.0, 3.0])
async def test_a_hangup_in_the_middle(
    server: Server, alice: Phone, bob: Phone, hangup_after: float, caplog: pytest.LogCaptureFixture
) -> None:
    for name, arguments in SENSIBLE.items():
        assert name in server.dialplan.applications
        await execute(server, alice, "2", name, arguments, hangup_after)
        assert not failures(caplog), f"{name}({arguments})"
    assert not server.engine.stats().mixers
