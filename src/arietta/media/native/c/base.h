/* What every file of the engine shares: units, addresses, bytes in network order. */
#ifndef ARIETTA_BASE_H
#define ARIETTA_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    FRAME_MS = 20,              /* one tick */
    MAX_RATE = 192000,          /* samples per second */
    MAX_FRAME_SAMPLES = 3840,   /* of one tick at MAX_RATE */
    MAX_FRAME_BYTES = 7680,     /* of one tick in any codec */
    MAX_PACKET = 16384,         /* longest datagram that is read */
};

#define MS_NS INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)
#define TICK_NS (FRAME_MS * MS_NS)

/* A UDP endpoint; IPv4 when family is 4 (the first four bytes of ip), IPv6 when 6, nobody when 0. */
typedef struct address {
    uint8_t family;
    uint16_t port;
    uint32_t scope; /* interface of a link-local IPv6 address, else 0 */
    uint8_t ip[16];
} address_t;

static inline bool address_same_host(const address_t *one, const address_t *other)
{
    return one->family == other->family && memcmp(one->ip, other->ip, one->family == 4 ? 4 : 16) == 0;
}

static inline bool address_equal(const address_t *one, const address_t *other)
{
    return one->port == other->port && address_same_host(one, other);
}

static inline int16_t saturate(int32_t value)
{
    return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

static inline uint16_t read_be16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static inline uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void write_be16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void write_be32(uint8_t *at, uint32_t value)
{
    write_be16(at, (uint16_t)(value >> 16));
    write_be16(at + 2, (uint16_t)value);
}

/* Signed distances of numbers that wrap (RFC 1982): positive when `a` is after `b`. */
static inline int32_t sequence_difference(uint16_t a, uint16_t b) { return (int16_t)(uint16_t)(a - b); }
static inline int32_t timestamp_difference(uint32_t a, uint32_t b) { return (int32_t)(a - b); }

#endif
