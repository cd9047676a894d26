/* The queue against an oracle that keeps a plain list and looks at everything at each step, and what it promises. */
#include "base/mem.h"
#include "base/rng.h"
#include "policy/fair.h"
#include "unit.h"

#include <stdlib.h>

enum { ASKERS = 5, KINDS = 3, JOBS_MAX = 400, ROUNDS = 60, STEPS = 1500 };

/* ---- the oracle ---- */

typedef struct plain {
    clv_fair_job jobs[JOBS_MAX];
    size_t n; /* in order of arrival */
    int64_t account[ASKERS], least;
} plain;

static int64_t plain_key(const clv_fair_job *j)
{
    return j->deadline_us ? j->deadline_us : j->since_us + CLV_FAIR_PATIENCE_US;
}

static bool plain_waits(const plain *p, uint64_t asker)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->jobs[i].asker == asker) return true;
    return false;
}

static void plain_advance(plain *p)
{
    int64_t least = INT64_MAX, most = p->least;
    for (uint64_t a = 0; a < ASKERS; a++) {
        if (plain_waits(p, a)) least = CLV_MIN(least, p->account[a]);
        most = CLV_MAX(most, p->account[a]);
    }
    p->least = CLV_MAX(p->least, p->n ? least : most);
}

static void plain_push(plain *p, const clv_fair_job *j)
{
    if (!plain_waits(p, j->asker)) p->account[j->asker] = CLV_MAX(p->account[j->asker], p->least);
    p->jobs[p->n++] = *j;
}

static clv_fair_job plain_take(plain *p, size_t i)
{
    clv_fair_job j = p->jobs[i];
    p->n--;
    for (; i < p->n; i++) p->jobs[i] = p->jobs[i + 1];
    return j;
}

/* Of those of the kind (NULL: all): earliest deadline of who may, else of who may not; earlier arrival wins. */
static bool plain_pop(plain *p, const void *kind, clv_fair_job *out)
{
    for (int may = 1; may >= 0; may--) {
        size_t best = p->n;
        for (size_t i = 0; i < p->n; i++) {
            const clv_fair_job *j = &p->jobs[i];
            bool can = p->account[j->asker] <= p->least + CLV_FAIR_BURST_US;
            if ((kind && j->kind != kind) || can != (may == 1)) continue;
            if (best == p->n || plain_key(j) < plain_key(&p->jobs[best])) best = i;
        }
        if (best == p->n) continue;
        *out = plain_take(p, best);
        p->account[out->asker] += CLV_MAX(out->cost_us, 1);
        plain_advance(p);
        return true;
    }
    return false;
}

static void plain_settle(plain *p, uint64_t asker, int64_t more)
{
    int64_t now = CLV_MAX(p->account[asker], p->least); /* a forgotten one begins at the least */
    p->account[asker] = CLV_MAX(now + more, p->least);
    plain_advance(p);
}

/* ---- the comparison ---- */

static const char names[JOBS_MAX * 8];
static const int kinds[KINDS];

static clv_fair_job random_job(clv_rng *rng, int64_t now, size_t serial)
{
    clv_fair_job j = {.asker = clv_rng_below(rng, ASKERS),
                      .since_us = now,
                      .cost_us = (int64_t)clv_rng_below(rng, 40000),
                      .what = &names[serial]};
    if (clv_rng_below(rng, 3)) j.deadline_us = now + 1 + (int64_t)clv_rng_below(rng, 3000000);
    if (clv_rng_below(rng, 4)) j.kind = &kinds[clv_rng_below(rng, KINDS)];
    return j;
}

static void step(clv_rng *rng, clv_fair *q, plain *p, int64_t now, size_t *serial)
{
    clv_fair_job a = {0}, b = {0};
    switch (clv_rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (p->n == JOBS_MAX || *serial == sizeof names) return;
        a = random_job(rng, now, (*serial)++);
        clv_fair_push(q, &a);
        plain_push(p, &a);
        return;
    case 4: {
        const void *kind = &kinds[clv_rng_below(rng, KINDS)];
        assert_int_equal(clv_fair_pop_alike(q, kind, &a), plain_pop(p, kind, &b));
        break;
    }
    case 5: {
        uint64_t asker = clv_rng_below(rng, ASKERS);
        int64_t more = (int64_t)clv_rng_below(rng, 60000) - 30000;
        clv_fair_settle(q, asker, more);
        plain_settle(p, asker, more);
        return;
    }
    case 6: {
        if (!p->n) return;
        b = plain_take(p, clv_rng_below(rng, p->n));
        plain_advance(p);
        assert_true(clv_fair_remove(q, b.what, &a));
        break;
    }
    default: assert_int_equal(clv_fair_pop(q, &a), plain_pop(p, NULL, &b)); break;
    }
    assert_ptr_equal(a.what, b.what);
}

static void is_the_oracles(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        clv_rng rng = clv_rng_seeded(round);
        clv_fair q = {0};
        plain *p = clv_alloc(sizeof *p);
        size_t serial = 0;
        int64_t now = 1;
        for (int i = 0; i < STEPS; i++) {
            now += (int64_t)clv_rng_below(&rng, 20000);
            step(&rng, &q, p, now, &serial);
            assert_int_equal(q.n, p->n);
            assert_int_equal(clv_fair_count(&q, NULL), 0);
        }
        clv_fair_done(&q);
        free(p);
    }
}

/* ---- promises ---- */

static const void *next(clv_fair *q)
{
    clv_fair_job j = {0};
    return clv_fair_pop(q, &j) ? j.what : NULL;
}

static void push(clv_fair *q, uint64_t asker, int64_t since, int64_t deadline, int64_t cost,
                 size_t what)
{
    clv_fair_push(q, &(clv_fair_job){.asker = asker,
                                     .since_us = since,
                                     .deadline_us = deadline,
                                     .cost_us = cost,
                                     .what = &names[what]});
}

static void deadlines_rule_among_modest_askers(void **state)
{
    (void)state;
    clv_fair q = {0};
    push(&q, 1, 0, 9000, 100, 0);
    push(&q, 2, 0, 8000, 100, 1);
    push(&q, 1, 0, 7000, 100, 2);
    push(&q, 3, 0, 0, 100, 3);
    const size_t expected[] = {2, 1, 0, 3};
    for (size_t i = 0; i < CLV_COUNT(expected); i++)
        assert_ptr_equal(next(&q), &names[expected[i]]);
    assert_null(next(&q));
    clv_fair_done(&q);
}

/* One asker floods the queue with urgent jobs; another's one job without any deadline waits for the
 * burst at the most. */
static void a_greedy_asker_starves_nobody(void **state)
{
    (void)state;
    enum { FLOOD = 1000, COST = 7000 };
    clv_fair q = {0};
    for (size_t i = 0; i < FLOOD; i++) push(&q, 1, 0, 1000, COST, i);
    int64_t served = 0;
    for (int i = 0; i < 20; i++, served += COST) next(&q);
    push(&q, 2, served, 0, COST, FLOOD);
    int64_t waited = 0;
    for (const void *w; (w = next(&q)) != &names[FLOOD]; waited += COST) assert_non_null(w);
    assert_true(waited <= CLV_FAIR_BURST_US + COST);
    clv_fair_done(&q);
}

/* Both ask all the time: both get the same time, whatever their jobs cost and however urgent they are. */
static void shares_are_equal(void **state)
{
    (void)state;
    clv_fair q = {0};
    int64_t got[2] = {0};
    for (size_t i = 0; i < 10; i++) {
        push(&q, 0, 0, 1000, 9000, 0);
        push(&q, 1, 0, 0, 2000, 1);
    }
    for (int i = 0; i < 2000; i++) {
        clv_fair_job j;
        assert_true(clv_fair_pop(&q, &j));
        got[j.asker] += j.cost_us;
        push(&q, j.asker, 0, j.deadline_us, j.cost_us, 0);
    }
    assert_true(llabs(got[0] - got[1]) <= CLV_FAIR_BURST_US + 9000);
    clv_fair_done(&q);
}

/* The same asker goes on sending urgent jobs, faster than they are served; one that has time is served all the same. */
static void a_job_without_deadline_comes_to_its_turn(void **state)
{
    (void)state;
    enum { COST = 10000, EVERY = 9000, URGENT = 50000 };
    clv_fair q = {0};
    push(&q, 1, 0, 0, COST, 0);
    int64_t now = 0, sent = 0;
    for (;; now += COST) {
        for (; sent <= now; sent += EVERY) push(&q, 1, sent, sent + URGENT, COST, 1);
        if (next(&q) == &names[0]) break;
        assert_true(now < 2 * CLV_FAIR_PATIENCE_US);
    }
    clv_fair_done(&q);
}

static void a_cost_that_was_wrong_is_put_right(void **state)
{
    (void)state;
    clv_fair q = {0};
    clv_fair_job j;
    for (int i = 0; i < 3; i++) {
        push(&q, 1, 0, 1000, 1, 0);
        push(&q, 2, 0, 2000, 1, 1);
    }
    assert_true(clv_fair_pop(&q, &j));
    assert_int_equal(j.asker, 1);
    clv_fair_settle(&q, 1, 3 * CLV_FAIR_BURST_US); /* it was no small job */
    for (int i = 0; i < 3; i++) assert_ptr_equal(next(&q), &names[1]);
    assert_ptr_equal(next(&q), &names[0]);
    clv_fair_done(&q);
}

/* What is told to be ahead of a job is at least what is then served before it, but for a burst; and
 * exact for one asker. */
static void tells_what_is_ahead(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 300; round++) {
        clv_rng rng = clv_rng_seeded(round);
        clv_fair q = {0};
        bool alone = round % 3 == 0;
        for (size_t i = 0; i < 40; i++) {
            clv_fair_job j = random_job(&rng, (int64_t)i * 1000, i);
            if (alone) j.asker = 0;
            j.cost_us = CLV_MAX(j.cost_us, 1);
            clv_fair_push(&q, &j);
        }
        clv_fair_job mine = random_job(&rng, 50000, 100), j;
        if (alone) mine.asker = 0;
        int64_t told = clv_fair_ahead_us(&q, &mine), served = 0;
        clv_fair_push(&q, &mine);
        while (clv_fair_pop(&q, &j) && j.what != mine.what) served += j.cost_us;
        if (alone) assert_int_equal(told, served);
        assert_true(told + ASKERS * (CLV_FAIR_BURST_US + 40000) >= served);
        assert_true(told >= 0 && told <= served + ASKERS * (CLV_FAIR_BURST_US + 40000));
        clv_fair_done(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_oracles),
        cmocka_unit_test(deadlines_rule_among_modest_askers),
        cmocka_unit_test(a_greedy_asker_starves_nobody),
        cmocka_unit_test(shares_are_equal),
        cmocka_unit_test(a_job_without_deadline_comes_to_its_turn),
        cmocka_unit_test(a_cost_that_was_wrong_is_put_right),
        cmocka_unit_test(tells_what_is_ahead),
    };
    return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
