/*
 * SRTP and SRTCP of one direction of one stream (RFC 3711, RFC 7714), with keys that were agreed elsewhere.
 *
 * An srtp_t either protects or unprotects. It is used under the lock of its owner. Not done here: master key
 * identifiers, a key derivation rate other than 0, ciphers without encryption, RFC 6904.
 */
#ifndef ARIETTA_SRTP_H
#define ARIETTA_SRTP_H

#include "base.h"

enum { SRTP_OVERHEAD = 20 }; /* most bytes that protection adds to a packet of RTP; RTCP: plus 4 */

typedef enum srtp_suite {
    SRTP_AES_CM_128_HMAC_SHA1_80,
    SRTP_AES_CM_128_HMAC_SHA1_32,
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
} srtp_suite_t;

typedef struct srtp srtp_t;

/* Suite by its name in SDP (RFC 4568 6.2, RFC 7714 14.2); -1 when unknown. */
int srtp_suite_named(const char *name);
/* Bytes of master key and salt of a suite. */
int srtp_key_bytes(srtp_suite_t suite);
/* True when the library that does the ciphers is there. */
bool srtp_available(void);
/* NULL when it cannot be: libcrypto is missing, wrong size, no memory. */
srtp_t *srtp_new(srtp_suite_t suite, const uint8_t *key_and_salt, int size);
void srtp_free(srtp_t *srtp); /* NULL is fine; wipes the keys */
/* Whether one that unprotects takes what was heard before; false at first. One that protects never repeats a number. */
void srtp_take_replays(srtp_t *srtp, bool on);
/* In place; the new size, -1 when room is too small, or the packet is broken, or its sequence number was used before. */
int srtp_protect(srtp_t *srtp, uint8_t *packet, int size, int room);
int srtcp_protect(srtp_t *srtp, uint8_t *packet, int size, int room);
/* In place; the new size, -1 when it is forged, broken, or was heard before: it changes nothing but its own bytes then. */
int srtp_unprotect(srtp_t *srtp, uint8_t *packet, int size);
int srtcp_unprotect(srtp_t *srtp, uint8_t *packet, int size);

#endif
