/* SHA-256 as lower-case hex, incremental: the identity of a model's bytes.
 *
 *     clv_digest *d = clv_digest_new();
 *     clv_digest_add(d, bytes, n);     // any number of times; the split of the bytes is irrelevant
 *     char text[CLV_DIGEST_TEXT];
 *     clv_digest_end(d, text);         // frees d
 *
 * Source: FIPS 180-4, by OpenSSL. Threads: one at a time for a digest. */
#ifndef CLV_BASE_DIGEST_H
#define CLV_BASE_DIGEST_H

#include "base/status.h"

#define CLV_DIGEST_TEXT 65 /* 64 hex digits and NUL */

typedef struct clv_digest clv_digest;
clv_digest *clv_digest_new(void);
void clv_digest_add(clv_digest *d, const void *bytes, size_t n);
/* Ends and frees `d`. */
void clv_digest_end(clv_digest *d, char text[CLV_DIGEST_TEXT]);
void clv_digest_free(clv_digest *d); /* without a result; NULL is fine */

#endif
