/* An edge and its stand-in of a peer: what the tests of the two together start with. */
#ifndef CLV_TESTS_SPLIT_RIG_H
#define CLV_TESTS_SPLIT_RIG_H

#include "split/standin.h"

typedef struct rig {
    standin s;
    edge e;
    char *folder; /* of the edge's model */
} rig;

/* The stand-in; the test starts the edge. */
static inline rig *rig_new(void)
{
    rig *r = clv_alloc(sizeof *r);
    clv_error err = {0};
    assert_ok(clv_dir_temp("edge", &r->folder, &err), err);
    standin_start(&r->s, 3);
    return r;
}

static inline int stop(void **state)
{
    rig *r = *state;
    edge_stop(&r->e);
    standin_stop(&r->s);
    clv_dir_remove(r->folder);
    free(r->folder);
    free(r);
    return 0;
}

#endif
