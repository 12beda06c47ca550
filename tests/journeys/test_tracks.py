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
