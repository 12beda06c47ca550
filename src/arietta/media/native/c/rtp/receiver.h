/* What a receiver counts about one source (RFC 3550 A.1, A.3, A.8). */
#ifndef ARIETTA_RECEIVER_H
#define ARIETTA_RECEIVER_H

#include "base.h"

typedef struct receiver {
    uint32_t ssrc;
    int64_t received;
    uint64_t jitter16; /* in sixteenths, which distances of 2^31 take beyond 32 bits */
    bool has_transit;
    uint32_t transit;
    int32_t base, max;
    int64_t cycles;
    int32_t bad_sequence;
    int64_t expected_prior, received_prior;
} receiver_t;

void receiver_init(receiver_t *receiver, uint32_t ssrc, uint16_t sequence);
/* arrival in units of the source's clock. False: an unexplained jump, the packet does not count. */
bool receiver_update(receiver_t *receiver, uint16_t sequence, uint32_t timestamp, uint32_t arrival);
uint32_t receiver_jitter(const receiver_t *receiver);
uint32_t receiver_highest(const receiver_t *receiver);
int32_t receiver_lost(const receiver_t *receiver);
/* Loss of 256 since the last call. */
int receiver_fraction_lost(receiver_t *receiver);

#endif
