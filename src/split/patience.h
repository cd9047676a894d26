/* Until when the peer is waited for with a request, unless its own deadline is nearer.
 *
 *     clv_patience p = {0};
 *     due_us = clv_patience_until(&p, &(clv_patience_question){.now_us = now, .patience_us = 1000000,
 *                                                              .expected_us = 60000, .others = 3});
 *
 * Three times what is predicted for it and for each of the others that are on their way, and the
 * patience beyond. But never before one that was handed over earlier and is on its way still: the
 * moment travels with the request, and the peer serves the earliest first. As requests end, those
 * that follow have fewer before them; if each went by its own number, the first ones, which had the
 * most before them, would wait at the peer until all later ones were through.
 *
 * Threads: any. Private to split/. */
#ifndef CLV_SPLIT_PATIENCE_H
#define CLV_SPLIT_PATIENCE_H

#include <stdatomic.h>
#include <stdint.h>

enum { CLV_PATIENCE_SLACK = 3 };
#define CLV_PATIENCE_DEFAULT_US 1000000

typedef struct clv_patience {
    _Atomic int64_t latest_us; /* of those that were handed over */
} clv_patience;

typedef struct clv_patience_question {
    int64_t now_us;
    int64_t patience_us; /* 0: CLV_PATIENCE_DEFAULT_US */
    int64_t expected_us; /* of the peer's part alone */
    int others;          /* parts that are on their way before it */
} clv_patience_question;

int64_t clv_patience_until(clv_patience *p, const clv_patience_question *q);

#endif
