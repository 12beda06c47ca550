/* RTP data packets (RFC 3550 5.1). */
#ifndef ARIETTA_RTP_H
#define ARIETTA_RTP_H

#include "base.h"

enum { RTP_HEADER = 12 };

typedef struct rtp_packet {
    uint8_t payload_type;
    bool marker;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    const uint8_t *payload; /* into the datagram; without padding */
    int size;
} rtp_packet_t;

/* Where the payload begins, behind CSRCs and header extension; -1 when the datagram is no RTP packet. */
int rtp_payload_offset(const uint8_t *data, int size);
/* False when the datagram is no RTP packet. */
bool rtp_parse(rtp_packet_t *packet, const uint8_t *data, int size);
/* Writes the twelve bytes; kind is payload type and marker (0x80). */
void rtp_write_header(uint8_t *out, uint8_t kind, uint16_t sequence, uint32_t timestamp, uint32_t ssrc);

static inline bool looks_like_rtcp(const uint8_t *data, int size)
{
    return size > 1 && data[1] >= 192 && data[1] <= 223; /* RFC 5761 4 */
}

#endif
