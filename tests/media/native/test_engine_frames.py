"""Frames that go to another shard are nobody else's: their references are counted under the lock of one."""

from __future__ import annotations

import ctypes

from .leaves import leaf

POINTER = ctypes.c_void_p
Samples = ctypes.c_int16 * 160


class Queue(ctypes.Structure):
    """frame.h's frame_queue_t."""

    _fields_ = (("frames", POINTER * 10), ("head", ctypes.c_int), ("count", ctypes.c_int))


class Pool(ctypes.Structure):
    """frame.h's frame_pool_t."""

    _fields_ = (("free", POINTER * 3),)


def test_what_two_queues_share_is_copied_for_the_one_that_leaves() -> None:
    frames = leaf("frame", "stream", "resample", "plc", "noise", "codec")
    for name in ("frame_of_samples", "frame_queue_take", "frame_samples"):
        getattr(frames, name).restype = POINTER
    frames.codecs_init()
    pool, stays, leaves = Pool(), Queue(), Queue()
    shared = POINTER(frames.frame_of_samples(ctypes.byref(pool), 8000, 160))
    Samples.from_address(frames.frame_samples(shared))[:] = range(160)
    references = ctypes.c_int.from_address(shared.value + ctypes.sizeof(POINTER))  # type: ignore[operator]
    references.value = 2
    for queue in (stays, leaves):
        frames.frame_queue_put(ctypes.byref(pool), ctypes.byref(queue), shared)

    frames.frame_queue_own(ctypes.byref(pool), ctypes.byref(leaves))
    assert (stays.count, leaves.count) == (1, 1)
    kept = frames.frame_queue_take(ctypes.byref(stays))
    own = frames.frame_queue_take(ctypes.byref(leaves))
    assert kept == shared.value != own
    assert Samples.from_address(frames.frame_samples(POINTER(own)))[:] == list(range(160))
    assert references.value == 1

    frames.frame_queue_put(ctypes.byref(pool), ctypes.byref(leaves), POINTER(own))
    frames.frame_queue_own(ctypes.byref(pool), ctypes.byref(leaves))
    assert frames.frame_queue_take(ctypes.byref(leaves)) == own, "what nobody else holds is not copied"
