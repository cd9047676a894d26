/* Until when the peer is waited for with a request, unless its own deadline is nearer.
 *
 *     due_us = clv_patience_until(&(clv_patience_question){.now_us = now, .patience_us = 1000000,
 *                                                          .expected_us = 60000, .others = 3});
 *
 * Three times what is predicted for it and for each of the others that are on their way, and the
 * patience beyond. The moment travels with the request, so that the peer does no work that nobody
 * waits for, but orders nothing there: what was sent with many others before it, or was a little
 * longer on its way, would wait until all later ones were through.
 *
 * Pure. Private to split/. */
#ifndef CLV_SPLIT_PATIENCE_H
#define CLV_SPLIT_PATIENCE_H

#include <stdint.h>

enum { CLV_PATIENCE_SLACK = 3 };
#define CLV_PATIENCE_DEFAULT_US 1000000

typedef struct clv_patience_question {
    int64_t now_us;
    int64_t patience_us; /* 0: CLV_PATIENCE_DEFAULT_US */
    int64_t expected_us; /* of the peer's part alone */
    int others;          /* parts that are on their way before it */
} clv_patience_question;

int64_t clv_patience_until(const clv_patience_question *q);

#endif
