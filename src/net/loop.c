#include "net/loop.h"

#include "base/mem.h"
#include "net/loop_uv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct posted {
    void (*fn)(void *arg);
    void *arg;
} posted;

typedef struct signal_watch {
    uv_signal_t uv;
    void (*fn)(void *arg);
    void *arg;
    struct signal_watch *next;
} signal_watch;

struct clv_loop {
    uv_loop_t uv;
    int wake_fd; /* eventfd: something was posted, or the loop is to stop */
    uv_poll_t wake;
    pthread_mutex_t lock; /* guards the inbox */
    posted *inbox;
    size_t n_inbox, inbox_cap;
    posted *batch; /* what `inbox` was; only the loop's thread sees it */
    size_t batch_cap;
    _Atomic unsigned long thread;
    atomic_bool stopping;
    signal_watch *signals;
    unsigned char *read_buffer;
};

struct clv_timer {
    uv_timer_t uv;
    void (*fn)(void *arg);
    void *arg;
};

/* Take what was posted so far and run it; what is posted meanwhile wakes the loop again, so that a
 * function that posts itself does not starve the sockets. */
static void run_posted(clv_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    posted *batch = loop->inbox;
    size_t n = loop->n_inbox;
    size_t cap = loop->inbox_cap;
    loop->inbox = loop->batch;
    loop->inbox_cap = loop->batch_cap;
    loop->n_inbox = 0;
    loop->batch = NULL;
    loop->batch_cap = 0;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < n; i++) batch[i].fn(batch[i].arg);
    loop->batch = batch;
    loop->batch_cap = cap;
    if (atomic_load(&loop->stopping)) uv_stop(&loop->uv);
}

/* Not uv_async_t: its receiver spins until the sender's thread has left uv_async_send(), which
 * takes long when waking the loop has taken the processor from that thread. */
static void wake(clv_loop *loop)
{
    uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR) continue;
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    clv_loop *loop = poll->data;
    uint64_t count;
    while (read(loop->wake_fd, &count, sizeof count) < 0 && errno == EINTR) continue;
    run_posted(loop);
}

clv_loop *clv_loop_new(void)
{
    clv_loop *loop = clv_alloc(sizeof *loop);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0 || uv_loop_init(&loop->uv) ||
        uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd) ||
        uv_poll_start(&loop->wake, UV_READABLE, on_wake))
        abort();
    loop->wake.data = loop;
    pthread_mutex_init(&loop->lock, NULL);
    atomic_store(&loop->thread, (unsigned long)pthread_self());
    loop->read_buffer = clv_alloc(CLV_READ_BUFFER);
    return loop;
}

void clv_loop_run(clv_loop *loop)
{
    atomic_store(&loop->thread, (unsigned long)pthread_self());
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    atomic_store(&loop->stopping, false);
}

void clv_loop_turn(clv_loop *loop)
{
    atomic_store(&loop->thread, (unsigned long)pthread_self());
    uv_run(&loop->uv, UV_RUN_NOWAIT);
}

void clv_loop_stop(clv_loop *loop)
{
    atomic_store(&loop->stopping, true);
    wake(loop);
}

void clv_loop_post(clv_loop *loop, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&loop->lock);
    clv_grow(&loop->inbox, &loop->inbox_cap, loop->n_inbox + 1, sizeof *loop->inbox);
    loop->inbox[loop->n_inbox++] = (posted){fn, arg};
    bool first = loop->n_inbox == 1;
    pthread_mutex_unlock(&loop->lock);
    if (first) wake(loop);
}

void clv_loop_rouse(clv_loop *loop)
{
    wake(loop);
}

bool clv_loop_here(const clv_loop *loop)
{
    return atomic_load(&loop->thread) == (unsigned long)pthread_self();
}

static void on_signal(uv_signal_t *uv, int signum)
{
    (void)signum;
    signal_watch *w = uv->data;
    w->fn(w->arg);
}

void clv_loop_on_signal(clv_loop *loop, int signum, void (*fn)(void *arg), void *arg)
{
    signal_watch *w = clv_alloc(sizeof *w);
    w->fn = fn;
    w->arg = arg;
    w->uv.data = w;
    w->next = loop->signals;
    loop->signals = w;
    uv_signal_init(&loop->uv, &w->uv);
    uv_signal_start(&w->uv, on_signal, signum);
    uv_unref((uv_handle_t *)&w->uv);
}

static void free_data(uv_handle_t *handle)
{
    free(handle->data);
}

void clv_loop_free(clv_loop *loop)
{
    if (!loop) return;
    atomic_store(&loop->thread, (unsigned long)pthread_self());
    /* Posted functions may post more (an answer that arrives late releases its slices). */
    while (loop->n_inbox) run_posted(loop);
    for (signal_watch *w = loop->signals, *next; w; w = next) {
        next = w->next;
        uv_close((uv_handle_t *)&w->uv, free_data);
    }
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv)) abort(); /* something made on the loop was not freed */
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop->inbox);
    free(loop->batch);
    free(loop->read_buffer);
    free(loop);
}

uv_loop_t *clv_loop_uv(clv_loop *loop)
{
    return &loop->uv;
}
unsigned char *clv_loop_read_buffer(clv_loop *loop)
{
    return loop->read_buffer;
}

static void on_timer(uv_timer_t *uv)
{
    clv_timer *t = uv->data;
    t->fn(t->arg);
}

clv_timer *clv_timer_new(clv_loop *loop, void (*fn)(void *arg), void *arg)
{
    clv_timer *t = clv_alloc(sizeof *t);
    t->fn = fn;
    t->arg = arg;
    uv_timer_init(&loop->uv, &t->uv);
    t->uv.data = t;
    return t;
}

static uint64_t ms_from_us(int64_t us)
{
    return us > 0 ? ((uint64_t)us + 999) / 1000 : 0;
}

void clv_timer_start(clv_timer *t, int64_t after_us, int64_t every_us)
{
    uv_update_time(t->uv.loop); /* the loop's idea of now may be as old as its last wakeup */
    uv_timer_start(&t->uv, on_timer, ms_from_us(after_us), ms_from_us(every_us));
}

void clv_timer_stop(clv_timer *t)
{
    uv_timer_stop(&t->uv);
}

void clv_timer_free(clv_timer *t)
{
    if (t) uv_close((uv_handle_t *)&t->uv, free_data);
}
