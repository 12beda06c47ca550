#include "g711.h"

/* Both laws tell apart no more than the upper 14 (mu-law) and 13 bits (A-law) of a sample (G.711 tables 1 and 2). */
enum { ULAW_BITS = 14, ALAW_BITS = 13 };

static uint8_t ulaw_of[1 << ULAW_BITS];
static uint8_t alaw_of[1 << ALAW_BITS];
static int16_t of_ulaw[256];
static int16_t of_alaw[256];

static int bit_length(int value)
{
    int bits = 0;
    for (; value > 0; value >>= 1)
        bits++;
    return bits;
}

/* Of 14 bits. The bias of 33 makes every segment begin at a power of two. */
static uint8_t compress_ulaw(int value)
{
    int size = value < 0 ? -value : value;
    if (size > 8158)
        size = 8158;
    size += 33;
    int segment = bit_length(size) - 6;
    return (uint8_t)((segment << 4 | ((size >> (segment + 1)) & 15)) ^ (value < 0 ? 0x7F : 0xFF));
}

/* Of 13 bits. Every second bit is inverted on the line (G.711 table 1a, note 2). */
static uint8_t compress_alaw(int value)
{
    int size = value < 0 ? -value - 1 : value;
    int segment = size < 32 ? 0 : bit_length(size) - 5;
    return (uint8_t)((segment << 4 | ((size >> (segment ? segment : 1)) & 15)) ^ (value < 0 ? 0x55 : 0xD5));
}

static int16_t expand_ulaw(int code)
{
    code = ~code & 0xFF;
    int size = ((((code & 15) << 1) + 33) << (code >> 4 & 7)) - 33;
    return (int16_t)(4 * (code & 0x80 ? -size : size));
}

static int16_t expand_alaw(int code)
{
    code ^= 0x55;
    int segment = code >> 4 & 7;
    int size = segment ? (((code & 15) << 1) + 33) << (segment - 1) : ((code & 15) << 1) + 1;
    return (int16_t)(8 * (code & 0x80 ? size : -size));
}

void g711_init(void)
{
    for (int value = -(1 << (ULAW_BITS - 1)); value < 1 << (ULAW_BITS - 1); value++)
        ulaw_of[value & ((1 << ULAW_BITS) - 1)] = compress_ulaw(value);
    for (int value = -(1 << (ALAW_BITS - 1)); value < 1 << (ALAW_BITS - 1); value++)
        alaw_of[value & ((1 << ALAW_BITS) - 1)] = compress_alaw(value);
    for (int code = 0; code < 256; code++) {
        of_ulaw[code] = expand_ulaw(code);
        of_alaw[code] = expand_alaw(code);
    }
}

static int ulaw_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    if (count > room)
        return -1;
    for (int n = 0; n < count; n++)
        out[n] = ulaw_of[(uint16_t)samples[n] >> (16 - ULAW_BITS)];
    return count;
}

static int alaw_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    if (count > room)
        return -1;
    for (int n = 0; n < count; n++)
        out[n] = alaw_of[(uint16_t)samples[n] >> (16 - ALAW_BITS)];
    return count;
}

static int expand(const int16_t table[256], const uint8_t *data, int size, int16_t *out, int room)
{
    if (size > room)
        return -1;
    for (int n = 0; n < size; n++)
        out[n] = table[data[n]];
    return size;
}

static int ulaw_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    return expand(of_ulaw, data, size, out, room);
}

static int alaw_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    return expand(of_alaw, data, size, out, room);
}

const codec_t ulaw_codec = {
    .name = "ulaw",
    .rate = 8000,
    .clock_rate = 8000,
    .frame_ms = 10,
    .frame_bytes = 80,
    .stateless = true,
    .encode = ulaw_encode,
    .decode = ulaw_decode,
};

const codec_t alaw_codec = {
    .name = "alaw",
    .rate = 8000,
    .clock_rate = 8000,
    .frame_ms = 10,
    .frame_bytes = 80,
    .stateless = true,
    .encode = alaw_encode,
    .decode = alaw_decode,
};
