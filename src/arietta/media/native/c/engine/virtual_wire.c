#include "virtual_wire.h"

#include <stdlib.h>

#include "rtp_port.h"

static bool keep(core_t *core, rtp_port_t *port, bool control, const uint8_t *data, int size, const address_t *target)
{
    virtual_wire_t *wire = core->wire_state;
    if (wire->count == wire->room) {
        int room = wire->room ? 2 * wire->room : 64;
        datagram_t *sent = realloc(wire->sent, (size_t)room * sizeof *sent);
        if (!sent)
            return false;
        wire->sent = sent;
        wire->room = room;
    }
    uint8_t *copy = malloc((size_t)size);
    if (!copy)
        return false;
    memcpy(copy, data, (size_t)size);
    wire->sent[wire->count++] = (datagram_t){port->local_port, control, *target, size, copy};
    return true;
}

void virtual_wire_clear(virtual_wire_t *wire)
{
    for (int n = 0; n < wire->count; n++)
        free(wire->sent[n].data);
    wire->count = 0;
}

void virtual_wire_close(virtual_wire_t *wire)
{
    virtual_wire_clear(wire);
    free(wire->sent);
    memset(wire, 0, sizeof *wire);
}

static void nothing(core_t *core, rtp_port_t *port) { (void)core, (void)port; }
static void not_urgent(core_t *core, rtp_port_t *port, bool urgent) { (void)core, (void)port, (void)urgent; }
static void not_moved(core_t *to, rtp_port_t *port, core_t *from) { (void)to, (void)port, (void)from; }
static void note(core_t *core) { ((virtual_wire_t *)core->wire_state)->woken = true; }
static int64_t clock_of(core_t *core) { return ((virtual_wire_t *)core->wire_state)->clock_ns; }

const wire_t virtual_wire = {
    .send = keep,
    .listen = nothing,
    .unlisten = nothing,
    .urgent = not_urgent,
    .mark = nothing,
    .moved = not_moved,
    .wake = note,
    .clock_ns = clock_of,
};
