/* SHA-256 as lower-case hex, incremental: the identity of a model's bytes. */
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
