/* What decodes one received stream: a decoder for each codec it uses, and what makes up for its losses. */
#ifndef ARIETTA_STREAM_H
#define ARIETTA_STREAM_H

#include "base.h"
#include "codec.h"
#include "plc.h"

enum { STREAM_STASH = 4 * MAX_FRAME_SAMPLES };

typedef struct stream {
    const codec_t *codec; /* the decoder's */
    void *decoder;        /* NULL for stateless codecs */
    plc_t *plc;
    int plc_rate;
    bool lost;            /* the last frame was made up */
    int16_t *stash;       /* decoded and not given out yet: codecs whose packets are of any length */
    int stashed, stash_rate;
} stream_t;

/* All zero is a new stream. Forgets decoder, history and stash: another source begins. */
void stream_close(stream_t *stream);
/* Samples of a payload of any codec, in order; count of them, 0 when it is broken. */
int stream_decode(stream_t *stream, const codec_t *codec, const uint8_t *payload, int size, int16_t *samples, int room);
/* Samples of a frame that was lost: always 20 ms. */
int stream_conceal(stream_t *stream, const codec_t *codec, int16_t *samples, int room);
/* Codecs of varying frames: keeps a packet's samples. */
void stream_stash(stream_t *stream, const codec_t *codec, const uint8_t *payload, int size);
/* 20 ms of them at stash_rate, count of them; 0 when there are fewer. With all, less than that is filled with silence. */
int stream_unstash(stream_t *stream, bool all, int16_t *samples, int room);
static inline void stream_forget_stash(stream_t *stream) { stream->stashed = 0; }

#endif
