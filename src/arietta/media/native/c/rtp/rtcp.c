#include "rtcp.h"

#include <math.h>

enum {
    SENDER_REPORT = 200,
    RECEIVER_REPORT = 201,
    SOURCE_DESCRIPTION = 202,
    BYE = 203,
    CNAME = 1,
    HEADER = 4,
    SENDER = 24, /* bytes of a sender report before its blocks */
    BLOCK = 24,
    LONGEST_NAME = 255,
    LONGEST_ROUND_TRIP = 60 << 16,
};

#define NTP_1970 INT64_C(2208988800)

/* One packet of a compound, without its header and padding. */
typedef struct report {
    int kind, count, size;
    const uint8_t *body;
} report_t;

/* -- series -- */

static void spread_add(spread_t *spread, double value)
{
    spread->count++;
    if (spread->count == 1) {
        spread->least = spread->greatest = spread->mean = value;
        return;
    }
    if (value < spread->least)
        spread->least = value;
    if (value > spread->greatest)
        spread->greatest = value;
    double change = value - spread->mean;
    spread->mean += change / (double)spread->count;
    spread->square += change * (value - spread->mean);
}

double spread_deviation(const spread_t *spread)
{
    return spread->count > 1 ? sqrt(spread->square / (double)spread->count) : 0.0;
}

static double seconds_of(uint32_t units, int rate) { return rate > 0 ? (double)units / rate : 0.0; }

/* -- clocks -- */

/* RFC 3550 4: seconds since 1900 in units of 2^-32. */
static uint64_t ntp_at(const rtcp_view_t *view)
{
    int64_t wall_ns = view->now_ns + view->wall_offset_ns;
    uint64_t seconds = (uint64_t)(wall_ns / SECOND_NS + NTP_1970);
    return seconds << 32 | ((uint64_t)(wall_ns % SECOND_NS) << 32) / (uint64_t)SECOND_NS;
}

static uint32_t middle(uint64_t ntp) { return (uint32_t)(ntp >> 16); }

/* Since the last sender report, in units of 1/65536 s. */
static uint32_t delay_at(const rtcp_session_t *session, int64_t now_ns)
{
    int64_t ns = now_ns - session->last_report_ns;
    if (session->last_report == 0 || ns < 0)
        return 0;
    int64_t delay = ns / SECOND_NS * 65536 + ns % SECOND_NS * 65536 / SECOND_NS;
    return delay > UINT32_MAX ? UINT32_MAX : (uint32_t)delay;
}

/* -- writing -- */

void rtcp_init(rtcp_session_t *session) { memset(session, 0, sizeof *session); }

bool rtcp_moved(const rtcp_session_t *session, const rtcp_view_t *view)
{
    return view->packets_sent != session->reported_sent || view->packets_received != session->reported_received;
}

void rtcp_reported(rtcp_session_t *session, const rtcp_view_t *view)
{
    session->reported_sent = view->packets_sent;
    session->reported_received = view->packets_received;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    write_be32(at, value);
    return at + 4;
}

/* The header of a packet that ends at `end`; returns `end`. */
static uint8_t *put_header(uint8_t *packet, int kind, int count, uint8_t *end)
{
    packet[0] = (uint8_t)(0x80 | count);
    packet[1] = (uint8_t)kind;
    write_be16(packet + 2, (uint16_t)((end - packet - HEADER) / 4));
    return end;
}

/* RFC 3550 6.4.1: what was heard of the source since the last report; adds it to what we tell of ourselves. */
static uint8_t *put_block(rtcp_session_t *session, const rtcp_view_t *view, uint8_t *at)
{
    uint32_t fraction = (uint32_t)receiver_fraction_lost(view->incoming);
    uint32_t jitter = receiver_jitter(view->incoming);
    spread_add(&session->local_jitter, seconds_of(jitter, view->receive_clock_rate));
    spread_add(&session->local_loss, fraction / 256.0);
    at = put32(at, view->incoming->ssrc);
    at = put32(at, fraction << 24 | ((uint32_t)receiver_lost(view->incoming) & 0xFFFFFF));
    at = put32(at, receiver_highest(view->incoming));
    at = put32(at, jitter);
    at = put32(at, session->last_report);
    return put32(at, delay_at(session, view->now_ns));
}

static uint8_t *put_report(rtcp_session_t *session, const rtcp_view_t *view, uint8_t *packet)
{
    bool sender = view->packets_sent != session->reported_sent;
    bool heard = view->incoming && view->packets_received != session->reported_received;
    uint8_t *at = put32(packet + HEADER, view->ssrc);
    if (sender) {
        uint64_t ntp = ntp_at(view);
        at = put32(at, (uint32_t)(ntp >> 32));
        at = put32(at, (uint32_t)ntp);
        at = put32(at, view->timestamp);
        at = put32(at, (uint32_t)view->packets_sent);
        at = put32(at, (uint32_t)view->octets_sent);
    }
    if (heard)
        at = put_block(session, view, at);
    return put_header(packet, sender ? SENDER_REPORT : RECEIVER_REPORT, heard, at);
}

/* RFC 3550 6.5.1; one to four zeros end the items. */
static uint8_t *put_name(const rtcp_view_t *view, uint8_t *packet)
{
    size_t size = strlen(view->cname);
    if (size > LONGEST_NAME)
        size = LONGEST_NAME;
    uint8_t *at = put32(packet + HEADER, view->ssrc);
    *at++ = CNAME;
    *at++ = (uint8_t)size;
    memcpy(at, view->cname, size);
    at += size;
    do
        *at++ = 0;
    while ((at - packet) % 4 != 0);
    return put_header(packet, SOURCE_DESCRIPTION, 1, at);
}

static uint8_t *put_bye(const rtcp_view_t *view, uint8_t *packet)
{
    return put_header(packet, BYE, 1, put32(packet + HEADER, view->ssrc));
}

int rtcp_write(rtcp_session_t *session, const rtcp_view_t *view, bool goodbye, uint8_t out[RTCP_ROOM])
{
    uint8_t *at = put_report(session, view, out);
    at = put_name(view, at);
    if (goodbye)
        at = put_bye(view, at);
    return (int)(at - out);
}

/* -- reading -- */

/* The packet at an offset, which moves behind it; false when it is broken (RFC 3550 A.2). */
static bool next_report(report_t *report, const uint8_t *data, int size, int *offset)
{
    const uint8_t *packet = data + *offset;
    int rest = size - *offset;
    if (rest < HEADER || packet[0] >> 6 != 2)
        return false;
    int body = 4 * read_be16(packet + 2);
    if (body > rest - HEADER)
        return false;
    *offset += HEADER + body;
    int padding = 0;
    if (packet[0] & 0x20) { /* the last packet alone may have any: RFC 3550 6.4.1 */
        padding = body > 0 && *offset == size ? packet[HEADER + body - 1] : 0;
        if (padding == 0 || padding > body || padding % 4)
            return false;
    }
    *report = (report_t){packet[1], packet[0] & 0x1F, body - padding, packet + HEADER};
    return true;
}

/* One source's items, from an offset to the one behind their end; -1 when they are broken (RFC 3550 6.5). */
static int skip_items(const report_t *report, int at)
{
    while (at < report->size) {
        if (report->body[at] == 0)
            return at + 4 - at % 4;
        if (at + 2 > report->size || at + 2 + report->body[at + 1] > report->size)
            return -1;
        at += 2 + report->body[at + 1];
    }
    return -1;
}

static bool names_whole(const report_t *report)
{
    int at = 0;
    for (int n = 0; n < report->count; n++) {
        if (at + 4 > report->size)
            return false;
        at = skip_items(report, at + 4);
        if (at < 0)
            return false;
    }
    return true;
}

static bool bye_whole(const report_t *report)
{
    int at = 4 * report->count; /* RFC 3550 6.6: then the reason, if there is one */
    return report->size == at || (report->size > at && report->size >= at + 1 + report->body[at]);
}

static bool whole(const report_t *report)
{
    switch (report->kind) {
    case SENDER_REPORT:
        return report->size >= SENDER + BLOCK * report->count;
    case RECEIVER_REPORT:
        return report->size >= 4 + BLOCK * report->count;
    case SOURCE_DESCRIPTION:
        return names_whole(report);
    case BYE:
        return bye_whole(report);
    default:
        return true; /* feedback, extended reports, APP: not looked at */
    }
}

static void take_round_trip(rtcp_session_t *session, const rtcp_view_t *view, uint32_t last_report, uint32_t delay)
{
    uint32_t round_trip = middle(ntp_at(view)) - last_report - delay;
    if (last_report == 0 || round_trip >= LONGEST_ROUND_TRIP)
        return;
    session->round_trip_last = round_trip / 65536.0;
    spread_add(&session->round_trip, session->round_trip_last);
}

static void take_block(rtcp_session_t *session, const rtcp_view_t *view, const uint8_t *block)
{
    if (read_be32(block) != view->ssrc)
        return;
    session->tx_jitter = seconds_of(read_be32(block + 12), view->send_clock_rate);
    spread_add(&session->remote_jitter, session->tx_jitter);
    spread_add(&session->remote_loss, block[4] / 256.0);
    uint32_t lost = read_be32(block + 4) & 0xFFFFFF;
    session->remote_lost = lost < 0x800000 ? (int32_t)lost : 0; /* negative: duplicates */
    take_round_trip(session, view, read_be32(block + 16), read_be32(block + 20));
}

static void take_report(rtcp_session_t *session, const rtcp_view_t *view, const report_t *report)
{
    int at = 4;
    if (report->kind == SENDER_REPORT) {
        session->last_report = read_be32(report->body + 6);
        session->last_report_ns = view->now_ns;
        at = SENDER;
    } else if (report->kind != RECEIVER_REPORT) {
        return;
    }
    for (int n = 0; n < report->count; n++)
        take_block(session, view, report->body + at + BLOCK * n);
}

bool rtcp_receive(rtcp_session_t *session, const rtcp_view_t *view, const uint8_t *data, int size)
{
    report_t report;
    int offset = 0;
    do
        if (!next_report(&report, data, size, &offset) || !whole(&report))
            return false;
    while (offset < size);
    for (offset = 0; offset < size;) {
        next_report(&report, data, size, &offset);
        take_report(session, view, &report);
    }
    return true;
}
