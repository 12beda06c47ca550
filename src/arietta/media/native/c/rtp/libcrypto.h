/* What SRTP needs of OpenSSL's libcrypto, found at run time: without it there is no SRTP, and all else works. */
#ifndef ARIETTA_LIBCRYPTO_H
#define ARIETTA_LIBCRYPTO_H

#include "base.h"

enum { GCM_GET_TAG = 0x10, GCM_SET_TAG = 0x11 }; /* EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG */

/* Its functions by their own names; contexts, ciphers and digests are opaque. Functions that give int give 1 for success. */
typedef struct libcrypto {
    void *(*EVP_CIPHER_CTX_new)(void);
    void (*EVP_CIPHER_CTX_free)(void *context);
    int (*EVP_CIPHER_CTX_ctrl)(void *context, int type, int size, void *data);
    int (*EVP_CipherInit_ex)(void *context, const void *cipher, void *engine, const uint8_t *key, const uint8_t *iv,
                             int encrypt);
    int (*EVP_CipherUpdate)(void *context, uint8_t *out, int *written, const uint8_t *data, int size);
    int (*EVP_CipherFinal_ex)(void *context, uint8_t *out, int *written);
    const void *(*EVP_aes_128_ctr)(void);
    const void *(*EVP_aes_256_ctr)(void);
    const void *(*EVP_aes_128_gcm)(void);
    const void *(*EVP_aes_256_gcm)(void);
    const void *(*EVP_sha1)(void);
    void *(*HMAC_CTX_new)(void);
    void (*HMAC_CTX_free)(void *context);
    int (*HMAC_Init_ex)(void *context, const void *key, int size, const void *digest, void *engine);
    int (*HMAC_Update)(void *context, const uint8_t *data, size_t size);
    int (*HMAC_Final)(void *context, uint8_t *out, unsigned *size);
    void (*OPENSSL_cleanse)(void *memory, size_t size);
} libcrypto_t;

/* Loaded by the first call, on any thread, for the life of the process; NULL when it is not there. */
const libcrypto_t *libcrypto(void);

#endif
