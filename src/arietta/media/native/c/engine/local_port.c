#include "local_port.h"

#include <stdlib.h>

static void nothing(port_t *port) { (void)port; }

/* -- ports that are given whole frames -- */

static void inbox_give(inbox_port_t *port, frame_t *frame)
{
    if (port->base.closed)
        return;
    if (!port->started) {
        port->started = true;
        port_tell(&port->base, EVENT_MEDIA_STARTED, 0, 0);
    }
    if (!port->base.hearing)
        return;
    frame_queue_put(&port->base.core->pool, &port->inbox, frame_hold(frame));
    core_activate(port->base.core, &port->base);
}

static frame_t *inbox_pull(port_t *port, int64_t tick)
{
    (void)tick;
    return frame_queue_take(&((inbox_port_t *)port)->inbox);
}

static bool inbox_waiting(const port_t *port) { return ((const inbox_port_t *)port)->inbox.count > 0; }

static void inbox_discard(port_t *port) { frame_queue_clear(&port->core->pool, &((inbox_port_t *)port)->inbox); }

/* What waits may wait elsewhere too, in a port that stays. */
static void inbox_moved(port_t *port, core_t *from) { frame_queue_own(&from->pool, &((inbox_port_t *)port)->inbox); }

/* -- pipes -- */

static void pipe_send_frame(port_t *port, frame_t *frame, int64_t tick)
{
    (void)tick;
    pipe_port_t *peer = ((pipe_port_t *)port)->peer;
    if (!peer)
        return;
    frame_samples(frame); /* a stream decodes in order and once, also when this frame is heard later */
    inbox_give(&peer->inbox, frame);
}

static bool pipe_digit_out(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick)
{
    (void)tick;
    pipe_port_t *peer = ((pipe_port_t *)port)->peer;
    if (!peer || peer->inbox.base.closed || port->muted_out)
        return true;
    if (duration_ms >= 0)
        port_digit_ended(&peer->inbox.base, digit, duration_ms);
    else if (elapsed_ms == 0)
        port_digit_began(&peer->inbox.base, digit);
    return true;
}

static void pipe_release(port_t *port)
{
    pipe_port_t *pipe = (pipe_port_t *)port;
    if (pipe->peer) {
        pipe->peer->peer = NULL;
        pipe->peer = NULL;
    }
    inbox_discard(port);
}

static port_t *pipe_partner(const port_t *port)
{
    pipe_port_t *peer = ((const pipe_port_t *)port)->peer;
    return peer ? &peer->inbox.base : NULL;
}

const port_kind_t pipe_kind = {
    .size = sizeof(pipe_port_t),
    .tick_in = port_tick_in,
    .tick_out = port_tick_out,
    .tick_taps = port_tick_taps,
    .pull = inbox_pull,
    .waiting = inbox_waiting,
    .discard = inbox_discard,
    .send_payload = port_send_payload,
    .send_frame = pipe_send_frame,
    .digit_out = pipe_digit_out,
    .pass_digit_began = port_pass_digit_began,
    .partner = pipe_partner,
    .moved = inbox_moved,
    .release = pipe_release,
};

bool pipe_open(core_t *core, port_t *ends[2])
{
    pipe_port_t *one = (pipe_port_t *)port_new(core, &pipe_kind, codec_host(8000));
    if (!one)
        return false;
    pipe_port_t *other = (pipe_port_t *)port_new(core, &pipe_kind, codec_host(8000));
    if (!other) {
        port_close(&one->inbox.base);
        return false;
    }
    one->peer = other;
    other->peer = one;
    ends[0] = &one->inbox.base;
    ends[1] = &other->inbox.base;
    return true;
}

/* -- snoops -- */

void snoop_overhear(port_t *port, frame_t *received, frame_t *sent)
{
    snoop_port_t *snoop = (snoop_port_t *)port;
    bool in = snoop->spy == SIDE_IN || snoop->spy == SIDE_BOTH;
    bool out = snoop->spy == SIDE_OUT || snoop->spy == SIDE_BOTH;
    frame_t *heard = in ? frame_hold(received) : NULL;
    if (out && sent) {
        int rate = heard && heard->rate > sent->rate ? heard->rate : sent->rate;
        heard = frame_mixed(&port->core->pool, heard, frame_hold(sent), rate, snoop->converters);
    }
    if (!heard)
        return;
    frame_samples(heard);
    inbox_give(&snoop->inbox, heard);
    frame_release(&port->core->pool, heard);
}

void snoop_target_closed(port_t *port) { ((snoop_port_t *)port)->target = NULL; }

static void snoop_send_frame(port_t *port, frame_t *frame, int64_t tick)
{
    (void)tick;
    snoop_port_t *snoop = (snoop_port_t *)port;
    port_t *target = snoop->target;
    if (!target)
        return;
    frame_samples(frame);
    if (snoop->whisper == SIDE_OUT || snoop->whisper == SIDE_BOTH)
        frame_queue_put(&port->core->pool, &target->whispers_out, frame_hold(frame));
    if (snoop->whisper == SIDE_IN || snoop->whisper == SIDE_BOTH)
        frame_queue_put(&port->core->pool, &target->whispers_in, frame_hold(frame));
    if (snoop->whisper != SIDE_NONE)
        core_activate(port->core, target);
}

static void snoop_release(port_t *port)
{
    snoop_port_t *snoop = (snoop_port_t *)port;
    port_t *target = snoop->target;
    snoop->target = NULL;
    if (target) {
        for (port_t **place = &target->snoops; *place; place = &(*place)->next_snoop)
            if (*place == port) {
                *place = port->next_snoop;
                break;
            }
        port->next_snoop = NULL;
        port_changed(target);
    }
    inbox_discard(port);
    converter_close(&snoop->converters[0]);
    converter_close(&snoop->converters[1]);
}

static port_t *snoop_partner(const port_t *port) { return ((const snoop_port_t *)port)->target; }

const port_kind_t snoop_kind = {
    .size = sizeof(snoop_port_t),
    .tick_in = port_tick_in,
    .tick_out = port_tick_out,
    .tick_taps = port_tick_taps,
    .pull = inbox_pull,
    .waiting = inbox_waiting,
    .discard = inbox_discard,
    .send_payload = port_send_payload,
    .send_frame = snoop_send_frame,
    .digit_out = port_digit_out,
    .pass_digit_began = port_pass_digit_began,
    .partner = snoop_partner,
    .moved = inbox_moved,
    .release = snoop_release,
};

port_t *snoop_open(core_t *core, port_t *target, side_t spy, side_t whisper)
{
    snoop_port_t *snoop = (snoop_port_t *)port_new(core, &snoop_kind, codec_host(8000));
    if (!snoop)
        return NULL;
    snoop->spy = spy;
    snoop->whisper = whisper;
    if (target && !target->closed) {
        snoop->target = target;
        port_t **place = &target->snoops;
        while (*place)
            place = &(*place)->next_snoop;
        *place = &snoop->inbox.base;
        port_changed(target);
    }
    return &snoop->inbox.base;
}

/* -- a mixer's own: what it plays goes into the mix, its recordings are of the mix -- */

static void mix_tick_in(port_t *port, int64_t tick)
{
    const codec_t *codec = port->codec;
    const uint8_t *payload = port->player ? player_next(port->player, tick) : NULL;
    if (!payload && port->generator)
        payload = feed_next(port->core, port->generator, tick);
    if (!payload || !port->mixer || port->muted_out)
        return;
    frame_t *frame = frame_of_payload(&port->core->pool, codec, payload, codec_bytes(codec, FRAME_MS), NULL);
    if (frame)
        mixer_offer(port->mixer, port, frame);
    frame_release(&port->core->pool, frame);
}

static void mix_tick_out(port_t *port, int64_t tick)
{
    int rate = mix_port_heard_rate(port);
    frame_t *heard = port->incoming && rate ? port_converted(port, port->incoming, rate) : port->incoming;
    port->incoming = NULL;
    frame_set(&port->core->pool, &port->frame_in, heard);
    if (port->digits)
        digit_sender_tick(port->digits, port, tick);
}

static void mix_tick_taps(port_t *port, int64_t tick)
{
    port_tick_taps(port, tick);
    if (port->talk)
        port_detect(port, port->frame_in);
    frame_set(&port->core->pool, &port->frame_in, NULL);
}

static frame_t *mix_pull(port_t *port, int64_t tick)
{
    (void)port, (void)tick;
    return NULL;
}

static bool mix_waiting(const port_t *port)
{
    (void)port;
    return false;
}

static void mix_send_frame(port_t *port, frame_t *frame, int64_t tick) { (void)port, (void)frame, (void)tick; }

static bool mix_digit_out(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick)
{
    (void)tick;
    if (!port->mixer)
        return false;
    if (duration_ms >= 0)
        mixer_digit_ended(port->mixer, port, digit, duration_ms);
    else if (elapsed_ms == 0)
        mixer_digit_began(port->mixer, port, digit);
    return false;
}

/* A mix has nobody to press keys at. */
static void mix_pass_digit_began(port_t *port, char digit) { (void)port, (void)digit; }

bool mix_port_working(const port_t *port) { return port->player || port->generator || port_overheard(port); }

/* That of its best recording, so that a mix which changes its rate is one sound in the file. */
int mix_port_heard_rate(const port_t *port)
{
    int rate = 0;
    for (const recorder_t *one = port->recorders; one; one = one->next)
        if (!one->parties && one->options.rate > rate)
            rate = one->options.rate;
    return rate;
}

const port_kind_t mix_kind = {
    .size = sizeof(port_t),
    .tick_in = mix_tick_in,
    .tick_out = mix_tick_out,
    .tick_taps = mix_tick_taps,
    .pull = mix_pull,
    .waiting = mix_waiting,
    .discard = nothing,
    .send_payload = port_send_payload,
    .send_frame = mix_send_frame,
    .digit_out = mix_digit_out,
    .pass_digit_began = mix_pass_digit_began,
    .release = nothing,
};

port_t *mix_port_open(mixer_t *mixer)
{
    port_t *port = port_new(mixer->core, &mix_kind, codec_host(8000));
    if (port && !mixer->closed)
        mixer_join(mixer, port, false, true);
    return port;
}

/* -- streams -- */

static int ring_at(const stream_port_t *stream, int offset) { return (stream->head + offset) % stream->room; }

/* Makes room for so much; how much of what comes has no room itself. Whole ticks go, so that frames stay whole. */
static int push_out_oldest(stream_port_t *stream, int size)
{
    int64_t excess = (int64_t)stream->held + size - stream->room;
    if (excess <= 0)
        return 0;
    int64_t ticks = (excess + stream->size - 1) / stream->size, leaving = ticks * stream->size;
    stream->dropped_ms += ticks * FRAME_MS;
    int old = leaving < stream->held ? (int)leaving : stream->held;
    stream->head = ring_at(stream, old);
    stream->held -= old;
    return leaving - old < size ? (int)(leaving - old) : size;
}

void stream_push(port_t *port, const uint8_t *data, int size)
{
    stream_port_t *stream = (stream_port_t *)port;
    if (port->closed || size <= 0)
        return;
    if (!stream->started) {
        stream->started = true;
        port_tell(port, EVENT_MEDIA_STARTED, 0, 0);
    }
    if (!port->hearing)
        return;
    int skipped = push_out_oldest(stream, size);
    data += skipped;
    size -= skipped;
    int end = ring_at(stream, stream->held);
    int first = stream->room - end < size ? stream->room - end : size;
    memcpy(stream->buffer + end, data, (size_t)first);
    memcpy(stream->buffer, data + first, (size_t)(size - first));
    stream->held += size;
    core_activate(port->core, port);
}

void stream_flush(port_t *port)
{
    stream_port_t *stream = (stream_port_t *)port;
    stream->head = stream->held = 0;
}

int stream_buffered_ms(const port_t *port)
{
    const stream_port_t *stream = (const stream_port_t *)port;
    return (int)((int64_t)stream->held * port->codec->frame_ms / port->codec->frame_bytes);
}

int64_t stream_dropped_ms(const port_t *port) { return ((const stream_port_t *)port)->dropped_ms; }

void stream_digit(port_t *port, char digit, int duration_ms)
{
    if (port->closed)
        return;
    port_digit_began(port, digit);
    port_digit_ended(port, digit, duration_ms);
}

static void take_bytes(stream_port_t *stream, uint8_t *out, int size)
{
    int first = stream->room - stream->head < size ? stream->room - stream->head : size;
    memcpy(out, stream->buffer + stream->head, (size_t)first);
    memcpy(out + first, stream->buffer, (size_t)(size - first));
    stream->head = ring_at(stream, size);
    stream->held -= size;
}

static frame_t *stream_pull(port_t *port, int64_t tick)
{
    (void)tick;
    stream_port_t *stream = (stream_port_t *)port;
    const codec_t *codec = port->codec;
    uint8_t payload[MAX_FRAME_BYTES];
    int size = stream->held < stream->size ? stream->held : stream->size;
    if (size == 0)
        return NULL;
    if (size < stream->size && ++stream->tries <= 2)
        return NULL; /* a last piece shorter than a frame: more may be coming */
    stream->tries = 0;
    take_bytes(stream, payload, size);
    if (size < stream->size) {
        if (codec->silence)
            memcpy(payload + size, codec->silence + size, (size_t)(stream->size - size));
        else
            memset(payload + size, 0, (size_t)(stream->size - size));
    }
    return frame_of_payload(&port->core->pool, codec, payload, stream->size, &stream->stream);
}

static bool stream_waiting(const port_t *port) { return ((const stream_port_t *)port)->held > 0; }

static void stream_send_payload(port_t *port, const uint8_t *payload, int size, int64_t tick)
{
    (void)tick;
    stream_port_t *stream = (stream_port_t *)port;
    if (stream->unread_count == MOST_UNREAD) {
        stream->unread_head = (stream->unread_head + 1) % MOST_UNREAD;
        stream->unread_count--;
        stream->unread_dropped++;
    }
    struct unread *slot = &stream->unread[(stream->unread_head + stream->unread_count) % MOST_UNREAD];
    uint8_t *data = size <= stream->size && slot->data ? slot->data : realloc(slot->data, (size_t)(size > stream->size ? size : stream->size));
    if (!data)
        return;
    slot->data = data;
    slot->size = size;
    memcpy(data, payload, (size_t)size);
    if (stream->unread_count++ == 0)
        port_tell(port, EVENT_FRAMES, 0, 0);
}

const uint8_t *stream_take(port_t *port, int *size)
{
    stream_port_t *stream = (stream_port_t *)port;
    if (stream->unread_count == 0)
        return NULL;
    struct unread *slot = &stream->unread[stream->unread_head];
    stream->unread_head = (stream->unread_head + 1) % MOST_UNREAD;
    stream->unread_count--;
    *size = slot->size;
    return slot->data;
}

static bool stream_digit_out(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick)
{
    stream_port_t *stream = (stream_port_t *)port;
    if (!stream->tells_digits)
        return port_digit_out(port, digit, elapsed_ms, duration_ms, tick);
    if (duration_ms >= 0 && !port->closed && !port->muted_out)
        port_tell(port, EVENT_STREAM_DIGIT, digit, duration_ms);
    return true;
}

static void stream_release(port_t *port)
{
    stream_port_t *stream = (stream_port_t *)port;
    free(stream->buffer);
    stream->buffer = NULL;
    stream->held = stream->unread_count = 0;
    for (int n = 0; n < MOST_UNREAD; n++) {
        free(stream->unread[n].data);
        stream->unread[n].data = NULL;
    }
}

static void stream_destroy(port_t *port) { stream_close(&((stream_port_t *)port)->stream); }

const port_kind_t stream_kind = {
    .size = sizeof(stream_port_t),
    .tick_in = port_tick_in,
    .tick_out = port_tick_out,
    .tick_taps = port_tick_taps,
    .pull = stream_pull,
    .waiting = stream_waiting,
    .discard = stream_flush,
    .send_payload = stream_send_payload,
    .send_frame = port_send_frame,
    .digit_out = stream_digit_out,
    .pass_digit_began = port_pass_digit_began,
    .release = stream_release,
    .destroy = stream_destroy,
};

port_t *stream_open(core_t *core, const codec_t *codec, int buffer_ms, bool tells_digits)
{
    stream_port_t *stream = (stream_port_t *)port_new(core, &stream_kind, codec);
    if (!stream)
        return NULL;
    stream->size = codec_bytes(codec, FRAME_MS);
    stream->room = (int)((int64_t)buffer_ms * codec->frame_bytes / codec->frame_ms);
    if (stream->room < stream->size)
        stream->room = stream->size;
    stream->tells_digits = tells_digits;
    stream->buffer = malloc((size_t)stream->room);
    if (!stream->buffer) {
        port_close(&stream->base);
        return NULL;
    }
    return &stream->base;
}
