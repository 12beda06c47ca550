/* Twenty milliseconds of audio, decoded and encoded as late and as seldom as possible. */
#ifndef ARIETTA_FRAME_H
#define ARIETTA_FRAME_H

#include "base.h"
#include "codec.h"
#include "resample.h"
#include "stream.h"

enum { FRAME_CLASSES = 3, FRAME_FORMS = 2, FORM_BYTES = 320 };

/*
 * A payload that remembers what it was converted to. Counted references, all held and given back under the lock of one
 * shard; the memory comes from that shard's pool and returns to whichever pool lets go of it last.
 */
typedef struct frame {
    struct frame *next; /* in a pool */
    int references;
    int size_class;
    const codec_t *codec; /* of payload; a host codec: there are samples only */
    int rate;
    int size;  /* of payload, bytes */
    int count; /* of samples; -1: not decoded yet */
    stream_t *stream; /* whose decoder has to be used, once and in order; NULL: any */
    int forms;
    struct frame_form {
        const codec_t *codec;
        int size;
        uint8_t bytes[FORM_BYTES];
    } form[FRAME_FORMS];
    int16_t *samples; /* both behind the struct, as long as the class says */
    uint8_t *payload;
} frame_t;

typedef struct frame_pool {
    frame_t *free[FRAME_CLASSES];
} frame_pool_t;

void frame_pool_drain(frame_pool_t *pool);

/* A frame of a codec's bytes, which are copied; NULL without memory or when size is beyond a frame. */
frame_t *frame_of_payload(frame_pool_t *pool, const codec_t *codec, const uint8_t *payload, int size, stream_t *stream);
/* An empty frame of samples at a rate, for the caller to fill: up to count of them. */
frame_t *frame_of_samples(frame_pool_t *pool, int rate, int count);
static inline frame_t *frame_hold(frame_t *frame)
{
    if (frame)
        frame->references++;
    return frame;
}
void frame_release(frame_pool_t *pool, frame_t *frame); /* NULL is fine */
static inline void frame_set(frame_pool_t *pool, frame_t **place, frame_t *frame)
{
    frame_release(pool, *place);
    *place = frame;
}

/* For another shard, both locks held: the frame itself when nobody else holds it, else a copy in place of its reference;
   decoded. NULL without memory. */
frame_t *frame_own(frame_pool_t *pool, frame_t *frame);

/* Samples in host order at frame->rate, frame->count of them. */
const int16_t *frame_samples(frame_t *frame);
/* Bytes of a stateless codec of the same rate; each codec once. The frame owns them. */
const uint8_t *frame_encoded(frame_t *frame, const codec_t *codec, int *size);

/* One listener's sample rate conversion, with its memory. All zero at first. */
typedef struct converter {
    resampler_t *resampler;
} converter_t;

void converter_close(converter_t *converter);
/* The frame's samples at a rate: its own, or in scratch of MAX_FRAME_SAMPLES + 8. */
const int16_t *converter_samples(converter_t *converter, frame_t *frame, int rate, int16_t *scratch, int *count);

/* The saturated sum of two frames as a new one (a reference); either alone as it is (its reference passes on). */
frame_t *frame_mixed(frame_pool_t *pool, frame_t *one, frame_t *other, int rate, converter_t converters[2]);

/* The frame, louder or quieter by a factor, saturated and rounded down; takes the reference and gives one, NULL without
   memory. */
frame_t *frame_scaled(frame_pool_t *pool, frame_t *frame, double factor);

/* A bounded queue of references to frames; the oldest leaves when it is full. All zero is empty. */
enum { QUEUE_FRAMES = 10 };

typedef struct frame_queue {
    frame_t *frames[QUEUE_FRAMES];
    int head, count;
} frame_queue_t;

void frame_queue_put(frame_pool_t *pool, frame_queue_t *queue, frame_t *frame);
frame_t *frame_queue_take(frame_queue_t *queue); /* its reference; NULL when empty */
void frame_queue_clear(frame_pool_t *pool, frame_queue_t *queue);
void frame_queue_own(frame_pool_t *pool, frame_queue_t *queue); /* each of them as frame_own does it */

#endif
