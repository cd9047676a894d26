/* An edge and its stand-in of a peer, with a tap on the wire between them. */
#ifndef CLV_TESTS_SPLIT_TAPPED_H
#define CLV_TESTS_SPLIT_TAPPED_H

#include "split/rig.h"
#include "split/tap.h"

typedef struct tapped {
    rig *r;
    tap t;
} tapped;

/* The stand-in and the tap; the test starts the edge, with the tap's url for its peer. */
static inline tapped *tapped_new(void)
{
    tapped *s = clv_alloc(sizeof *s);
    s->r = rig_new();
    tap_start(&s->t, s->r->s.n.port);
    return s;
}

static inline int tapped_stop(void **state)
{
    tapped *s = *state;
    void *r = s->r;
    atomic_store(&s->t.hold, false);
    stop(&r);
    tap_stop(&s->t);
    free(s);
    return 0;
}

#endif
