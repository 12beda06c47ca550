/* Any course of packets and ticks: bounded, whole frames, and in the end it is empty. */
#include <stdlib.h>

#include "jitter.h"

enum {
    LONGEST_PACKET_MS = MAX_PACKET * 20 / 33, /* of GSM; one alone may be longer than what waits otherwise */
    MOST_DEPTH_MS = 2 * LONGEST_PACKET_MS + FRAME_MS, /* one that waits, one that is given out */
    MOST_TICKS = 4000,
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* Reads every byte, for the sanitizer to look at. */
static unsigned look_at(const jitter_frame_t *frame)
{
    unsigned sum = 0;
    for (int n = 0; n < frame->size; n++)
        sum += frame->data[n];
    return sum;
}

static void tick(jitter_t *jitter)
{
    jitter_frame_t frame = jitter_get(jitter);
    while (frame.kind == JITTER_FRAME) {
        int whole = codec_bytes(frame.codec, FRAME_MS);
        check(whole > 0 ? frame.size == whole : frame.size > 0);
        if (look_at(&frame) == 1)
            jitter_clear(jitter);
        frame = jitter_more(jitter);
    }
    if (frame.kind == JITTER_LOST)
        check(frame.run > 0);
}

/* Payload sizes near what a codec's frame has, and far from it. */
static int size_of(const codec_t *codec, uint8_t choice)
{
    int frame = codec->frame_bytes ? codec_bytes(codec, FRAME_MS) : 40;
    int size = choice & 0x80 ? frame * (choice & 7) / 2 : choice;
    return choice == 0x7F ? MAX_PACKET : size > MAX_PACKET ? MAX_PACKET : size;
}

static void put(jitter_t *jitter, const uint8_t *data, size_t size)
{
    static uint8_t payload[MAX_PACKET];
    const codec_t *codec = codec_at(data[0] % codec_count());
    int bytes = size_of(codec, data[1]);
    for (int n = 0; n < bytes && n < 64; n++)
        payload[n] = data[2 + (size_t)n % (size - 2)];
    jitter_put(jitter, read_be16(data + 2), codec, payload, bytes);
    check(jitter_depth_ms(jitter) <= MOST_DEPTH_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    codecs_init();
    jitter_rules_t rules = jitter_adaptive;
    if (size > 0 && data[0] & 1)
        rules = (jitter_rules_t){.fixed = true, .target_ms = 20 + data[0]};
    else if (size > 0)
        rules.resync_ms = 100 * (data[0] >> 2);
    jitter_t *jitter = jitter_new(&rules);
    if (!jitter)
        return 0;
    for (size_t at = 1; at < size; at++) {
        if (data[at] < 0x60) {
            tick(jitter);
        } else if (data[at] == 0xFF) {
            jitter_clear(jitter);
        } else if (size - at > 5) {
            put(jitter, data + at + 1, size - at - 1);
            at += 4;
        }
    }
    int ticks = 0;
    while (!jitter_empty(jitter) && ticks++ < MOST_TICKS)
        tick(jitter);
    check(jitter_empty(jitter));
    jitter_free(jitter);
    return 0;
}
