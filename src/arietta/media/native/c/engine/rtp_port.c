#include "rtp_parts.h"

#include <stdlib.h>
#include <sys/random.h>

enum { MOST_PTIME_MS = 120 };

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
    port->jitter_rules = jitter_adaptive;
    return port;
}

int rtp_port_receive_rate(const rtp_port_t *port)
{
    return (port->last_codec ? port->last_codec : port->base.codec)->clock_rate;
}

const codec_t *rtp_port_received_codec(const rtp_port_t *port) { return port->last_codec; }

uint32_t rtp_timestamp_at(const rtp_port_t *port, int64_t now_ns)
{
    int64_t since = now_ns - port->base.core->epoch_ns;
    int64_t rate = port->base.codec->clock_rate;
    int64_t units = since / SECOND_NS * rate + since % SECOND_NS * rate / SECOND_NS;
    return port->timestamp_base + (uint32_t)units;
}

/* -- timers: four of one port, the earliest in the core's heap -- */

static int64_t earlier(int64_t one, int64_t other) { return one < other ? one : other; }

void rtp_arm(rtp_port_t *port)
{
    int64_t when = earlier(earlier(port->report_at, port->watch_at), earlier(port->event_silence_at, port->keepalive_at));
    core_set_timer(port->base.core, &port->base, when);
}

/* A packet went or came: a report is due. */
void rtp_traffic(rtp_port_t *port, int64_t now_ns)
{
    if (port->report_at != INT64_MAX)
        return;
    port->report_at = now_ns + port->base.core->settings.rtcp_interval_ns;
    rtp_arm(port);
}

static void on_timer(port_t *base, int64_t now_ns)
{
    rtp_port_t *port = (rtp_port_t *)base;
    if (base->closed)
        return;
    if (port->event_silence_at <= now_ns)
        rtp_event_silence(port, now_ns);
    if (port->watch_at <= now_ns)
        rtp_watch(port, now_ns);
    if (port->keepalive_at <= now_ns)
        rtp_keep_alive(port, now_ns);
    if (port->report_at <= now_ns)
        rtp_report(port, now_ns);
    if (!base->closed)
        rtp_arm(port);
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
    rtp_arm(port);
}

static void listen_once(rtp_port_t *port)
{
    if (!port->listening)
        port->base.core->wire->listen(port->base.core, port);
    port->listening = true;
}

bool rtp_port_configure(rtp_port_t *port, const rtp_settings_t *settings)
{
    if (!port_use_codec(&port->base, settings->send_codec) || !use_pieces(port, settings->send_codec, settings->ptime_ms))
        return false;
    if (!port->jitter && !rtp_port_buffer(port, &port->jitter_rules))
        return false;
    bool first = !port->configured;
    int64_t timeout_ns = port->settings.timeout_ns;
    bool marked = port->settings.tos != settings->tos || port->settings.cos != settings->cos;
    const address_t *known = &port->settings.remote;
    if (first || known->family != settings->remote.family || !address_equal(known, &settings->remote))
        port->rtcp_learnt.family = 0;
    port->settings = *settings;
    port->configured = true;
    listen_once(port);
    if (marked)
        port->base.core->wire->mark(port->base.core, port);
    learner_expect(&port->learner, &settings->remote);
    bool learnt = settings->symmetric && port->learner.locked.family;
    port->target = learnt ? port->learner.locked : settings->remote;
    port->step = settings->send_codec->clock_rate / 50;
    port->tie.tied = false;
    port->told_codec = NULL;
    begin_to_wait(port, first || timeout_ns != settings->timeout_ns);
    port_changed(&port->base);
    return true;
}

bool rtp_port_buffer(rtp_port_t *port, const jitter_rules_t *rules)
{
    jitter_t *jitter = jitter_new(rules);
    if (!jitter)
        return false;
    port->jitter_rules = *rules;
    port->evens_out = jitter_rules_differ(rules, &jitter_adaptive);
    jitter_free(port->jitter);
    port->jitter = jitter;
    if (port->configured)
        port_changed(&port->base);
    return true;
}

void rtp_port_secure(rtp_port_t *port, srtp_t *protect, srtp_t *unprotect)
{
    if (protect != port->protect)
        srtp_free(port->protect);
    if (unprotect != port->unprotect)
        srtp_free(port->unprotect);
    if (unprotect)
        srtp_take_replays(unprotect, port->base.core->settings.takes_replays);
    port->protect = protect;
    port->unprotect = unprotect;
}

bool rtp_port_set_aside(rtp_port_t *port, bool on)
{
    if (!on) {
        free(port->aside);
        port->aside = NULL;
        return true;
    }
    if (!port->aside)
        port->aside = calloc(1, sizeof *port->aside);
    if (!port->aside)
        return false;
    listen_once(port);
    return true;
}

bool rtp_port_tell_reports(rtp_port_t *port, bool on)
{
    if (!on) {
        free(port->told);
        port->told = NULL;
        return true;
    }
    if (!port->told)
        port->told = calloc(1, sizeof *port->told);
    return port->told != NULL;
}

bool rtp_port_tell_heads(rtp_port_t *port, bool on)
{
    if (!on) {
        free(port->heads);
        port->heads = NULL;
        return true;
    }
    if (!port->heads)
        port->heads = calloc(1, sizeof *port->heads);
    return port->heads != NULL;
}

void rtp_tell_head(rtp_port_t *port, const head_t *head)
{
    heads_put(port->heads, head);
    if (port->heads->count == 1)
        port_tell(&port->base, EVENT_HEADS, 0, 0);
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

/* -- the kind -- */

static void rtp_release(port_t *base)
{
    rtp_port_t *port = (rtp_port_t *)base;
    core_t *core = base->core;
    if (port->packets_sent > 0)
        rtp_send_report(port, core->wire->clock_ns(core), true); /* RFC 3550 6.3.7 */
    core->packets_lost += rtp_port_lost(port);
    port->relay = NULL;
    core->wire->unlisten(core, port);
    rtp_port_secure(port, NULL, NULL);
    jitter_free(port->jitter);
    port->jitter = NULL;
    free(port->pieces);
    port->pieces = NULL;
    rtp_port_set_aside(port, false);
    rtp_port_tell_reports(port, false);
    rtp_port_tell_heads(port, false);
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
