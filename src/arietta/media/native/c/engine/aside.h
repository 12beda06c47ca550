/*
 * What comes on a port of RTP or RTCP and is neither: STUN and DTLS (RFC 7983), kept for the owner.
 *
 * Used under the core's lock; the port owns it. When it is full, what comes more is dropped: its senders send again.
 */
#ifndef ARIETTA_ASIDE_H
#define ARIETTA_ASIDE_H

#include "base.h"

enum { ASIDE_PACKETS = 16, ASIDE_BYTES = 1500 };

typedef struct aside {
    int first, count;
    struct aside_packet {
        address_t source;
        bool control; /* it came on the port of RTCP */
        int size;
        uint8_t data[ASIDE_BYTES];
    } packets[ASIDE_PACKETS];
} aside_t;

/* Whether a datagram is one of these, by its first byte. */
bool aside_is_meant(const uint8_t *data, int size);
/* False when it is too long, or too many wait. */
bool aside_put(aside_t *aside, const uint8_t *data, int size, const address_t *source, bool control);
/* The oldest, which stays where it is until the next call of aside_put; NULL when there is none. */
const struct aside_packet *aside_take(aside_t *aside);

#endif
