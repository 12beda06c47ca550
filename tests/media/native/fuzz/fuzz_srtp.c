/* Any bytes as SRTP and SRTCP, and any packet protected: it must be what it was when it is unprotected. */
#include <stdlib.h>

#include "srtp.h"

enum { MOST = 4096 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static srtp_t *open_suite(int suite)
{
    static const uint8_t key[64] = {1, 2, 3}; /* the corpus was protected with it */
    srtp_t *srtp = srtp_new(suite, key, srtp_key_bytes(suite));
    check(srtp != NULL);
    return srtp;
}

static void unprotect(int suite, const uint8_t *data, int size, int (*call)(srtp_t *, uint8_t *, int))
{
    uint8_t *packet = malloc((size_t)size + 1); /* the sanitizer sees a read beyond its end */
    check(packet != NULL);
    memcpy(packet, data, (size_t)size);
    srtp_t *srtp = open_suite(suite);
    if (call(srtp, packet, size) >= 0)
        check(call(srtp, packet, size) < 0);
    srtp_free(srtp);
    free(packet);
}

static void there_and_back(int suite, const uint8_t *data, int size, bool control)
{
    static uint8_t packet[MOST + SRTP_OVERHEAD + 4];
    memcpy(packet, data, (size_t)size);
    int room = size + SRTP_OVERHEAD + 4;
    srtp_t *here = open_suite(suite), *there = open_suite(suite);
    int sealed = (control ? srtcp_protect : srtp_protect)(here, packet, size, room);
    if (sealed >= 0) {
        check(sealed <= room);
        check((control ? srtcp_unprotect : srtp_unprotect)(there, packet, sealed) == size);
        check(memcmp(packet, data, (size_t)size) == 0);
    }
    srtp_free(here);
    srtp_free(there);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST || !srtp_available())
        return 0;
    int suite = data[0] & 3, rest = (int)size - 1;
    unprotect(suite, data + 1, rest, srtp_unprotect);
    unprotect(suite, data + 1, rest, srtcp_unprotect);
    there_and_back(suite, data + 1, rest, false);
    there_and_back(suite, data + 1, rest, true);
    return 0;
}
