#include "base/clock.h"
#include "engine/lane.h"
#include "unit.h"

#include <pthread.h>
#include <stdbool.h>

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
} task;

static void run(void *arg, int64_t queue_us)
{
    task *t = arg;
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
    task gate = {&r, 0, true}, a = {&r, 1, false}, b = {&r, 2, false}, c = {&r, 3, false},
         d = {&r, 4, false};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &gate, 0}, &err), err);
    wait_started(&r);
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &a, 0}, &err), err);
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &b, 0}, &err), err);
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &c, 2000}, &err), err);
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &d, 1000}, &err), err);
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
    task gate = {&r, 0, true}, a = {&r, 1, false};
    clv_error err = {0};
    assert_ok(clv_lane_submit(lane, &(clv_job){run, &gate, 0}, &err), err);
    wait_started(&r);
    int accepted = 1;
    while (clv_lane_submit(lane, &(clv_job){run, &a, 0}, &err) == CLV_OK) accepted++;
    assert_int_equal(accepted, 3);
    assert_int_equal(err.status, CLV_EBUSY);
    assert_string_equal(err.text, "lane 'test': 2 jobs are waiting already");
    open_gate(&r);
    clv_lane_free(lane);
    assert_int_equal(r.n, accepted);
    clv_lane_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_by_deadline_then_arrival),
        cmocka_unit_test(a_full_queue_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
