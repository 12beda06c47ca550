/* SRTP with session keys given, as the vectors of RFC 3711 B and RFC 7714 16 and 17 want it; for test_c_srtp.py. */
#include "srtp.c"

bool inside_derive(srtp_suite_t suite, const uint8_t *master, int label, uint8_t *out, int size)
{
    srtp_t srtp = {.suite = &suites[suite], .crypto = libcrypto()};
    return derive(&srtp, master, label, out, size);
}

/* To be given back by srtp_free; only for GCM and for the key stream. */
srtp_t *inside_new(srtp_suite_t suite, const uint8_t *key, const uint8_t *salt)
{
    srtp_t *srtp = calloc(1, sizeof *srtp);
    srtp->suite = &suites[suite];
    srtp->crypto = libcrypto();
    keys_t *both[] = {&srtp->rtp, &srtp->rtcp};
    for (int n = 0; n < 2; n++) {
        open_cipher(srtp, both[n], key);
        memcpy(both[n]->salt, salt, (size_t)srtp->suite->salt);
    }
    return srtp;
}

/* Of SSRC 0 and index 0. */
bool inside_keystream(srtp_t *srtp, uint8_t *out, int size)
{
    memset(out, 0, (size_t)size);
    return count_over(srtp, &srtp->rtp, &(parts_t){.body = out, .body_size = size});
}

/* The next RTCP packet of a source will have this index. */
void inside_next_control(srtp_t *srtp, uint32_t ssrc, int64_t index)
{
    use_index(srtp, &(parts_t){.ssrc = ssrc, .index = index - 1}, true);
}
