"""A call recorded with a track for each side."""

from __future__ import annotations

import io
import wave

from arietta.testing import AriClient, Phone, tone


async def test_who_calls_is_left_and_what_is_heard_is_right(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await call.answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/moh", expect=204)
    made = await app.post(f"/channels/{channel}/record", name="both", format="wav-tracks", maxDurationSeconds=1)
    assert made.json["format"] == "wav-tracks"
    await call.send_audio(tone(500, 400))
    await app.event("RecordingFinished")
    stored = await app.get("/recordings/stored/both/file")
    with wave.open(io.BytesIO(stored.body)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 8000)
        samples = memoryview(file.readframes(8000)).cast("h")
    left, right = list(samples[0::2]), list(samples[1::2])
    assert max(left[:3200]) > 5000
    assert max(left[5600:]) == 0
    assert max(right[:3200]) > 500
    assert max(right[5600:]) > 500
    await call.hang_up()


async def test_a_bridge_is_recorded_with_a_track_for_each_party(alice: Phone, bob: Phone, app: AriClient) -> None:
    """Alice is in the bridge, Bob comes half a second later: one file, Alice first, Bob silent until he comes."""
    await app.post("/bridges", bridgeId="room", type="mixing")
    channels = []
    calls = []
    for phone in (alice, bob):
        call = await phone.invite("1000")
        await call.answered()
        calls.append(call)
        channels.append((await app.event("StasisStart"))["channel"]["id"])
    await app.post("/bridges/room/addChannel", channel=channels[0], expect=204)
    made = await app.post("/bridges/room/record", name="room", format="wav-tracks", maxDurationSeconds=2)
    assert (made.json["format"], made.json["target_uri"]) == ("wav-tracks", "bridge:room")
    await calls[0].send_audio(tone(500, 500))
    await app.post("/bridges/room/addChannel", channel=channels[1], expect=204)
    await calls[1].send_audio(tone(900, 500))
    await app.event("RecordingFinished")
    stored = await app.get("/recordings/stored/room/file")
    with wave.open(io.BytesIO(stored.body)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 16000)
        samples = memoryview(file.readframes(16000)).cast("h")
    first, second = list(samples[0::2]), list(samples[1::2])
    assert max(first[:3200]) > 5000
    assert max(first[5600:]) == 0
    assert max(second[:3200]) == 0
    assert max(second[4800:7200]) > 5000
    assert max(second[9600:]) == 0
    played = await app.post(f"/channels/{channels[0]}/play", media="recording:room")
    assert played.json["state"] == "queued"
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    await app.delete("/bridges/room", expect=204)
    for call in calls:
        await call.hang_up()
