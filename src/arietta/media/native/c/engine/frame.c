#include "frame.h"

#include <math.h>
#include <stdlib.h>

static const int class_samples[FRAME_CLASSES] = {320, 960, MAX_FRAME_SAMPLES};
enum { SPARE = 8, DECODER_ROOM = 2048 }; /* a resampler may give a sample or two more than a frame */

static int class_for(int samples, int bytes)
{
    for (int size_class = 0; size_class < FRAME_CLASSES; size_class++)
        if (samples <= class_samples[size_class] && bytes <= 2 * class_samples[size_class])
            return size_class;
    return -1;
}

static frame_t *take(frame_pool_t *pool, int samples, int bytes)
{
    int size_class = class_for(samples, bytes);
    if (size_class < 0)
        return NULL;
    frame_t *frame = pool->free[size_class];
    if (frame) {
        pool->free[size_class] = frame->next;
    } else {
        size_t room = (size_t)class_samples[size_class] + SPARE;
        frame = malloc(sizeof *frame + room * (sizeof(int16_t) + 2));
        if (!frame)
            return NULL;
        frame->size_class = size_class;
        frame->samples = (int16_t *)(frame + 1);
        frame->payload = (uint8_t *)(frame->samples + room);
    }
    frame->next = NULL;
    frame->references = 1;
    frame->forms = 0;
    frame->size = 0;
    frame->count = -1;
    frame->stream = NULL;
    return frame;
}

void frame_pool_drain(frame_pool_t *pool)
{
    for (int size_class = 0; size_class < FRAME_CLASSES; size_class++)
        while (pool->free[size_class]) {
            frame_t *frame = pool->free[size_class];
            pool->free[size_class] = frame->next;
            free(frame);
        }
}

frame_t *frame_of_payload(frame_pool_t *pool, const codec_t *codec, const uint8_t *payload, int size, stream_t *stream)
{
    bool host = codec == codec_host(codec->rate);
    frame_t *frame = take(pool, codec->rate / 50, size);
    if (!frame)
        return NULL;
    frame->codec = codec;
    frame->rate = codec->rate;
    if (host) {
        frame->count = size / 2;
        memcpy(frame->samples, payload, (size_t)frame->count * 2);
        return frame;
    }
    frame->size = size;
    memcpy(frame->payload, payload, (size_t)size);
    frame->stream = stream;
    return frame;
}

frame_t *frame_of_samples(frame_pool_t *pool, int rate, int count)
{
    int whole = rate / 50;
    frame_t *frame = take(pool, count > whole + SPARE ? count : whole, 0);
    if (!frame)
        return NULL;
    frame->codec = codec_host(rate);
    frame->rate = rate;
    frame->count = count;
    return frame;
}

void frame_release(frame_pool_t *pool, frame_t *frame)
{
    if (!frame || --frame->references > 0)
        return;
    frame->next = pool->free[frame->size_class];
    pool->free[frame->size_class] = frame;
}

/* Of sound that is played: no stream stands behind it, each frame begins a decoder of its own. */
static int decode_alone(const codec_t *codec, const uint8_t *payload, int size, int16_t *samples, int room)
{
    _Alignas(max_align_t) uint8_t state[DECODER_ROOM];
    if (codec->decoder_size > sizeof state)
        return 0;
    memset(state, 0, codec->decoder_size);
    if (codec->decoder_size > 0 && codec->decoder_open && !codec->decoder_open(state))
        return 0;
    int count = codec->decode(state, payload, size, samples, room);
    if (codec->decoder_size > 0 && codec->decoder_close)
        codec->decoder_close(state);
    return count;
}

const int16_t *frame_samples(frame_t *frame)
{
    if (frame->count >= 0)
        return frame->samples;
    int room = class_samples[frame->size_class] + SPARE;
    if (frame->stream)
        frame->count = stream_decode(frame->stream, frame->codec, frame->payload, frame->size, frame->samples, room);
    else
        frame->count = decode_alone(frame->codec, frame->payload, frame->size, frame->samples, room);
    if (frame->count <= 0) {
        frame->count = frame->rate / 50;
        memset(frame->samples, 0, (size_t)frame->count * sizeof *frame->samples);
    }
    return frame->samples;
}

frame_t *frame_own(frame_pool_t *pool, frame_t *frame)
{
    const int16_t *samples = frame_samples(frame);
    frame->stream = NULL;
    if (frame->references == 1)
        return frame;
    frame_t *own = frame_of_samples(pool, frame->rate, frame->count);
    if (own)
        memcpy(own->samples, samples, (size_t)frame->count * sizeof *samples);
    frame_release(pool, frame);
    return own;
}

const uint8_t *frame_encoded(frame_t *frame, const codec_t *codec, int *size)
{
    if (frame->codec == codec) {
        *size = frame->size;
        return frame->payload;
    }
    for (int n = 0; n < frame->forms; n++)
        if (frame->form[n].codec == codec) {
            *size = frame->form[n].size;
            return frame->form[n].bytes;
        }
    int slot = frame->forms < FRAME_FORMS ? frame->forms++ : FRAME_FORMS - 1;
    struct frame_form *form = &frame->form[slot];
    const int16_t *samples = frame_samples(frame);
    int written = codec->encode(NULL, samples, frame->count, form->bytes, FORM_BYTES);
    form->codec = written < 0 ? NULL : codec;
    form->size = *size = written < 0 ? 0 : written;
    return form->bytes;
}

void converter_close(converter_t *converter)
{
    resampler_free(converter->resampler);
    converter->resampler = NULL;
}

const int16_t *converter_samples(converter_t *converter, frame_t *frame, int rate, int16_t *scratch, int *count)
{
    const int16_t *samples = frame_samples(frame);
    *count = frame->count;
    if (frame->rate == rate)
        return samples;
    resampler_t *resampler = converter->resampler;
    if (!resampler || resampler_from(resampler) != frame->rate || resampler_to(resampler) != rate) {
        converter_close(converter);
        resampler = converter->resampler = resampler_new(frame->rate, rate);
    }
    *count = resampler ? resampler_process(resampler, samples, frame->count, scratch, MAX_FRAME_SAMPLES + SPARE) : 0;
    if (*count < 0)
        *count = 0;
    return scratch;
}

frame_t *frame_mixed(frame_pool_t *pool, frame_t *one, frame_t *other, int rate, converter_t converters[2])
{
    if (!one || !other)
        return one ? one : other;
    int16_t scratch[2][MAX_FRAME_SAMPLES + SPARE];
    int counts[2];
    const int16_t *first = converter_samples(&converters[0], one, rate, scratch[0], &counts[0]);
    const int16_t *second = converter_samples(&converters[1], other, rate, scratch[1], &counts[1]);
    int shorter = counts[0] < counts[1] ? counts[0] : counts[1];
    int longer = counts[0] < counts[1] ? counts[1] : counts[0];
    frame_t *sum = frame_of_samples(pool, rate, longer);
    if (sum) {
        for (int n = 0; n < shorter; n++)
            sum->samples[n] = saturate(first[n] + second[n]);
        const int16_t *rest = counts[0] < counts[1] ? second : first;
        memcpy(sum->samples + shorter, rest + shorter, (size_t)(longer - shorter) * sizeof *rest);
    }
    frame_release(pool, one);
    frame_release(pool, other);
    return sum;
}

static int16_t scaled(int16_t sample, double factor)
{
    double value = floor(sample * factor);
    return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

frame_t *frame_scaled(frame_pool_t *pool, frame_t *frame, double factor)
{
    const int16_t *samples = frame_samples(frame);
    frame_t *changed = frame_of_samples(pool, frame->rate, frame->count);
    for (int n = 0; changed && n < frame->count; n++)
        changed->samples[n] = scaled(samples[n], factor);
    frame_release(pool, frame);
    return changed;
}

void frame_queue_put(frame_pool_t *pool, frame_queue_t *queue, frame_t *frame)
{
    if (queue->count == QUEUE_FRAMES)
        frame_release(pool, frame_queue_take(queue));
    queue->frames[(queue->head + queue->count) % QUEUE_FRAMES] = frame;
    queue->count++;
}

frame_t *frame_queue_take(frame_queue_t *queue)
{
    if (queue->count == 0)
        return NULL;
    frame_t *frame = queue->frames[queue->head];
    queue->head = (queue->head + 1) % QUEUE_FRAMES;
    queue->count--;
    return frame;
}

void frame_queue_clear(frame_pool_t *pool, frame_queue_t *queue)
{
    while (queue->count > 0)
        frame_release(pool, frame_queue_take(queue));
}

void frame_queue_own(frame_pool_t *pool, frame_queue_t *queue)
{
    for (int left = queue->count; left > 0; left--) {
        frame_t *own = frame_own(pool, frame_queue_take(queue));
        if (own)
            frame_queue_put(pool, queue, own);
    }
}
