#include "rtp_parts.h"

static const codec_t *understood(const rtp_port_t *port, uint8_t payload_type)
{
    for (int n = 0; n < port->settings.received; n++)
        if (port->settings.receive[n].payload_type == payload_type)
            return port->settings.receive[n].codec;
    return NULL;
}

/* Another SSRC from the right place is taken after its own probation. */
static bool proven(rtp_port_t *port, uint32_t ssrc, uint16_t sequence)
{
    bool follows = port->has_candidate && port->candidate == ssrc && port->candidate_following == sequence;
    port->candidate_count = follows ? port->candidate_count + 1 : 1;
    port->has_candidate = true;
    port->candidate = ssrc;
    port->candidate_following = (uint16_t)(sequence + 1);
    return port->candidate_count >= port->base.core->settings.probation;
}

int64_t rtp_port_lost(const rtp_port_t *port)
{
    int64_t lost = port->has_incoming ? receiver_lost(&port->incoming) : 0;
    return lost > 0 ? lost : 0;
}

static void begin_source(rtp_port_t *port, uint32_t ssrc, uint16_t sequence)
{
    port->base.core->packets_lost += rtp_port_lost(port);
    port->has_source = true;
    port->source = ssrc;
    port->has_candidate = false;
    port->has_incoming = true;
    receiver_init(&port->incoming, ssrc, sequence);
    jitter_clear(port->jitter);
    stream_close(&port->stream);
    comfort_noise_end(&port->noise);
}

/* Learn where packets come from, then hold to one SSRC of it. */
static bool accept_source(rtp_port_t *port, const address_t *source, const rtp_packet_t *packet, int64_t now_ns)
{
    learner_t *learner = &port->learner;
    if (!learner_accept(learner, source, packet->sequence, now_ns))
        return false;
    if (!port->heard_from.family || !address_equal(source, &port->heard_from)) {
        port->heard_from = *source;
        port->has_source = false;
    }
    if (port->settings.symmetric && learner->locked.family && address_equal(source, &learner->locked))
        port->target = *source;
    if (port->has_source && packet->ssrc == port->source)
        return true;
    if (port->has_source && !proven(port, packet->ssrc, packet->sequence))
        return false;
    begin_source(port, packet->ssrc, packet->sequence);
    return true;
}

/* The clock of events of a payload type; 0 when they are none. */
static int event_rate_of(const rtp_port_t *port, uint8_t payload_type)
{
    const rtp_settings_t *settings = &port->settings;
    for (int n = 0; n < settings->event_types; n++)
        if (settings->events[n].payload_type == payload_type && settings->events[n].rate > 0)
            return settings->events[n].rate;
    if (payload_type != settings->event_type)
        return 0;
    return settings->event_rate > 0 ? settings->event_rate : rtp_port_receive_rate(port);
}

static void tell_digits(rtp_port_t *port, const digit_told_t *told, int count)
{
    for (int n = 0; n < count; n++)
        if (told[n].duration < 0)
            port_digit_began(&port->base, told[n].digit);
        else
            port_digit_ended(&port->base, told[n].digit, told[n].duration * 1000 / port->digit_rate);
}

static void receive_event(rtp_port_t *port, const rtp_packet_t *packet, int rate, int64_t now_ns)
{
    port->digit_rate = rate;
    digit_told_t told[3];
    bool held = port->digit_receiver.digit != 0;
    int count = digit_receiver_take(&port->digit_receiver, packet->timestamp, packet->payload, packet->size, told);
    if (count < 0) {
        port->base.core->packets_dropped++;
        return;
    }
    port->event_ns = now_ns;
    tell_digits(port, told, count);
    if (!held && port->digit_receiver.digit != 0) {
        port->event_silence_at = now_ns + port->base.core->settings.digit_silence_ns;
        rtp_arm(port);
    }
}

/* RFC 3389: heard once what waits is over, until audio comes again. A relayed stream has none. */
static void receive_noise(rtp_port_t *port, const rtp_packet_t *packet)
{
    if (!port->base.hearing || !port->settings.receives || port->relay)
        return;
    comfort_noise_describe(&port->noise, packet->payload, packet->size);
    core_activate(port->base.core, &port->base);
}

void rtp_event_silence(rtp_port_t *port, int64_t now_ns)
{
    port->event_silence_at = INT64_MAX;
    if (port->digit_receiver.digit == 0)
        return;
    int64_t over_at = port->event_ns + port->base.core->settings.digit_silence_ns;
    if (now_ns < over_at) {
        port->event_silence_at = over_at;
        return;
    }
    digit_told_t told[1];
    tell_digits(port, told, digit_receiver_silent(&port->digit_receiver, told));
}

void rtp_watch(rtp_port_t *port, int64_t now_ns)
{
    port->watch_at = INT64_MAX;
    int64_t limit = port->settings.timeout_ns;
    if (limit <= 0)
        return;
    int64_t silence = now_ns - port->heard_ns;
    if (silence >= limit) {
        port->started = false;
        port_tell(&port->base, EVENT_MEDIA_STOPPED, silence / MS_NS, 0);
        port->heard_ns = now_ns;
    }
    port->watch_at = port->heard_ns + limit;
}

/* A packet that counts: statistics, the events of its arrival. */
static bool count_packet(rtp_port_t *port, const rtp_packet_t *packet, int rate, int64_t now_ns)
{
    uint32_t arrival = (uint32_t)(now_ns / SECOND_NS * rate + now_ns % SECOND_NS * rate / SECOND_NS);
    if (!receiver_update(&port->incoming, packet->sequence, packet->timestamp, arrival))
        return false;
    port->packets_received++;
    port->octets_received += packet->size;
    port->heard_ns = now_ns;
    if (!port->started) {
        port->started = true;
        port_tell(&port->base, EVENT_MEDIA_STARTED, 0, 0);
    }
    rtp_traffic(port, now_ns);
    return true;
}

void rtp_discard(port_t *base)
{
    rtp_port_t *port = (rtp_port_t *)base;
    if (port->jitter)
        jitter_clear(port->jitter);
    stream_forget_stash(&port->stream);
    comfort_noise_end(&port->noise);
}

static void take_audio(rtp_port_t *port, const codec_t *codec, const rtp_packet_t *packet, int64_t now_ns)
{
    if (codec != port->last_codec) {
        port->last_codec = codec;
        if (port->base.mixer)
            mixer_update(port->base.mixer);
    }
    if (codec != port->base.codec && codec != port->told_codec) {
        port->told_codec = codec;
        port_tell(&port->base, EVENT_CODEC, packet->payload_type, 0);
    }
    if (!port->settings.receives)
        return;
    if (port->relay) {
        rtp_discard(&port->base); /* what waited from before would come between the packets that are passed on */
        rtp_forward(port->relay, packet, now_ns);
        return;
    }
    if (port->base.hearing) {
        jitter_put(port->jitter, packet->sequence, codec, packet->payload, packet->size);
        comfort_noise_voice_came(&port->noise);
        core_activate(port->base.core, &port->base);
    }
}

/* Whether a datagram is one for the owner, who then has it unless too many wait. */
static bool take_aside(rtp_port_t *port, const uint8_t *data, int size, const address_t *source, bool control)
{
    if (!port->aside || port->base.closed || !aside_is_meant(data, size))
        return false;
    if (!aside_put(port->aside, data, size, source, control))
        port->base.core->packets_dropped++;
    else if (port->aside->count == 1)
        port_tell(&port->base, EVENT_PACKETS, 0, 0);
    return true;
}

void rtp_port_receive(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
{
    core_t *core = port->base.core;
    core->packets_received++;
    if (take_aside(port, data, size, source, false))
        return;
    if (port->base.closed || !port->configured || rtp_port_lacks_keys(port)) {
        core->packets_dropped++;
        return;
    }
    if (port->settings.rtcp_mux && looks_like_rtcp(data, size)) {
        rtp_receive_report(port, data, size, source, now_ns);
        return;
    }
    rtp_packet_t packet;
    if (port->unprotect)
        size = srtp_unprotect(port->unprotect, data, size);
    if (size < 0 || !rtp_parse(&packet, data, size)) {
        core->packets_dropped++;
        return;
    }
    const codec_t *codec = understood(port, packet.payload_type);
    int event_rate = codec ? 0 : event_rate_of(port, packet.payload_type);
    bool other = event_rate > 0 || packet.payload_type == COMFORT_NOISE;
    if ((!codec && !other) || !accept_source(port, source, &packet, now_ns) ||
        !count_packet(port, &packet, codec ? codec->clock_rate : rtp_port_receive_rate(port), now_ns)) {
        core->packets_dropped++;
        return;
    }
    if (port->heads)
        rtp_tell_head(port, &(head_t){false, *source, packet.payload_type, packet.sequence, packet.timestamp, packet.size});
    if (codec)
        take_audio(port, codec, &packet, now_ns);
    else if (event_rate > 0)
        receive_event(port, &packet, event_rate, now_ns);
    else
        receive_noise(port, &packet);
}

void rtp_port_receive_control(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
{
    if (take_aside(port, data, size, source, true))
        return;
    if (!port->base.closed && port->configured && !rtp_port_lacks_keys(port))
        rtp_receive_report(port, data, size, source, now_ns);
}

static frame_t *made_up(rtp_port_t *port, const codec_t *codec)
{
    frame_t *frame = frame_of_samples(&port->base.core->pool, codec->rate, codec->rate / 50);
    if (frame)
        frame->count = stream_conceal(&port->stream, codec, frame->samples, frame->count);
    return frame;
}

/* The first after a loss is blended with what was made up: its bytes are not the frame any more. */
static frame_t *came(rtp_port_t *port, const jitter_frame_t *got)
{
    frame_pool_t *pool = &port->base.core->pool;
    bool blended = port->stream.lost;
    frame_t *frame = frame_of_payload(pool, got->codec, got->data, got->size, &port->stream);
    if (!frame)
        return NULL;
    frame_samples(frame); /* what conceals losses hears every frame */
    if (!blended)
        return frame;
    frame_t *samples = frame_of_samples(pool, frame->rate, frame->count);
    if (samples)
        memcpy(samples->samples, frame->samples, (size_t)frame->count * sizeof *frame->samples);
    frame_release(pool, frame);
    return samples;
}

static frame_t *unstashed(rtp_port_t *port, bool all)
{
    int rate = port->stream.stash_rate;
    if (port->stream.stashed == 0)
        return NULL;
    frame_t *frame = frame_of_samples(&port->base.core->pool, rate, rate / 50);
    if (frame && stream_unstash(&port->stream, all, frame->samples, frame->count) == 0) {
        frame_release(&port->base.core->pool, frame);
        return NULL;
    }
    return frame;
}

/* Packets of any length are cut into ticks. */
static frame_t *cut(rtp_port_t *port, jitter_frame_t got)
{
    while (got.kind == JITTER_FRAME) {
        stream_stash(&port->stream, got.codec, got.data, got.size);
        got = jitter_more(port->jitter);
    }
    return unstashed(port, false);
}

static frame_t *comfort(rtp_port_t *port)
{
    int rate = (port->last_codec ? port->last_codec : port->base.codec)->rate;
    frame_t *frame = frame_of_samples(&port->base.core->pool, rate, rate / 50);
    if (frame)
        comfort_noise_make(&port->noise, frame->samples, frame->count);
    return frame;
}

frame_t *rtp_pull(port_t *base, int64_t tick)
{
    (void)tick;
    rtp_port_t *port = (rtp_port_t *)base;
    if (!port->jitter)
        return NULL;
    jitter_frame_t got = jitter_get(port->jitter);
    if (got.kind == JITTER_NOTHING) {
        frame_t *rest = unstashed(port, true);
        return rest || port->noise.amplitude == 0 ? rest : comfort(port);
    }
    comfort_noise_voice_heard(&port->noise);
    if (got.kind == JITTER_LOST)
        return made_up(port, got.codec);
    return got.codec->frame_bytes > 0 ? came(port, &got) : cut(port, got);
}

bool rtp_waiting(const port_t *base)
{
    const rtp_port_t *port = (const rtp_port_t *)base;
    bool held = port->jitter && !jitter_empty(port->jitter);
    return held || port->stream.stashed > 0 || port->noise.amplitude > 0;
}
