#include "rtp_parts.h"

enum {
    EVENT_VOLUME = 10,
    END_REPEATS = 3, /* RFC 4733 2.5.1.4 */
};
#define RELAY_SLIP 8000 /* units by which a relayed stream may drift from the clock before it is tied to it anew */

static void put(rtp_port_t *port, uint8_t kind, uint32_t timestamp, const uint8_t *payload, int size)
{
    core_t *core = port->base.core;
    uint8_t packet[RTP_HEADER + MAX_PACKET + SRTP_OVERHEAD];
    if (size > MAX_PACKET || rtp_port_lacks_keys(port))
        return;
    uint16_t sequence = port->sequence++;
    rtp_write_header(packet, kind, sequence, timestamp, port->ssrc);
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
    if (port->heads)
        rtp_tell_head(port, &(head_t){true, port->target, kind & 0x7F, sequence, timestamp, size});
    rtp_traffic(port, core->now_ns);
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

void rtp_send_payload(port_t *base, const uint8_t *payload, int size, int64_t tick)
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
void rtp_keep_alive(rtp_port_t *port, int64_t now_ns)
{
    static const uint8_t quiet[] = {127};
    int64_t interval = port->settings.keepalive_ns;
    if (port->target.family && now_ns - port->sent_ns >= interval) {
        port->base.core->now_ns = now_ns;
        put(port, COMFORT_NOISE, rtp_timestamp_at(port, now_ns), quiet, sizeof quiet);
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

bool rtp_digit_out(port_t *base, char digit, int elapsed_ms, int duration_ms, int64_t tick)
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
void rtp_forward(rtp_port_t *port, const rtp_packet_t *packet, int64_t now_ns)
{
    if (!port->target.family || !port->settings.sends || port->base.muted_out || port_occupied(&port->base)) {
        port->tie.tied = false;
        return;
    }
    uint32_t expected = rtp_timestamp_at(port, now_ns);
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
