/* RTCP of one port: what is reported and what is reported to it (RFC 3550 6). */
#ifndef ARIETTA_RTCP_H
#define ARIETTA_RTCP_H

#include "base.h"
#include "receiver.h"

enum { RTCP_ROOM = 512 }; /* bytes that hold any compound we write */

/* Least, greatest, mean and standard deviation of a series (Welford). */
typedef struct spread {
    int64_t count;
    double least, greatest, mean, square;
} spread_t;

typedef struct rtcp_session {
    uint32_t last_report;   /* middle 32 bits of the NTP time of the far end's last sender report */
    int64_t last_report_ns;
    int64_t reported_sent, reported_received;
    spread_t local_jitter, local_loss, remote_jitter, remote_loss, round_trip;
    int32_t remote_lost;
    double tx_jitter, round_trip_last;
} rtcp_session_t;

/* What the port knows when a report is written or read. */
typedef struct rtcp_view {
    uint32_t ssrc;
    const char *cname;
    uint32_t timestamp;      /* of the stream sent, at now */
    int send_clock_rate, receive_clock_rate;
    int64_t packets_sent, octets_sent, packets_received;
    receiver_t *incoming;    /* NULL: nothing came yet */
    int64_t now_ns;          /* monotonic */
    int64_t wall_offset_ns;  /* from it to the time since 1970 */
} rtcp_view_t;

void rtcp_init(rtcp_session_t *session);
/* Whether anything was sent or received since the last report. */
bool rtcp_moved(const rtcp_session_t *session, const rtcp_view_t *view);
/* A compound of a report and the CNAME, and a BYE with goodbye; its size. Does not count as reported before rtcp_reported. */
int rtcp_write(rtcp_session_t *session, const rtcp_view_t *view, bool goodbye, uint8_t out[RTCP_ROOM]);
void rtcp_reported(rtcp_session_t *session, const rtcp_view_t *view);
/* One datagram; false when it is broken. */
bool rtcp_receive(rtcp_session_t *session, const rtcp_view_t *view, const uint8_t *data, int size);
double spread_deviation(const spread_t *spread);

#endif
