/* Audio formats by name: samples to the bytes of the wire and back. */
#ifndef ARIETTA_CODEC_H
#define ARIETTA_CODEC_H

#include "base.h"

/* One format. Samples are signed 16 bits in host order, one channel. Codecs live as long as the process. */
typedef struct codec {
    const char *name;      /* as the dialplan writes it: ulaw, alaw, gsm, g722, opus, slin, slin12 ... slin192 */
    int id;                /* 0 .. codec_count() - 1 */
    int rate;              /* of its samples, Hz */
    int clock_rate;        /* of its RTP timestamps: 8000 for g722 (RFC 3551 4.5.2), 48000 for opus (RFC 7587) */
    int frame_ms;          /* shortest time a payload can hold */
    int frame_bytes;       /* of frame_ms; 0 when it varies (opus) */
    bool stateless;        /* frames do not depend on each other: one encoding serves all listeners */
    bool linear;           /* the bytes are samples in network order */
    size_t encoder_size;   /* bytes of state an encoder needs, 0 none; the caller allocates, aligned for any type */
    size_t decoder_size;
    bool (*encoder_open)(void *state);   /* NULL when there is no state; false: not available (libopus is missing) */
    bool (*decoder_open)(void *state);
    void (*encoder_close)(void *state);  /* NULL when there is nothing to give back */
    void (*decoder_close)(void *state);
    /* count is a multiple of frame_ms, at most MAX_FRAME_SAMPLES. Bytes written, -1 when room is too small. */
    int (*encode)(void *state, const int16_t *samples, int count, uint8_t *out, int room);
    /* Samples written; bytes after the last whole frame are dropped; -1 when room is too small or the bytes are broken. */
    int (*decode)(void *state, const uint8_t *data, int size, int16_t *out, int room);
    /* Samples made up for a lost frame by the decoder itself; NULL when it cannot. */
    int (*conceal)(void *state, int16_t *out, int count);
    const uint8_t *silence; /* twenty milliseconds, encoded; NULL for opus */
    int silence_bytes;
} codec_t;

/* To be called once, before any other function, on one thread; again does nothing. */
void codecs_init(void);
int codec_count(void);
const codec_t *codec_at(int id);
/* NULL when there is none of that name. */
const codec_t *codec_named(const char *name);
/* Samples in host order at a rate, a codec of its own (name "host"); NULL for a rate no slin has. */
const codec_t *codec_host(int rate);
/* True when its encoders and decoders can be opened (false: opus without libopus). */
bool codec_available(const codec_t *codec);

static inline int codec_bytes(const codec_t *codec, int ms) { return ms * codec->frame_bytes / codec->frame_ms; }
/* Milliseconds a payload holds, rounded down; for opus by its TOC byte (RFC 6716 3.1); 0 when broken. */
int codec_ms(const codec_t *codec, const uint8_t *data, int size);
static inline int codec_samples(const codec_t *codec, int ms) { return codec->rate / 100 * ms / 10; }

#endif
