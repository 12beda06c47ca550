#include "codec.h"

#include <stdlib.h>

#include "g711.h"
#include "g722.h"
#include "gsm.h"
#include "opus.h"

static const struct linear_rate {
    const char *name;
    int rate;
} linear_rates[] = {
    {"slin", 8000},    {"slin12", 12000}, {"slin16", 16000}, {"slin24", 24000},   {"slin32", 32000},
    {"slin44", 44100}, {"slin48", 48000}, {"slin96", 96000}, {"slin192", 192000},
};

enum { LINEAR_RATES = sizeof linear_rates / sizeof *linear_rates, COMPRESSED = 5, SILENCE_BYTES = 160 };

static codec_t codecs[COMPRESSED + LINEAR_RATES];
static codec_t hosts[LINEAR_RATES]; /* their ids are behind those of the others */
static int count_of_codecs;
static uint8_t silences[COMPRESSED][SILENCE_BYTES];
static const uint8_t zeros[MAX_FRAME_BYTES];

/* -- linear -- */

static int slin_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    if (count > room / 2)
        return -1;
    for (int n = 0; n < count; n++)
        write_be16(out + 2 * n, (uint16_t)samples[n]);
    return 2 * count;
}

static int slin_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    int count = size / 2;
    if (count > room)
        return -1;
    for (int n = 0; n < count; n++)
        out[n] = (int16_t)read_be16(data + 2 * n);
    return count;
}

static int host_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    if (count > room / 2)
        return -1;
    memcpy(out, samples, (size_t)count * 2);
    return 2 * count;
}

static int host_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    int count = size / 2;
    if (count > room)
        return -1;
    memcpy(out, data, (size_t)count * 2);
    return count;
}

static codec_t linear(const char *name, int rate)
{
    return (codec_t){
        .name = name,
        .rate = rate,
        .clock_rate = rate,
        .frame_ms = 10,
        .frame_bytes = rate / 100 * 2,
        .stateless = true,
        .linear = true,
        .encode = slin_encode,
        .decode = slin_decode,
        .silence = zeros,
        .silence_bytes = rate / 50 * 2,
    };
}

static codec_t host(int rate)
{
    codec_t codec = linear("host", rate);
    codec.linear = false;
    codec.encode = host_encode;
    codec.decode = host_decode;
    return codec;
}

/* -- the table -- */

/* What a new encoder makes of twenty milliseconds of zeros. */
static void make_silence(codec_t *codec, uint8_t room[SILENCE_BYTES])
{
    static const int16_t quiet[MAX_FRAME_SAMPLES];
    void *state = codec->encoder_size ? calloc(1, codec->encoder_size) : NULL;
    if (codec->encoder_size && (!state || !codec->encoder_open(state))) {
        free(state);
        return;
    }
    int written = codec->encode(state, quiet, codec->rate / 50, room, SILENCE_BYTES);
    if (codec->encoder_close)
        codec->encoder_close(state);
    free(state);
    codec->silence = room;
    codec->silence_bytes = written > 0 ? written : 0;
}

static codec_t *add(codec_t codec)
{
    codec_t *place = &codecs[count_of_codecs];
    *place = codec;
    place->id = count_of_codecs++;
    return place;
}

static void add_compressed(const codec_t *codec)
{
    codec_t *place = add(*codec);
    if (place->frame_bytes > 0)
        make_silence(place, silences[place->id]);
}

void codecs_init(void)
{
    if (count_of_codecs > 0)
        return;
    g711_init();
    opus_load();
    add_compressed(&ulaw_codec);
    add_compressed(&alaw_codec);
    add_compressed(&gsm_codec);
    add_compressed(&g722_codec);
    add_compressed(&opus_codec);
    for (int n = 0; n < LINEAR_RATES; n++)
        add(linear(linear_rates[n].name, linear_rates[n].rate));
    for (int n = 0; n < LINEAR_RATES; n++) {
        hosts[n] = host(linear_rates[n].rate);
        hosts[n].id = count_of_codecs + n;
    }
}

int codec_count(void) { return count_of_codecs; }

const codec_t *codec_at(int id) { return id >= 0 && id < count_of_codecs ? &codecs[id] : NULL; }

const codec_t *codec_named(const char *name)
{
    for (int id = 0; id < count_of_codecs; id++)
        if (strcmp(codecs[id].name, name) == 0)
            return &codecs[id];
    return NULL;
}

const codec_t *codec_host(int rate)
{
    for (int n = 0; n < LINEAR_RATES; n++)
        if (hosts[n].rate == rate)
            return &hosts[n];
    return NULL;
}

bool codec_available(const codec_t *codec) { return codec->frame_bytes > 0 || opus_loaded(); }

int codec_ms(const codec_t *codec, const uint8_t *data, int size)
{
    if (codec->frame_bytes == 0)
        return opus_packet_ms(data, size);
    return size > 0 ? (int)((int64_t)size * codec->frame_ms / codec->frame_bytes) : 0;
}
