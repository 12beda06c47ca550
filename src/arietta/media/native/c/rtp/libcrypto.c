#include "libcrypto.h"

#include <dlfcn.h>
#include <pthread.h>

#define SYMBOL(name) {#name, offsetof(libcrypto_t, name)}

static const struct symbol {
    const char *name;
    size_t place;
} symbols[] = {
    SYMBOL(EVP_CIPHER_CTX_new), SYMBOL(EVP_CIPHER_CTX_free), SYMBOL(EVP_CIPHER_CTX_ctrl), SYMBOL(EVP_CipherInit_ex),
    SYMBOL(EVP_CipherUpdate),   SYMBOL(EVP_CipherFinal_ex),  SYMBOL(EVP_aes_128_ctr),     SYMBOL(EVP_aes_256_ctr),
    SYMBOL(EVP_aes_128_gcm),    SYMBOL(EVP_aes_256_gcm),     SYMBOL(EVP_sha1),            SYMBOL(HMAC_CTX_new),
    SYMBOL(HMAC_CTX_free),      SYMBOL(HMAC_Init_ex),        SYMBOL(HMAC_Update),         SYMBOL(HMAC_Final),
    SYMBOL(OPENSSL_cleanse),
};

static const char *const file_names[] = {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"};

static libcrypto_t table;
static bool loaded;

static bool find_symbols(void *library)
{
    for (size_t n = 0; n < sizeof symbols / sizeof *symbols; n++) {
        void *found = dlsym(library, symbols[n].name);
        if (!found)
            return false;
        memcpy((char *)&table + symbols[n].place, &found, sizeof found);
    }
    return true;
}

static void load(void)
{
    for (size_t n = 0; n < sizeof file_names / sizeof *file_names && !loaded; n++) {
        void *library = dlopen(file_names[n], RTLD_NOW | RTLD_LOCAL);
        if (!library)
            continue;
        loaded = find_symbols(library);
        if (!loaded)
            dlclose(library);
    }
}

const libcrypto_t *libcrypto(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return loaded ? &table : NULL;
}
