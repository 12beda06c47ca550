#include "opus.h"

#include <dlfcn.h>

/* Numbers of libopus's interface (opus_defines.h). */
enum {
    APPLICATION_VOIP = 2048,
    SET_COMPLEXITY = 4010,
    COMPLEXITY = 5, /* of 10: 0.2 ms of CPU for a packet; the default of 9 takes 0.35 and saves no bytes */
    SET_INBAND_FEC = 4012,
    SET_PACKET_LOSS_PERC = 4014,
    EXPECTED_LOSS_PERC = 5, /* without any, no packet carries what corrects the one before */
    RATE = 48000,
    LONGEST_MS = 120,       /* RFC 6716 3.2.5 [R5] */
};

/* The state of an encoder or a decoder is a pointer to libopus's own. */
typedef struct opus_state {
    void *coder;
} opus_state_t;

static struct {
    void *(*encoder_create)(int32_t rate, int channels, int application, int *error);
    void (*encoder_destroy)(void *encoder);
    int (*encoder_ctl)(void *encoder, int request, ...);
    int32_t (*encode)(void *encoder, const int16_t *samples, int count, unsigned char *out, int32_t room);
    void *(*decoder_create)(int32_t rate, int channels, int *error);
    void (*decoder_destroy)(void *decoder);
    int (*decode)(void *decoder, const unsigned char *data, int32_t size, int16_t *out, int room, int fec);
    bool loaded;
} libopus;

/* POSIX has dlsym give functions as void pointers; ISO C has no cast for that. */
static bool find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

void opus_load(void)
{
    static const char *const names[] = {"libopus.so.0", "libopus.0.dylib"};
    void *library = NULL;
    for (size_t n = 0; n < sizeof names / sizeof *names && !library; n++)
        library = dlopen(names[n], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    libopus.loaded = find(library, "opus_encoder_create", &libopus.encoder_create) &&
                     find(library, "opus_encoder_destroy", &libopus.encoder_destroy) &&
                     find(library, "opus_encoder_ctl", &libopus.encoder_ctl) &&
                     find(library, "opus_encode", &libopus.encode) &&
                     find(library, "opus_decoder_create", &libopus.decoder_create) &&
                     find(library, "opus_decoder_destroy", &libopus.decoder_destroy) &&
                     find(library, "opus_decode", &libopus.decode);
}

bool opus_loaded(void) { return libopus.loaded; }

int opus_packet_ms(const uint8_t *data, int size)
{
    /* RFC 6716 table 2, in eighths of 20 ms: four sizes of SILK, two of hybrid, four of CELT. */
    static const uint8_t silk[4] = {4, 8, 16, 24}, celt[4] = {1, 2, 4, 8};
    if (size < 1)
        return 0;
    int config = data[0] >> 3;
    int eighths = config < 12 ? silk[config & 3] : config < 16 ? silk[config & 1] : celt[config & 3];
    int frames = (data[0] & 3) == 0 ? 1 : (data[0] & 3) < 3 ? 2 : size > 1 ? data[1] & 63 : 0;
    int ms = frames * eighths * 20 / 8;
    return ms <= LONGEST_MS ? ms : 0;
}

static bool encoder_open(void *state)
{
    opus_state_t *opus = state;
    opus->coder = libopus.loaded ? libopus.encoder_create(RATE, 1, APPLICATION_VOIP, &(int){0}) : NULL;
    if (!opus->coder)
        return false;
    libopus.encoder_ctl(opus->coder, SET_COMPLEXITY, COMPLEXITY);
    libopus.encoder_ctl(opus->coder, SET_INBAND_FEC, 1);
    libopus.encoder_ctl(opus->coder, SET_PACKET_LOSS_PERC, EXPECTED_LOSS_PERC);
    return true;
}

static void encoder_close(void *state)
{
    opus_state_t *opus = state;
    if (opus->coder)
        libopus.encoder_destroy(opus->coder);
    opus->coder = NULL;
}

static bool decoder_open(void *state)
{
    opus_state_t *opus = state;
    opus->coder = libopus.loaded ? libopus.decoder_create(RATE, 1, &(int){0}) : NULL;
    return opus->coder != NULL;
}

static void decoder_close(void *state)
{
    opus_state_t *opus = state;
    if (opus->coder)
        libopus.decoder_destroy(opus->coder);
    opus->coder = NULL;
}

/* One packet; libopus lowers the bit rate until it fits the room. */
static int opus_encode_packet(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    int written = libopus.encode(((opus_state_t *)state)->coder, samples, count, out, room);
    return written > 0 ? written : -1;
}

static int opus_decode_packet(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    if (opus_packet_ms(data, size) == 0)
        return -1;
    int count = libopus.decode(((opus_state_t *)state)->coder, data, size, out, room, 0);
    return count > 0 ? count : -1;
}

static int opus_conceal(void *state, int16_t *out, int count)
{
    int written = libopus.decode(((opus_state_t *)state)->coder, NULL, 0, out, count, 0);
    return written > 0 ? written : -1;
}

const codec_t opus_codec = {
    .name = "opus",
    .rate = RATE,
    .clock_rate = RATE,
    .frame_ms = 20,
    .encoder_size = sizeof(opus_state_t),
    .decoder_size = sizeof(opus_state_t),
    .encoder_open = encoder_open,
    .decoder_open = decoder_open,
    .encoder_close = encoder_close,
    .decoder_close = decoder_close,
    .encode = opus_encode_packet,
    .decode = opus_decode_packet,
    .conceal = opus_conceal,
};
