"""Texts inside of calls and outside of them, and what becomes of those that cannot go."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from arietta.channels import signals, texts
from arietta.channels.channel import Channel
from arietta.channels.texts import Text
from arietta.errors import BadRequest, NotFound

from .stage import Stage, leg_of


def stage_of(*steps: str) -> tuple[Stage, Channel]:
    stage = Stage("[default]\nexten => s,1,NoOp()\n" + "".join(f" same => n,{step}\n" for step in steps))
    return stage, stage.channel()


def carrying(channel: Channel, *, up: bool = True) -> list[Text]:
    """What a channel's leg, which carries texts from now on, is to send."""
    sent: list[Text] = []

    def send_text(text: Text) -> bool:
        sent.append(text)
        return up

    channel.leg.send_text = send_text  # type: ignore[attr-defined]
    return sent


def test_a_text_goes_to_the_far_end() -> None:
    stage, channel = stage_of("SendText(hello, you)")
    sent = carrying(channel)
    stage.run(channel)
    assert sent == [Text("hello, you")]
    assert (stage.variables("SENDTEXTSTATUS"), stage.variables("SENDTEXTTYPE")) == (["SUCCESS"], ["ENHANCED"])


def test_variables_say_more_of_a_text() -> None:
    stage, channel = stage_of(
        "Set(SENDTEXT_BODY=<b>x</b>)",
        "Set(SENDTEXT_CONTENT_TYPE=text/html)",
        "Set(SENDTEXT_FROM_DISPLAYNAME=Desk)",
        "Set(SENDTEXT_TO_DISPLAYNAME=You)",
        "SendText(not this)",
    )
    sent = carrying(channel)
    stage.run(channel)
    assert sent == [Text("<b>x</b>", "text/html", "Desk", "You")]


def test_a_channel_without_texts_and_one_that_is_not_up() -> None:
    stage, channel = stage_of("SendText(hello)")
    stage.run(channel)
    assert (stage.variables("SENDTEXTSTATUS"), stage.variables("SENDTEXTTYPE")) == (["UNSUPPORTED"], ["NONE"])
    stage, channel = stage_of("SendText(hello)")
    carrying(channel, up=False)
    stage.run(channel)
    assert (stage.variables("SENDTEXTSTATUS"), stage.variables("SENDTEXTTYPE")) == (["FAILURE"], ["NONE"])


def test_a_text_beyond_the_limit_ends_the_call_by_name(caplog: pytest.LogCaptureFixture) -> None:
    stage, channel = stage_of(f"SendText({'ä' * texts.MAX_BYTES})")
    carrying(channel)
    stage.run(channel)
    assert f"a text of {2 * texts.MAX_BYTES} bytes is over the limit of {texts.MAX_BYTES}" in caplog.text


@pytest.mark.parametrize(("step", "status"), [("ReceiveText()", "SUCCESS"), ("ReceiveText(1.5)", "FAILURE")])
def test_a_text_is_waited_for(step: str, status: str) -> None:
    stage, channel = stage_of(step)
    stage.later(2.0, channel.receive, signals.TextReceived(Text("hi")))
    stage.run(channel)
    assert stage.variables("RECEIVETEXTSTATUS") == [status]
    assert stage.variables("RECEIVETEXTMESSAGE") == (["hi"] if status == "SUCCESS" else [])


def test_a_hangup_ends_the_wait_for_a_text() -> None:
    stage, channel = stage_of("ReceiveText()")
    stage.later(2.0, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert stage.variables("RECEIVETEXTSTATUS") == ["FAILURE"]


class Post:
    """Messages that are remembered, and refused where the address says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, dict[str, str], str]] = []

    def send_message(
        self, to: str, sender: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        if to == "nobody":
            raise NotFound("nowhere")
        if sender == "bad":
            raise BadRequest("no address")
        self.sent.append((to, sender, body, dict(variables), addressed))


@pytest.mark.parametrize(
    ("step", "status", "sent"),
    [
        ("MessageSend(pjsip:6001)", "SUCCESS", ("6001", "me@here", "hello, you", {"X-A": "1"}, "")),
        ("MessageSend(PJSIP:6001,you,it)", "SUCCESS", ("6001", "you", "hello, you", {"X-A": "1"}, "it")),
        ("MessageSend(sip:a@b)", "SUCCESS", ("sip:a@b", "me@here", "hello, you", {"X-A": "1"}, "")),
        ("MessageSend(xmpp:a@b)", "INVALID_PROTOCOL", None),
        ("MessageSend()", "INVALID_PROTOCOL", None),
        ("MessageSend(pjsip:nobody)", "INVALID_URI", None),
        ("MessageSend(pjsip:6001,bad)", "FAILURE", None),
    ],
)
def test_a_text_outside_of_the_call(step: str, status: str, sent: object) -> None:
    stage, channel = stage_of(
        "Set(MESSAGE(body)=hello, you)",
        "Set(MESSAGE(from)=me@here)",
        "Set(MESSAGE_DATA(X-A)=1)",
        "Set(MESSAGE_DATA(X-B)=2)",
        "Set(MESSAGE_DATA(X-B)=)",
        "Set(SAYS=${MESSAGE(body)}/${MESSAGE_DATA(X-A)}/${MESSAGE_DATA(X-B)})",
        step,
    )
    stage.plan.messages = post = Post()
    stage.run(channel)
    assert stage.variables("SAYS") == ["hello, you/1/"]
    assert stage.variables("MESSAGE_SEND_STATUS") == [status]
    assert post.sent == ([sent] if sent else [])


def test_parts_and_data_have_their_limits(caplog: pytest.LogCaptureFixture) -> None:
    stage, channel = stage_of("Set(MESSAGE(nothing)=1)", "Set(MESSAGE_DATA()=1)", "Set(AT=after)")
    stage.run(channel)
    assert "function MESSAGE(): 'nothing' is none of body, from, to" in caplog.text
    assert "function MESSAGE_DATA(): names nothing" in caplog.text
    assert stage.variables("AT") == ["after"]


def test_pages_and_images_are_told_to_be_unsupported() -> None:
    stage, channel = stage_of("SendURL(http://x)", "SendImage(x.png)")
    stage.run(channel)
    assert stage.variables("SENDURLSTATUS") == stage.variables("SENDIMAGESTATUS") == ["UNSUPPORTED"]
    assert leg_of(channel).said == ["hangup 0"]
