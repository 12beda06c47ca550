#include "rtp_port.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    COMFORT_NOISE = 13,
    EVENT_VOLUME = 10,
    END_REPEATS = 3, /* RFC 4733 2.5.1.4 */
    MOST_PTIME_MS = 120,
};
#define DIGIT_SILENCE_NS (500 * MS_NS) /* a digit whose packets stop coming has ended */
#define RELAY_SLIP 8000 /* units by which a relayed stream may drift from the clock before it is tied to it anew */

static void on_timer(port_t *base, int64_t now_ns);

/* -- opening -- */

rtp_port_t *rtp_port_open(core_t *core, int local_port, const int sockets[2])
{
    rtp_port_t *port = (rtp_port_t *)port_new(core, &rtp_kind, codec_named("ulaw"));
    if (!port)
        return NULL;
    struct {
        uint32_t ssrc, timestamp;
        uint16_t sequence;
    } start = {0};
    if (getrandom(&start, sizeof start, 0) < 0)
        start.ssrc = (uint32_t)core->now_ns;
    port->base.on_timer = on_timer;
    port->local_port = local_port;
    for (int n = 0; n < 2; n++) {
        port->sockets[n] = sockets[n];
        port->ends[n] = (struct wire_end){.port = port, .control = n == 1};
    }
    learner_init(&port->learner, core->settings.strict_rtp, core->settings.probation, core->settings.relearn_ns);
    port->ssrc = start.ssrc;
    port->timestamp_base = start.timestamp;
    port->sequence = start.sequence;
    port->step = 160;
    port->last_tick = port->piece_tick = -2;
    port->settings.event_type = -1;
    port->report_at = port->watch_at = port->event_silence_at = port->keepalive_at = INT64_MAX;
    digit_receiver_init(&port->digit_receiver);
    rtcp_init(&port->rtcp);
    comfort_noise_init(&port->noise);
    return port;
}

int rtp_port_receive_rate(const rtp_port_t *port)
{
    return (port->last_codec ? port->last_codec : port->base.codec)->clock_rate;
}

const codec_t *rtp_port_received_codec(const rtp_port_t *port) { return port->last_codec; }

static uint32_t timestamp_at(const rtp_port_t *port, int64_t now_ns)
{
    int64_t since = now_ns - port->base.core->epoch_ns;
    int64_t rate = port->base.codec->clock_rate;
    int64_t units = since / SECOND_NS * rate + since % SECOND_NS * rate / SECOND_NS;
    return port->timestamp_base + (uint32_t)units;
}

/* -- timers: four of one port, the earliest in the core's heap -- */

static int64_t earlier(int64_t one, int64_t other) { return one < other ? one : other; }

static void arm(rtp_port_t *port)
{
    int64_t when = earlier(earlier(port->report_at, port->watch_at), earlier(port->event_silence_at, port->keepalive_at));
    core_set_timer(port->base.core, &port->base, when);
}

/* A packet went or came: a report is due in five seconds. */
static void traffic(rtp_port_t *port, int64_t now_ns)
{
    if (port->report_at != INT64_MAX)
        return;
    port->report_at = now_ns + RTCP_INTERVAL_NS;
    arm(port);
}

/* -- RTCP -- */

static rtcp_view_t view_of(rtp_port_t *port, int64_t now_ns)
{
    core_t *core = port->base.core;
    return (rtcp_view_t){
        .ssrc = port->ssrc,
        .cname = core->cname,
        .timestamp = timestamp_at(port, now_ns),
        .send_clock_rate = port->base.codec->clock_rate,
        .receive_clock_rate = rtp_port_receive_rate(port),
        .packets_sent = port->packets_sent,
        .octets_sent = port->octets_sent,
        .packets_received = port->packets_received,
        .incoming = port->has_incoming ? &port->incoming : NULL,
        .now_ns = now_ns,
        .wall_offset_ns = core->wall_offset_ns,
    };
}

/* Where reports go: family 0 when nowhere. */
static address_t report_target(const rtp_port_t *port)
{
    const rtp_settings_t *settings = &port->settings;
    if (!port->configured)
        return (address_t){0};
    if (settings->rtcp_mux)
        return port->target;
    if (settings->symmetric && port->rtcp_learnt.family)
        return port->rtcp_learnt;
    if (settings->remote_rtcp.family)
        return settings->remote_rtcp;
    address_t target = port->target;
    if (target.port == UINT16_MAX)
        target.family = 0;
    target.port++;
    return target;
}

static void send_report(rtp_port_t *port, int64_t now_ns, bool goodbye)
{
    core_t *core = port->base.core;
    address_t target = report_target(port);
    uint8_t packet[RTCP_ROOM + SRTP_OVERHEAD + 4];
    rtcp_view_t view = view_of(port, now_ns);
    int size = rtcp_write(&port->rtcp, &view, goodbye, packet);
    if (!target.family || size <= 0)
        return;
    if (port->protect)
        size = srtcp_protect(port->protect, packet, size, sizeof packet);
    if (size < 0 || !core->wire->send(core, port, !port->settings.rtcp_mux, packet, size, &target))
        core->send_errors++;
}

/* The five seconds are over; nothing moved: silent until there is traffic again. */
static void report(rtp_port_t *port, int64_t now_ns)
{
    port->report_at = INT64_MAX;
    rtcp_view_t view = view_of(port, now_ns);
    if (!rtcp_moved(&port->rtcp, &view))
        return;
    send_report(port, now_ns, false);
    rtcp_reported(&port->rtcp, &view);
    traffic(port, now_ns);
}

/* One datagram of a stranger, or a broken one, is counted and dropped. */
static void receive_report(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
{
    core_t *core = port->base.core;
    const address_t *expected = port->learner.locked.family ? &port->learner.locked : &port->settings.remote;
    bool known = expected->family && address_same_host(source, expected);
    bool named = port->settings.remote_rtcp.family && address_equal(source, &port->settings.remote_rtcp);
    if (core->settings.strict_rtp && !known && !named) {
        core->packets_dropped++;
        return;
    }
    if (port->unprotect)
        size = srtcp_unprotect(port->unprotect, data, size);
    rtcp_view_t view = view_of(port, now_ns);
    if (size < 0 || !rtcp_receive(&port->rtcp, &view, data, size)) {
        core->packets_dropped++;
        return;
    }
    port->rtcp_learnt = *source;
}

/* -- configuring -- */

static int rounded_ptime(const codec_t *codec, int ptime_ms)
{
    int step = codec->frame_ms;
    int ptime = (ptime_ms + step / 2) / step * step;
    return ptime < step ? step : ptime > MOST_PTIME_MS ? MOST_PTIME_MS / step * step : ptime;
}

static bool use_pieces(rtp_port_t *port, const codec_t *codec, int ptime_ms)
{
    int ptime = codec->frame_bytes > 0 ? rounded_ptime(codec, ptime_ms) : FRAME_MS;
    port->in_pieces = ptime != FRAME_MS;
    port->pieces_size = 0;
    if (!port->in_pieces)
        return true;
    port->piece_size = codec_bytes(codec, ptime);
    free(port->pieces);
    port->pieces = malloc((size_t)codec_bytes(codec, MOST_PTIME_MS) + MAX_FRAME_BYTES);
    return port->pieces;
}

/* Silence counts from now on when its limit is another one: that of a call on hold. */
static void begin_to_wait(rtp_port_t *port, bool other_limit)
{
    int64_t now_ns = port->base.core->wire->clock_ns(port->base.core);
    if (other_limit)
        port->heard_ns = now_ns;
    if (other_limit || port->watch_at == INT64_MAX)
        port->watch_at = port->settings.timeout_ns > 0 ? port->heard_ns + port->settings.timeout_ns : INT64_MAX;
    port->keepalive_at = port->settings.keepalive_ns > 0 ? now_ns + port->settings.keepalive_ns : INT64_MAX;
    arm(port);
}

bool rtp_port_configure(rtp_port_t *port, const rtp_settings_t *settings)
{
    core_t *core = port->base.core;
    if (!port_use_codec(&port->base, settings->send_codec) || !use_pieces(port, settings->send_codec, settings->ptime_ms))
        return false;
    if (!port->jitter || port->settings.jitter_ms != settings->jitter_ms) {
        jitter_free(port->jitter);
        port->jitter = jitter_new(settings->jitter_ms);
        if (!port->jitter)
            return false;
    }
    bool first = !port->configured;
    int64_t timeout_ns = port->settings.timeout_ns;
    const address_t *known = &port->settings.remote;
    if (first || known->family != settings->remote.family || !address_equal(known, &settings->remote))
        port->rtcp_learnt.family = 0;
    port->settings = *settings;
    port->configured = true;
    if (first)
        core->wire->listen(core, port);
    learner_expect(&port->learner, &settings->remote);
    bool learnt = settings->symmetric && port->learner.locked.family;
    port->target = learnt ? port->learner.locked : settings->remote;
    port->step = settings->send_codec->clock_rate / 50;
    port->tie.tied = false;
    begin_to_wait(port, first || timeout_ns != settings->timeout_ns);
    port_changed(&port->base);
    return true;
}

void rtp_port_secure(rtp_port_t *port, srtp_t *protect, srtp_t *unprotect)
{
    if (protect != port->protect)
        srtp_free(port->protect);
    if (unprotect != port->unprotect)
        srtp_free(port->unprotect);
    port->protect = protect;
    port->unprotect = unprotect;
}

void rtp_port_set_relay(rtp_port_t *port, rtp_port_t *relay)
{
    if (port->relay == relay)
        return;
    bool changed = !port->relay != !relay;
    port->relay = relay;
    if (changed && !port->base.closed)
        port->base.core->wire->urgent(port->base.core, port, relay != NULL);
}

/* -- receiving -- */

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
        port->event_silence_at = now_ns + DIGIT_SILENCE_NS;
        arm(port);
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

static void event_silence(rtp_port_t *port, int64_t now_ns)
{
    port->event_silence_at = INT64_MAX;
    if (port->digit_receiver.digit == 0)
        return;
    if (now_ns - port->event_ns < DIGIT_SILENCE_NS) {
        port->event_silence_at = port->event_ns + DIGIT_SILENCE_NS;
        return;
    }
    digit_told_t told[1];
    tell_digits(port, told, digit_receiver_silent(&port->digit_receiver, told));
}

static void watch(rtp_port_t *port, int64_t now_ns)
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

static void keep_alive(rtp_port_t *port, int64_t now_ns);

static void on_timer(port_t *base, int64_t now_ns)
{
    rtp_port_t *port = (rtp_port_t *)base;
    if (base->closed)
        return;
    if (port->event_silence_at <= now_ns)
        event_silence(port, now_ns);
    if (port->watch_at <= now_ns)
        watch(port, now_ns);
    if (port->keepalive_at <= now_ns)
        keep_alive(port, now_ns);
    if (port->report_at <= now_ns)
        report(port, now_ns);
    if (!base->closed)
        arm(port);
}

static void forward(rtp_port_t *port, const rtp_packet_t *packet, int64_t now_ns);

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
    traffic(port, now_ns);
    return true;
}

static void rtp_discard(port_t *base)
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
    if (!port->settings.receives)
        return;
    if (port->relay) {
        rtp_discard(&port->base); /* what waited from before would come between the packets that are passed on */
        forward(port->relay, packet, now_ns);
        return;
    }
    if (port->base.hearing) {
        jitter_put(port->jitter, packet->sequence, codec, packet->payload, packet->size);
        comfort_noise_voice_came(&port->noise);
        core_activate(port->base.core, &port->base);
    }
}

void rtp_port_receive(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
{
    core_t *core = port->base.core;
    core->packets_received++;
    if (port->base.closed || !port->configured) {
        core->packets_dropped++;
        return;
    }
    if (port->settings.rtcp_mux && looks_like_rtcp(data, size)) {
        receive_report(port, data, size, source, now_ns);
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
    if (codec)
        take_audio(port, codec, &packet, now_ns);
    else if (event_rate > 0)
        receive_event(port, &packet, event_rate, now_ns);
    else
        receive_noise(port, &packet);
}

void rtp_port_receive_control(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
{
    if (!port->base.closed && port->configured)
        receive_report(port, data, size, source, now_ns);
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

static frame_t *rtp_pull(port_t *base, int64_t tick)
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

static bool rtp_waiting(const port_t *base)
{
    const rtp_port_t *port = (const rtp_port_t *)base;
    bool held = port->jitter && !jitter_empty(port->jitter);
    return held || port->stream.stashed > 0 || port->noise.amplitude > 0;
}

/* -- sending -- */

static void put(rtp_port_t *port, uint8_t kind, uint32_t timestamp, const uint8_t *payload, int size)
{
    core_t *core = port->base.core;
    uint8_t packet[RTP_HEADER + MAX_PACKET + SRTP_OVERHEAD];
    if (size > MAX_PACKET)
        return;
    rtp_write_header(packet, kind, port->sequence++, timestamp, port->ssrc);
    memcpy(packet + RTP_HEADER, payload, (size_t)size);
    int length = RTP_HEADER + size;
    if (port->protect)
        length = srtp_protect(port->protect, packet, length, sizeof packet);
    if (length < 0 || !core->wire->send(core, port, false, packet, length, &port->target)) {
        core->send_errors++;
        return;
    }
    core->packets_sent++;
    port->packets_sent++;
    port->sent_ns = core->now_ns;
    port->octets_sent += size;
    traffic(port, core->now_ns);
}

/* Packets of another length than the tick: the timestamp is this tick's end minus what has been gathered. */
static void send_pieces(rtp_port_t *port, const uint8_t *payload, int size, int64_t tick)
{
    const codec_t *codec = port->base.codec;
    bool pause = tick != port->last_tick + 1;
    port->last_tick = tick;
    if (pause) {
        port->pieces_size = 0;
        port->piece_tick = tick;
    }
    memcpy(port->pieces + port->pieces_size, payload, (size_t)size);
    port->pieces_size += size;
    int units = codec->clock_rate / 1000;
    int ms = port->pieces_size * codec->frame_ms / codec->frame_bytes;
    uint32_t start = port->timestamp_base + (uint32_t)((tick + 1) * port->step) - (uint32_t)(ms * units);
    int sent = 0;
    for (; port->pieces_size - sent >= port->piece_size; sent += port->piece_size) {
        uint8_t marker = port->piece_tick >= 0 ? 0x80 : 0;
        port->piece_tick = -2;
        put(port, (uint8_t)port->settings.send_payload_type | marker, start, port->pieces + sent, port->piece_size);
        start += (uint32_t)(port->piece_size * codec->frame_ms / codec->frame_bytes * units);
    }
    port->pieces_size -= sent;
    memmove(port->pieces, port->pieces + sent, (size_t)port->pieces_size);
}

static void rtp_send_payload(port_t *base, const uint8_t *payload, int size, int64_t tick)
{
    rtp_port_t *port = (rtp_port_t *)base;
    if (!port->target.family || !port->settings.sends)
        return;
    port->tie.tied = false;
    if (port->in_pieces) {
        send_pieces(port, payload, size, tick);
        return;
    }
    uint8_t marker = tick == port->last_tick + 1 ? 0 : 0x80;
    port->last_tick = tick;
    uint32_t timestamp = port->timestamp_base + (uint32_t)(tick * port->step);
    put(port, (uint8_t)port->settings.send_payload_type | marker, timestamp, payload, size);
}

/* RFC 6263: comfort noise, the quietest there is, when nothing was sent for a time; on hold too. */
static void keep_alive(rtp_port_t *port, int64_t now_ns)
{
    static const uint8_t quiet[] = {127};
    int64_t interval = port->settings.keepalive_ns;
    if (port->target.family && now_ns - port->sent_ns >= interval) {
        port->base.core->now_ns = now_ns;
        put(port, COMFORT_NOISE, timestamp_at(port, now_ns), quiet, sizeof quiet);
        port->sent_ns = now_ns;
    }
    port->keepalive_at = port->sent_ns + interval;
}

static uint16_t event_length(const rtp_port_t *port, int ms)
{
    int rate = port->settings.event_rate > 0 ? port->settings.event_rate : port->base.codec->clock_rate;
    int64_t units = (int64_t)ms * rate / 1000;
    return units > UINT16_MAX ? UINT16_MAX : (uint16_t)units;
}

static bool rtp_digit_out(port_t *base, char digit, int elapsed_ms, int duration_ms, int64_t tick)
{
    rtp_port_t *port = (rtp_port_t *)base;
    int type = port->settings.event_type;
    if (type < 0 || port->settings.dtmf_inband)
        return base->muted_out || port_digit_out(base, digit, elapsed_ms, duration_ms, tick);
    if (elapsed_ms == 0)
        port->digit_timestamp = port->timestamp_base + (uint32_t)(tick * port->step);
    if (!port->target.family || !port->settings.sends || base->muted_out)
        return true;
    uint8_t packet[4];
    uint8_t event = (uint8_t)telephone_event_code(digit);
    if (duration_ms < 0) {
        telephone_event_write(packet, event, false, EVENT_VOLUME, event_length(port, elapsed_ms + FRAME_MS));
        put(port, (uint8_t)(type | (elapsed_ms == 0 ? 0x80 : 0)), port->digit_timestamp, packet, sizeof packet);
        return true;
    }
    telephone_event_write(packet, event, true, EVENT_VOLUME, event_length(port, duration_ms));
    for (int n = 0; n < END_REPEATS; n++)
        put(port, (uint8_t)type, port->digit_timestamp, packet, sizeof packet);
    return true;
}

/* How far a packet of the tied stream would be from this stream's clock and numbers: false, it has to be tied anew. */
static bool fits(const rtp_port_t *port, const rtp_packet_t *packet, uint32_t expected)
{
    const struct relay_tie *tie = &port->tie;
    int32_t slip = timestamp_difference(tie->timestamp + packet->timestamp, expected);
    int32_t ahead = sequence_difference((uint16_t)(tie->sequence + packet->sequence), port->sequence);
    return tie->tied && tie->ssrc == packet->ssrc && slip <= RELAY_SLIP && slip >= -RELAY_SLIP && ahead <= 100 &&
           ahead >= -100;
}

/* Sends the payload of a packet that another port just received, its loss and disorder as they are. */
static void forward(rtp_port_t *port, const rtp_packet_t *packet, int64_t now_ns)
{
    if (!port->target.family || !port->settings.sends || port->base.muted_out || port_occupied(&port->base)) {
        port->tie.tied = false;
        return;
    }
    uint32_t expected = timestamp_at(port, now_ns);
    uint8_t marker = packet->marker ? 0x80 : 0;
    if (!fits(port, packet, expected)) {
        port->tie = (struct relay_tie){.tied = true,
                                       .ssrc = packet->ssrc,
                                       .timestamp = expected - packet->timestamp,
                                       .sequence = (uint16_t)(port->sequence - packet->sequence)};
        marker = 0x80;
    }
    uint16_t following = port->sequence;
    port->sequence = (uint16_t)(port->tie.sequence + packet->sequence);
    uint16_t mapped = port->sequence;
    uint8_t kind = (uint8_t)port->settings.send_payload_type | marker;
    port->base.core->now_ns = now_ns;
    put(port, kind, port->tie.timestamp + packet->timestamp, packet->payload, packet->size);
    if ((uint16_t)(following - mapped - 1) < 0x8000)
        port->sequence = following; /* an older packet: the next number stays */
    port->last_tick = -2;
}

static void rtp_release(port_t *base)
{
    rtp_port_t *port = (rtp_port_t *)base;
    core_t *core = base->core;
    if (port->packets_sent > 0)
        send_report(port, core->wire->clock_ns(core), true); /* RFC 3550 6.3.7 */
    core->packets_lost += rtp_port_lost(port);
    port->relay = NULL;
    core->wire->unlisten(core, port);
    rtp_port_secure(port, NULL, NULL);
    jitter_free(port->jitter);
    port->jitter = NULL;
    free(port->pieces);
    port->pieces = NULL;
}

static void rtp_moved(port_t *base, core_t *from)
{
    base->core->wire->moved(base->core, (rtp_port_t *)base, from);
}

static void rtp_destroy(port_t *base) { stream_close(&((rtp_port_t *)base)->stream); }

const port_kind_t rtp_kind = {
    .size = sizeof(rtp_port_t),
    .tick_in = port_tick_in,
    .tick_out = port_tick_out,
    .tick_taps = port_tick_taps,
    .pull = rtp_pull,
    .waiting = rtp_waiting,
    .discard = rtp_discard,
    .send_payload = rtp_send_payload,
    .send_frame = port_send_frame,
    .digit_out = rtp_digit_out,
    .pass_digit_began = port_pass_digit_began,
    .moved = rtp_moved,
    .release = rtp_release,
    .destroy = rtp_destroy,
};
