#include "base/clock.h"
#include "base/mem.h"
#include "engine/lane.h"
#include "policy/fair.h"
#include "unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

typedef struct record {
    pthread_mutex_t lock;
    pthread_cond_t changed, began;
    bool open;    /* the gate that the first job waits at */
    bool started; /* the first job is there */
    int order[8], n;
    int64_t waited_us[8];
} record;

typedef struct task {
    record *r;
    int id;
    bool waits;
    int64_t takes_us;
} task;

static void run(void *arg, int64_t queue_us)
{
    task *t = arg;
    if (t->takes_us) clv_sleep_us(t->takes_us);
    pthread_mutex_lock(&t->r->lock);
    t->r->started = true;
    pthread_cond_signal(&t->r->began);
    while (t->waits && !t->r->open) pthread_cond_wait(&t->r->changed, &t->r->lock);
    t->r->waited_us[t->r->n] = queue_us;
    t->r->order[t->r->n++] = t->id;
    pthread_mutex_unlock(&t->r->lock);
}

static void open_gate(record *r)
{
    pthread_mutex_lock(&r->lock);
    r->open = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void wait_started(record *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->started) pthread_cond_wait(&r->began, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static void jobs_run_by_deadline_then_arrival(void **state)
{
    (void)state;
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 5, -1);
    task gate = {&r, 0, true, 0}, a = {&r, 1, false, 0}, b = {&r, 2, false, 0},
         c = {&r, 3, false, 0}, d = {&r, 4, false, 0};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate, .deadline_us = 0}, &err),
              err);
    wait_started(&r);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &a, .deadline_us = 0}, &err),
              err);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &b, .deadline_us = 0}, &err),
              err);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &c, .deadline_us = 2000}, &err),
              err);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &d, .deadline_us = 1000}, &err),
              err);
    assert_int_equal(clv_lane_depth(lane), 5);
    clv_sleep_us(2000);
    open_gate(&r);
    clv_lane_free(lane); /* runs what is queued */
    const int expected[] = {0, 4, 3, 1, 2};
    assert_int_equal(r.n, 5);
    for (int i = 0; i < 5; i++) assert_int_equal(r.order[i], expected[i]);
    assert_true(r.waited_us[1] >= 2000);
}

static void a_full_queue_refuses(void **state)
{
    (void)state;
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 2, 0);
    task gate = {&r, 0, true, 0}, a = {&r, 1, false, 0};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate, .deadline_us = 0}, &err),
              err);
    wait_started(&r);
    int accepted = 1;
    while (clv_lane_submit(lane, &(clv_job){.run = run, .arg = &a, .deadline_us = 0}, &err) ==
           CLV_OK)
        accepted++;
    assert_int_equal(accepted, 3);
    assert_int_equal(err.status, CLV_EBUSY);
    assert_string_equal(err.text, "lane 'test': 2 jobs are waiting already");
    open_gate(&r);
    clv_lane_free(lane);
    assert_int_equal(r.n, accepted);
    clv_lane_free(NULL);
}

static void what_is_withdrawn_does_not_run(void **state)
{
    (void)state;
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 8, -1);
    task gate = {&r, 0, true, 0}, a = {&r, 1, false, 0}, b = {&r, 2, false, 0};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate}, &err), err);
    wait_started(&r);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &a}, &err), err);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &b}, &err), err);
    assert_true(clv_lane_withdraw(lane, &a));
    assert_false(clv_lane_withdraw(lane, &a));
    assert_false(clv_lane_withdraw(lane, &gate)); /* it runs */
    clv_lane_load load = clv_lane_look(lane);
    assert_int_equal(load.waiting, 1);
    assert_int_equal(load.running, 1);
    assert_int_equal(load.withdrawn, 1);
    open_gate(&r);
    clv_lane_free(lane);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.order[1], 2);
}

static void the_load_is_told(void **state)
{
    (void)state;
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 8, -1);
    task gate = {&r, 0, true, 0}, a = {&r, 1, false, 0};
    clv_error err = {0};
    assert_int_equal(clv_lane_look(lane).wait_us, 0);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate}, &err), err);
    wait_started(&r);
    for (int i = 0; i < 5; i++)
        assert_ok(
            clv_lane_submit(
                lane, &(clv_job){.run = run, .arg = &a, .deadline_us = 9, .cost_us = 70000}, &err),
            err);
    assert_int_equal(clv_lane_look(lane).ahead_us, 5 * 70000);
    clv_job before = {.arg = &r, .deadline_us = 8}, behind = {.arg = &r, .deadline_us = 10};
    assert_int_equal(clv_lane_ahead_us(lane, &before), 0);
    assert_int_equal(clv_lane_ahead_us(lane, &behind), 5 * 70000);
    clv_sleep_us(3000);
    open_gate(&r);
    while (clv_lane_depth(lane)) clv_sleep_us(200);
    assert_true(clv_lane_look(lane).wait_us >= 3000);
    assert_int_equal(clv_lane_look(lane).ran, 6);
    clv_lane_free(lane);
}

/* One asker floods the lane with urgent jobs; another's one job does not wait for all of them. */
static void a_greedy_asker_does_not_starve_another(void **state)
{
    (void)state;
    enum { FLOOD = 4 };
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 64, -1);
    task gate = {&r, 0, true, 0}, flood = {&r, 1, false, CLV_FAIR_BURST_US + 5000},
         polite = {&r, 2, false, 0};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate, .asker = 3}, &err), err);
    wait_started(&r);
    for (int i = 0; i < FLOOD; i++)
        assert_ok(
            clv_lane_submit(
                lane,
                &(clv_job){
                    .run = run, .arg = &flood, .deadline_us = 1000, .asker = 1, .cost_us = 60000},
                &err),
            err);
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &polite, .asker = 2}, &err), err);
    open_gate(&r);
    clv_lane_free(lane);
    assert_int_equal(r.n, FLOOD + 2);
    assert_int_equal(r.order[1], 1);
    assert_int_equal(r.order[2], 2); /* the flood's first had more than its share */
}

typedef struct group {
    record *r;
    size_t sizes[8], n, waiting_told;
} group;

static size_t two_at_a_time(void *kind, void *first, size_t waiting, int64_t slack_us)
{
    (void)first;
    group *g = kind;
    g->waiting_told = waiting;
    return slack_us == INT64_MAX ? 2 : 1;
}

static void run_group(void *kind, void *const *args, const int64_t *queue_us, size_t n)
{
    group *g = kind;
    g->sizes[g->n++] = n;
    for (size_t i = 0; i < n; i++) run(args[i], queue_us[i]);
}

static void jobs_of_one_kind_run_together(void **state)
{
    (void)state;
    record r = {.lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .began = PTHREAD_COND_INITIALIZER};
    clv_lane *lane = clv_lane_new("test", 8, -1);
    group g = {.r = &r};
    task gate = {&r, 0, true, 0}, t[5];
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){.run = run, .arg = &gate}, &err), err);
    wait_started(&r);
    for (int i = 0; i < 5; i++) {
        t[i] = (task){&r, i + 1, false, 0};
        clv_job job = {.run = run,
                       .arg = &t[i],
                       .asker = (uint64_t)i,
                       .kind = i == 2 ? NULL : &g,
                       .together = two_at_a_time,
                       .run_together = run_group};
        assert_ok(clv_lane_submit(lane, &job, &err), err);
    }
    open_gate(&r);
    clv_lane_free(lane);
    const int expected[] = {0, 1, 2, 3, 4, 5}; /* 1 and 2, 3 alone, 4 and 5 */
    assert_int_equal(r.n, 6);
    for (int i = 0; i < 6; i++) assert_int_equal(r.order[i], expected[i]);
    assert_int_equal(g.n, 2);
    assert_int_equal(g.sizes[0], 2);
    assert_int_equal(g.sizes[1], 2);
    assert_int_equal(g.waiting_told, 2);
}

static void note_priority(void *arg, int64_t queue_us)
{
    (void)queue_us;
    *(int *)arg = getpriority(PRIO_PROCESS, 0); /* on Linux, of this thread */
}

static void a_background_lane_gives_way(void **state)
{
    (void)state;
    int of[2];
    clv_lane *lanes[] = {clv_lane_new("test", 8, -1), clv_lane_new_background("test", 8)};
    clv_error err = {0};
    for (int i = 0; i < 2; i++) {
        clv_job job = {.run = note_priority, .arg = &of[i]};
        assert_ok(clv_lane_submit(lanes[i], &job, &err), err);
        clv_lane_free(lanes[i]);
    }
    assert_int_equal(of[0], getpriority(PRIO_PROCESS, 0));
    assert_int_equal(of[1], CLV_MIN(of[0] + CLV_LANE_NICE, 19));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_background_lane_gives_way),
        cmocka_unit_test(jobs_run_by_deadline_then_arrival),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(what_is_withdrawn_does_not_run),
        cmocka_unit_test(the_load_is_told),
        cmocka_unit_test(a_greedy_asker_does_not_starve_another),
        cmocka_unit_test(jobs_of_one_kind_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
