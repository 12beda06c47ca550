/*
 * The jitter buffer: packets in by sequence number, 20 ms frames out by time.
 *
 * Codecs whose frames vary (opus) come out as whole packets, for the caller to decode and to keep what is longer than a
 * tick. Time is kept here all the same: after a packet of 60 ms two ticks get JITTER_NOTHING with the codec set (the
 * packet is still playing); a packet shorter than the tick is followed by others from jitter_more.
 */
#ifndef ARIETTA_JITTER_H
#define ARIETTA_JITTER_H

#include "base.h"
#include "codec.h"

typedef struct jitter jitter_t;

typedef enum jitter_kind {
    JITTER_NOTHING, /* nothing to hear; with a codec: the packet before still plays */
    JITTER_FRAME,   /* a payload of 20 ms (a whole packet for codecs whose frames vary) */
    JITTER_LOST,    /* a frame that has to be made up */
} jitter_kind_t;

typedef struct jitter_frame {
    jitter_kind_t kind;
    const codec_t *codec;
    const uint8_t *data; /* valid until the next call on this buffer */
    int size;
    int run;             /* LOST: 1 for the first lost frame in a row */
} jitter_frame_t;

/* How it evens out what arrives. */
typedef struct jitter_rules {
    bool fixed;     /* it stays as deep as it is */
    int target_ms;  /* how deep it is at first, and at least; 500 at most */
    int largest_ms; /* how deep lateness makes it */
    int resync_ms;  /* what is further than that from what is due begins a new stream; 0: as many packets as usual */
} jitter_rules_t;

extern const jitter_rules_t jitter_adaptive; /* as every port has it at first */

bool jitter_rules_differ(const jitter_rules_t *one, const jitter_rules_t *other);
/* NULL without memory. It allocates in jitter_put alone. */
jitter_t *jitter_new(const jitter_rules_t *rules);
void jitter_free(jitter_t *jitter); /* NULL is fine */
/* Forgets what waits and begins a new stream; what adapted and was counted stays. */
void jitter_clear(jitter_t *jitter);
void jitter_put(jitter_t *jitter, uint16_t sequence, const codec_t *codec, const uint8_t *payload, int size);
/* The frame of this tick, to be asked for once in each. */
jitter_frame_t jitter_get(jitter_t *jitter);
/* After a packet of varying frames: what else belongs to this tick; JITTER_NOTHING when nothing does. */
jitter_frame_t jitter_more(jitter_t *jitter);
/* Nothing will come out before something comes in. */
bool jitter_empty(const jitter_t *jitter);
int jitter_depth_ms(const jitter_t *jitter);
int jitter_target_ms(const jitter_t *jitter);
int64_t jitter_dropped(const jitter_t *jitter); /* too late, double or too many */
int64_t jitter_lost(const jitter_t *jitter);    /* made up */

#endif
