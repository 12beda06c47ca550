/* A wire without a network: what is sent waits for its owner, for tests on a clock of their own. */
#ifndef ARIETTA_VIRTUAL_WIRE_H
#define ARIETTA_VIRTUAL_WIRE_H

#include "core.h"

typedef struct datagram {
    int local_port;
    bool control;
    address_t target;
    int size;
    uint8_t *data;
} datagram_t;

typedef struct virtual_wire {
    int64_t clock_ns;
    datagram_t *sent;
    int count, room;
    bool woken; /* the next deadline may have come nearer since it was last looked at */
} virtual_wire_t;

extern const wire_t virtual_wire;

void virtual_wire_close(virtual_wire_t *wire);
void virtual_wire_clear(virtual_wire_t *wire); /* what was sent was taken */

#endif
