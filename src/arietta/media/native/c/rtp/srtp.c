#include "srtp.h"

#include <stdlib.h>

#include "libcrypto.h"
#include "rtp.h"

enum {
    KEY_ROOM = 32,
    SALT_ROOM = 14,      /* RFC 3711 4.3.1; shorter salts (RFC 7714) are followed by zeros */
    IV_ROOM = 16,
    GCM_TAG = 16,
    AUTH_KEY = 20,
    SHA1_BYTES = 20,
    RTCP_HEADER = 8,     /* not encrypted: RFC 3711 3.4 */
    RTCP_INDEX = 4,      /* with its E flag */
    WINDOW = 128,        /* packets; RFC 3711 3.3.2 asks for 64 at least */
    MOST_STREAMS = 4,    /* sources whose numbers are known; the one that was silent longest makes room */
};

#define ENCRYPTED UINT32_C(0x80000000) /* E flag */
#define LAST_INDEX ((INT64_C(1) << 48) - 1)
#define LAST_RTCP_INDEX INT64_C(0x7FFFFFFF)

static const struct suite {
    const char *name;
    int key, salt, rtp_tag, rtcp_tag;
    bool gcm;
} suites[] = {
    [SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, false},
    [SRTP_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, false}, /* RFC 4568 6.2.2 */
    [SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, GCM_TAG, GCM_TAG, true},
    [SRTP_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, GCM_TAG, GCM_TAG, true},
};

enum { SUITES = sizeof suites / sizeof *suites };

/* What RFC 3711 4.3.1 calls a label: of RTP; those of RTCP are RTCP_LABELS higher. */
enum { CIPHER_LABEL, AUTH_LABEL, SALT_LABEL, RTCP_LABELS };

/* The session keys of RTP or of RTCP; the contexts are ours. */
typedef struct keys {
    void *cipher;
    void *hmac; /* NULL with GCM */
    uint8_t salt[SALT_ROOM];
} keys_t;

/* Which indices were used: the highest, and those of the WINDOW up to it. */
typedef struct window {
    bool begun;
    int64_t highest;
    uint64_t seen[2]; /* the lowest bit of the first is the highest index */
} window_t;

typedef struct stream {
    uint32_t ssrc;
    uint64_t used_at;
    window_t rtp, rtcp;
} stream_t;

struct srtp {
    const struct suite *suite;
    const libcrypto_t *crypto;
    keys_t rtp, rtcp;
    stream_t streams[MOST_STREAMS];
    int count;
    uint64_t uses;
    bool takes_replays;
};

/* A packet's parts for the cipher: what is authenticated alone, what is encrypted too, what else is authenticated. */
typedef struct parts {
    uint8_t *header, *body;
    int header_size, body_size;
    uint8_t tail[4]; /* roll-over counter of RTP, E flag and index of RTCP */
    uint32_t ssrc;
    int64_t index;
} parts_t;

/* -- suites and keys -- */

int srtp_suite_named(const char *name)
{
    for (int suite = 0; suite < SUITES; suite++)
        if (strcmp(suites[suite].name, name) == 0)
            return suite;
    return -1;
}

int srtp_key_bytes(srtp_suite_t suite)
{
    return (unsigned)suite < SUITES ? suites[suite].key + suites[suite].salt : 0;
}

bool srtp_available(void) { return libcrypto() != NULL; }

/* AES in counter mode over zeros (RFC 3711 4.3.3, RFC 6188 for 256 bits). */
static bool derive(const srtp_t *srtp, const uint8_t *master, int label, uint8_t *out, int size)
{
    const libcrypto_t *crypto = srtp->crypto;
    const struct suite *suite = srtp->suite;
    uint8_t iv[IV_ROOM] = {0};
    memcpy(iv, master + suite->key, (size_t)suite->salt);
    iv[7] ^= (uint8_t)label;
    memset(out, 0, (size_t)size);
    void *cipher = crypto->EVP_CIPHER_CTX_new();
    int written;
    bool done = cipher &&
                crypto->EVP_CipherInit_ex(cipher, suite->key == 32 ? crypto->EVP_aes_256_ctr() : crypto->EVP_aes_128_ctr(),
                                          NULL, master, iv, 1) == 1 &&
                crypto->EVP_CipherUpdate(cipher, out, &written, out, size) == 1;
    crypto->EVP_CIPHER_CTX_free(cipher);
    return done;
}

static const void *cipher_of(const srtp_t *srtp)
{
    if (!srtp->suite->gcm)
        return srtp->crypto->EVP_aes_128_ctr();
    return srtp->suite->key == 32 ? srtp->crypto->EVP_aes_256_gcm() : srtp->crypto->EVP_aes_128_gcm();
}

static bool open_cipher(const srtp_t *srtp, keys_t *keys, const uint8_t *key)
{
    keys->cipher = srtp->crypto->EVP_CIPHER_CTX_new();
    return keys->cipher && srtp->crypto->EVP_CipherInit_ex(keys->cipher, cipher_of(srtp), NULL, key, NULL, 1) == 1;
}

static bool open_hmac(const srtp_t *srtp, keys_t *keys, const uint8_t *key)
{
    keys->hmac = srtp->crypto->HMAC_CTX_new();
    return keys->hmac && srtp->crypto->HMAC_Init_ex(keys->hmac, key, AUTH_KEY, srtp->crypto->EVP_sha1(), NULL) == 1;
}

/* The session keys of RTP, or of RTCP, from the master key and salt. */
static bool open_keys(const srtp_t *srtp, keys_t *keys, const uint8_t *master, int labels)
{
    uint8_t key[KEY_ROOM], auth[AUTH_KEY];
    bool done = derive(srtp, master, labels + CIPHER_LABEL, key, srtp->suite->key) &&
                derive(srtp, master, labels + SALT_LABEL, keys->salt, srtp->suite->salt) &&
                derive(srtp, master, labels + AUTH_LABEL, auth, sizeof auth) && open_cipher(srtp, keys, key) &&
                (srtp->suite->gcm || open_hmac(srtp, keys, auth));
    srtp->crypto->OPENSSL_cleanse(key, sizeof key);
    srtp->crypto->OPENSSL_cleanse(auth, sizeof auth);
    return done;
}

srtp_t *srtp_new(srtp_suite_t suite, const uint8_t *key_and_salt, int size)
{
    const libcrypto_t *crypto = libcrypto();
    if (!crypto || (unsigned)suite >= SUITES || size != srtp_key_bytes(suite))
        return NULL;
    srtp_t *srtp = calloc(1, sizeof *srtp);
    if (!srtp)
        return NULL;
    srtp->suite = &suites[suite];
    srtp->crypto = crypto;
    if (open_keys(srtp, &srtp->rtp, key_and_salt, 0) && open_keys(srtp, &srtp->rtcp, key_and_salt, RTCP_LABELS))
        return srtp;
    srtp_free(srtp);
    return NULL;
}

static void close_keys(const libcrypto_t *crypto, keys_t *keys)
{
    crypto->EVP_CIPHER_CTX_free(keys->cipher);
    crypto->HMAC_CTX_free(keys->hmac);
}

void srtp_free(srtp_t *srtp)
{
    if (!srtp)
        return;
    const libcrypto_t *crypto = srtp->crypto;
    close_keys(crypto, &srtp->rtp);
    close_keys(crypto, &srtp->rtcp);
    crypto->OPENSSL_cleanse(srtp, sizeof *srtp);
    free(srtp);
}

/* -- indices -- */

/* RFC 3711 3.3.1: the index whose lower half is the sequence number, next to the highest; negative before the first. */
static int64_t guess_index(const window_t *window, uint16_t sequence)
{
    return window->begun ? window->highest + sequence_difference(sequence, (uint16_t)window->highest) : sequence;
}

static bool is_fresh(const window_t *window, int64_t index)
{
    if (!window->begun || index > window->highest)
        return true;
    int64_t behind = window->highest - index;
    return behind < WINDOW && !(window->seen[behind / 64] >> (behind % 64) & 1);
}

static bool may_come(const srtp_t *srtp, const window_t *window, int64_t index)
{
    return srtp->takes_replays || is_fresh(window, index);
}

static void advance(window_t *window, int64_t steps)
{
    if (steps >= 64) {
        window->seen[1] = steps >= WINDOW ? 0 : window->seen[0] << (steps - 64);
        window->seen[0] = 0;
    } else if (steps > 0) {
        window->seen[1] = window->seen[1] << steps | window->seen[0] >> (64 - steps);
        window->seen[0] <<= steps;
    }
}

static void mark(window_t *window, int64_t index)
{
    if (!window->begun || index > window->highest) {
        advance(window, window->begun ? index - window->highest : 0);
        window->begun = true;
        window->highest = index;
    }
    int64_t behind = window->highest - index;
    if (behind < WINDOW)
        window->seen[behind / 64] |= UINT64_C(1) << (behind % 64);
}

/* NULL when the source is not known. */
static stream_t *find_stream(srtp_t *srtp, uint32_t ssrc)
{
    for (int n = 0; n < srtp->count; n++)
        if (srtp->streams[n].ssrc == ssrc)
            return &srtp->streams[n];
    return NULL;
}

/* A source that is not known yet: its packets are genuine. */
static stream_t *new_stream(srtp_t *srtp, uint32_t ssrc)
{
    stream_t *stream = &srtp->streams[0];
    if (srtp->count < MOST_STREAMS)
        stream = &srtp->streams[srtp->count++];
    else
        for (int n = 1; n < MOST_STREAMS; n++)
            if (srtp->streams[n].used_at < stream->used_at)
                stream = &srtp->streams[n];
    *stream = (stream_t){.ssrc = ssrc};
    return stream;
}

static window_t window_of(srtp_t *srtp, uint32_t ssrc, bool control)
{
    stream_t *stream = find_stream(srtp, ssrc);
    if (!stream)
        return (window_t){0};
    return control ? stream->rtcp : stream->rtp;
}

static void use_index(srtp_t *srtp, const parts_t *parts, bool control)
{
    stream_t *stream = find_stream(srtp, parts->ssrc);
    if (!stream)
        stream = new_stream(srtp, parts->ssrc);
    stream->used_at = ++srtp->uses;
    mark(control ? &stream->rtcp : &stream->rtp, parts->index);
}

/* A sender never forgets its numbers: used again with other content they would give the key away (RFC 7714 8.1). */
static bool may_send(srtp_t *srtp, uint32_t ssrc) { return srtp->count < MOST_STREAMS || find_stream(srtp, ssrc); }

/* -- ciphers -- */

/* RFC 3711 4.1.1, RFC 7714 8.1 and 9.1: the salt with SSRC and index; GCM's is two bytes shorter at the front. */
static void make_iv(const srtp_t *srtp, const keys_t *keys, const parts_t *parts, uint8_t iv[IV_ROOM])
{
    uint8_t *at = iv + (srtp->suite->gcm ? 2 : 4);
    memset(iv, 0, IV_ROOM);
    write_be32(at, parts->ssrc);
    write_be16(at + 4, (uint16_t)(parts->index >> 32));
    write_be32(at + 6, (uint32_t)parts->index);
    for (int n = 0; n < srtp->suite->salt; n++)
        iv[n] ^= keys->salt[n];
}

static bool update(const srtp_t *srtp, const keys_t *keys, uint8_t *out, const uint8_t *data, int size)
{
    int written;
    return size == 0 || srtp->crypto->EVP_CipherUpdate(keys->cipher, out, &written, data, size) == 1;
}

/* In place; both ways alike. */
static bool count_over(const srtp_t *srtp, const keys_t *keys, const parts_t *parts)
{
    uint8_t iv[IV_ROOM];
    make_iv(srtp, keys, parts, iv);
    return srtp->crypto->EVP_CipherInit_ex(keys->cipher, NULL, NULL, NULL, iv, 1) == 1 &&
           update(srtp, keys, parts->body, parts->body, parts->body_size);
}

/* The body follows the header in memory. */
static bool hmac_over(const srtp_t *srtp, const keys_t *keys, const parts_t *parts, uint8_t digest[SHA1_BYTES])
{
    const libcrypto_t *crypto = srtp->crypto;
    unsigned size;
    return crypto->HMAC_Init_ex(keys->hmac, NULL, 0, NULL, NULL) == 1 &&
           crypto->HMAC_Update(keys->hmac, parts->header, (size_t)(parts->header_size + parts->body_size)) == 1 &&
           crypto->HMAC_Update(keys->hmac, parts->tail, sizeof parts->tail) == 1 &&
           crypto->HMAC_Final(keys->hmac, digest, &size) == 1;
}

/* Begins a packet: its IV and what is authenticated alone; RTCP's index word belongs to it (RFC 7714 9.2). */
static bool begin_gcm(const srtp_t *srtp, const keys_t *keys, const parts_t *parts, bool control, bool encrypt)
{
    uint8_t iv[IV_ROOM];
    make_iv(srtp, keys, parts, iv);
    return srtp->crypto->EVP_CipherInit_ex(keys->cipher, NULL, NULL, NULL, iv, encrypt) == 1 &&
           update(srtp, keys, NULL, parts->header, parts->header_size) &&
           (!control || update(srtp, keys, NULL, parts->tail, sizeof parts->tail));
}

static bool finish_gcm(const srtp_t *srtp, const keys_t *keys, const parts_t *parts)
{
    uint8_t rest[GCM_TAG];
    int written;
    return update(srtp, keys, parts->body, parts->body, parts->body_size) &&
           srtp->crypto->EVP_CipherFinal_ex(keys->cipher, rest, &written) == 1;
}

static bool seal(const srtp_t *srtp, const parts_t *parts, bool control, uint8_t *tag)
{
    const keys_t *keys = control ? &srtp->rtcp : &srtp->rtp;
    if (srtp->suite->gcm)
        return begin_gcm(srtp, keys, parts, control, true) && finish_gcm(srtp, keys, parts) &&
               srtp->crypto->EVP_CIPHER_CTX_ctrl(keys->cipher, GCM_GET_TAG, GCM_TAG, tag) == 1;
    uint8_t digest[SHA1_BYTES];
    if (!count_over(srtp, keys, parts) || !hmac_over(srtp, keys, parts, digest))
        return false;
    memcpy(tag, digest, (size_t)(control ? srtp->suite->rtcp_tag : srtp->suite->rtp_tag));
    return true;
}

/* In a time that does not tell where they differ. */
static bool same(const uint8_t *one, const uint8_t *other, int size)
{
    uint8_t difference = 0;
    for (int n = 0; n < size; n++)
        difference |= one[n] ^ other[n];
    return difference == 0;
}

/* The tag may be written to. */
static bool unseal(const srtp_t *srtp, const parts_t *parts, bool control, bool encrypted, uint8_t *tag)
{
    const keys_t *keys = control ? &srtp->rtcp : &srtp->rtp;
    if (srtp->suite->gcm)
        return begin_gcm(srtp, keys, parts, control, false) &&
               srtp->crypto->EVP_CIPHER_CTX_ctrl(keys->cipher, GCM_SET_TAG, GCM_TAG, tag) == 1 &&
               finish_gcm(srtp, keys, parts);
    uint8_t digest[SHA1_BYTES];
    return hmac_over(srtp, keys, parts, digest) &&
           same(digest, tag, control ? srtp->suite->rtcp_tag : srtp->suite->rtp_tag) &&
           (!encrypted || count_over(srtp, keys, parts));
}

void srtp_take_replays(srtp_t *srtp, bool on) { srtp->takes_replays = on; }

/* -- RTP -- */

/* False when it is no RTP packet, or its number was used or is too old. */
static bool take_apart(srtp_t *srtp, uint8_t *packet, int size, parts_t *parts)
{
    int offset = rtp_payload_offset(packet, size);
    if (offset < 0)
        return false;
    parts->header = packet;
    parts->header_size = offset;
    parts->body = packet + offset;
    parts->body_size = size - offset;
    parts->ssrc = read_be32(packet + 8);
    window_t window = window_of(srtp, parts->ssrc, false);
    parts->index = guess_index(&window, read_be16(packet + 2));
    write_be32(parts->tail, (uint32_t)(parts->index >> 16)); /* RFC 3711 4.2 */
    return parts->index >= 0 && parts->index <= LAST_INDEX && may_come(srtp, &window, parts->index);
}

int srtp_protect(srtp_t *srtp, uint8_t *packet, int size, int room)
{
    int tag = srtp->suite->rtp_tag;
    parts_t parts;
    if (size > room - tag || !take_apart(srtp, packet, size, &parts) || !may_send(srtp, parts.ssrc))
        return -1;
    if (!seal(srtp, &parts, false, packet + size))
        return -1;
    use_index(srtp, &parts, false);
    return size + tag;
}

int srtp_unprotect(srtp_t *srtp, uint8_t *packet, int size)
{
    size -= srtp->suite->rtp_tag;
    parts_t parts;
    if (!take_apart(srtp, packet, size, &parts) || !unseal(srtp, &parts, false, true, packet + size))
        return -1;
    use_index(srtp, &parts, false);
    return size;
}

/* -- RTCP: the compound, E flag and index, tag; with GCM the tag before the index (RFC 7714 9) -- */

static parts_t take_apart_control(uint8_t *packet, int size, int64_t index, bool encrypted)
{
    parts_t parts = {
        .header = packet,
        .header_size = encrypted ? RTCP_HEADER : size,
        .body = packet + RTCP_HEADER,
        .body_size = encrypted ? size - RTCP_HEADER : 0,
        .ssrc = read_be32(packet + 4),
        .index = index,
    };
    write_be32(parts.tail, (encrypted ? ENCRYPTED : 0) | (uint32_t)index);
    return parts;
}

int srtcp_protect(srtp_t *srtp, uint8_t *packet, int size, int room)
{
    int tag = srtp->suite->rtcp_tag;
    if (size < RTCP_HEADER || size > room - tag - RTCP_INDEX)
        return -1;
    window_t window = window_of(srtp, read_be32(packet + 4), true);
    parts_t parts = take_apart_control(packet, size, window.begun ? window.highest + 1 : 0, true);
    bool gcm = srtp->suite->gcm;
    if (parts.index > LAST_RTCP_INDEX || !may_send(srtp, parts.ssrc) ||
        !seal(srtp, &parts, true, packet + size + (gcm ? 0 : RTCP_INDEX)))
        return -1;
    memcpy(packet + size + (gcm ? tag : 0), parts.tail, RTCP_INDEX);
    use_index(srtp, &parts, true);
    return size + tag + RTCP_INDEX;
}

int srtcp_unprotect(srtp_t *srtp, uint8_t *packet, int size)
{
    int tag = srtp->suite->rtcp_tag;
    bool gcm = srtp->suite->gcm;
    size -= tag + RTCP_INDEX;
    if (size < RTCP_HEADER)
        return -1;
    uint32_t word = read_be32(packet + size + (gcm ? tag : 0));
    parts_t parts = take_apart_control(packet, size, word & ~ENCRYPTED, word & ENCRYPTED);
    window_t window = window_of(srtp, parts.ssrc, true);
    if (!may_come(srtp, &window, parts.index) ||
        !unseal(srtp, &parts, true, word & ENCRYPTED, packet + size + (gcm ? 0 : RTCP_INDEX)))
        return -1;
    use_index(srtp, &parts, true);
    return size;
}
