#include "base/digest.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct clv_digest {
    EVP_MD_CTX *context;
};

/* SHA-256 is always there in OpenSSL 3; without it (or without memory) nothing can be trusted. */
static void must(int done)
{
    if (done == 1) return;
    fputs("cleave: SHA-256 failed\n", stderr);
    abort();
}

clv_digest *clv_digest_new(void)
{
    clv_digest *d = clv_alloc(sizeof *d);
    d->context = EVP_MD_CTX_new();
    must(d->context != NULL);
    must(EVP_DigestInit_ex(d->context, EVP_sha256(), NULL));
    return d;
}

void clv_digest_add(clv_digest *d, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(d->context, bytes, n));
}

void clv_digest_end(clv_digest *d, char text[CLV_DIGEST_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    must(EVP_DigestFinal_ex(d->context, sum, &n));
    for (unsigned i = 0; i < n && 2 * i + 1 < CLV_DIGEST_TEXT; i++) {
        text[2 * i] = hex[sum[i] >> 4];
        text[2 * i + 1] = hex[sum[i] & 15];
    }
    text[CLV_DIGEST_TEXT - 1] = 0;
    clv_digest_free(d);
}

void clv_digest_free(clv_digest *d)
{
    if (!d) return;
    EVP_MD_CTX_free(d->context);
    free(d);
}
