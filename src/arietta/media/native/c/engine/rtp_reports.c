#include "rtp_parts.h"

static rtcp_view_t view_of(rtp_port_t *port, int64_t now_ns)
{
    core_t *core = port->base.core;
    return (rtcp_view_t){
        .ssrc = port->ssrc,
        .cname = core->cname,
        .timestamp = rtp_timestamp_at(port, now_ns),
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
    if (!port->configured || rtp_port_lacks_keys(port))
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

static void tell_report(rtp_port_t *port, const uint8_t *data, int size, const address_t *peer, bool sent)
{
    if (port->told && told_reports_put(port->told, data, size, peer, sent) && port->told->count == 1)
        port_tell(&port->base, EVENT_REPORTS, 0, 0);
}

void rtp_send_report(rtp_port_t *port, int64_t now_ns, bool goodbye)
{
    core_t *core = port->base.core;
    address_t target = report_target(port);
    uint8_t packet[RTCP_ROOM + SRTP_OVERHEAD + 4];
    rtcp_view_t view = view_of(port, now_ns);
    int size = rtcp_write(&port->rtcp, &view, goodbye, packet);
    if (!target.family || size <= 0)
        return;
    tell_report(port, packet, size, &target, true);
    if (port->protect)
        size = srtcp_protect(port->protect, packet, size, sizeof packet);
    if (size < 0 || !core->wire->send(core, port, !port->settings.rtcp_mux, packet, size, &target))
        core->send_errors++;
}

/* The interval is over; nothing moved: silent until there is traffic again. */
void rtp_report(rtp_port_t *port, int64_t now_ns)
{
    port->report_at = INT64_MAX;
    rtcp_view_t view = view_of(port, now_ns);
    if (!rtcp_moved(&port->rtcp, &view))
        return;
    rtp_send_report(port, now_ns, false);
    rtcp_reported(&port->rtcp, &view);
    rtp_traffic(port, now_ns);
}

/* One datagram of a stranger, or a broken one, is counted and dropped. */
void rtp_receive_report(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns)
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
    tell_report(port, data, size, source, false);
}
