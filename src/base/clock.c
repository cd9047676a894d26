#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clv_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}
int64_t clv_now_us(void)
{
    return clv_now_ns() / 1000;
}
int64_t clv_wall_us(void)
{
    return read_ns(CLOCK_REALTIME) / 1000;
}

void clv_sleep_us(int64_t us)
{
    if (us <= 0) return;
    int64_t until = clv_now_ns() + us * 1000;
    struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}
