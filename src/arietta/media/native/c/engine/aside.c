#include "aside.h"

enum { LAST_OF_STUN = 3, FIRST_OF_DTLS = 20, LAST_OF_DTLS = 63 }; /* RFC 7983 7 */

bool aside_is_meant(const uint8_t *data, int size)
{
    return size > 0 && (data[0] <= LAST_OF_STUN || (data[0] >= FIRST_OF_DTLS && data[0] <= LAST_OF_DTLS));
}

bool aside_put(aside_t *aside, const uint8_t *data, int size, const address_t *source, bool control)
{
    if (size > ASIDE_BYTES || aside->count == ASIDE_PACKETS)
        return false;
    struct aside_packet *packet = &aside->packets[(aside->first + aside->count++) % ASIDE_PACKETS];
    packet->source = *source;
    packet->control = control;
    packet->size = size;
    memcpy(packet->data, data, (size_t)size);
    return true;
}

const struct aside_packet *aside_take(aside_t *aside)
{
    if (aside->count == 0)
        return NULL;
    const struct aside_packet *packet = &aside->packets[aside->first];
    aside->first = (aside->first + 1) % ASIDE_PACKETS;
    aside->count--;
    return packet;
}
