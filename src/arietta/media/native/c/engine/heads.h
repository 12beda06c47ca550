/*
 * What the headers of packets said that were sent or came, kept for an owner who looks on.
 *
 * Used under the core's lock; the port owns it. When it is full the oldest goes.
 */
#ifndef ARIETTA_HEADS_H
#define ARIETTA_HEADS_H

#include "base.h"

enum { MOST_HEADS = 256 };

typedef struct head {
    bool sent;
    address_t peer;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    int size; /* of the payload */
} head_t;

typedef struct heads {
    int first, count;
    head_t heads[MOST_HEADS];
} heads_t;

void heads_put(heads_t *heads, const head_t *head);
/* The oldest, which stays where it is until the next call of heads_put; NULL when there is none. */
const head_t *heads_take(heads_t *heads);

#endif
