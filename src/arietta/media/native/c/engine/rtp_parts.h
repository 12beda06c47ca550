/* What the files of the RTP port share: rtp_port.c opens and configures it, the others are named by what they do. */
#ifndef ARIETTA_RTP_PARTS_H
#define ARIETTA_RTP_PARTS_H

#include "rtp_port.h"

enum { COMFORT_NOISE = 13 }; /* payload type, RFC 3551 6 */

/* rtp_port.c */
void rtp_tell_head(rtp_port_t *port, const head_t *head); /* somebody wants to see them */
void rtp_arm(rtp_port_t *port); /* after any of its timers changed */
void rtp_traffic(rtp_port_t *port, int64_t now_ns); /* a packet went or came: a report is due */
uint32_t rtp_timestamp_at(const rtp_port_t *port, int64_t now_ns); /* of the stream that is sent */

/* rtp_reports.c: RTCP */
void rtp_send_report(rtp_port_t *port, int64_t now_ns, bool goodbye);
void rtp_report(rtp_port_t *port, int64_t now_ns); /* the timer */
void rtp_receive_report(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns);

/* rtp_receiving.c */
void rtp_event_silence(rtp_port_t *port, int64_t now_ns); /* the timer of a digit whose packets stopped coming */
void rtp_watch(rtp_port_t *port, int64_t now_ns);         /* the timer of a silent far end */
frame_t *rtp_pull(port_t *base, int64_t tick);
bool rtp_waiting(const port_t *base);
void rtp_discard(port_t *base);

/* rtp_sending.c */
void rtp_keep_alive(rtp_port_t *port, int64_t now_ns); /* the timer */
/* Sends the payload of a packet that another port just received, its loss and disorder as they are. */
void rtp_forward(rtp_port_t *port, const rtp_packet_t *packet, int64_t now_ns);
void rtp_send_payload(port_t *base, const uint8_t *payload, int size, int64_t tick);
bool rtp_digit_out(port_t *base, char digit, int elapsed_ms, int duration_ms, int64_t tick);

#endif
