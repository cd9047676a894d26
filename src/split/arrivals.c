#include "split/arrivals.h"

void clv_arrivals_init(clv_arrivals *a, int64_t now_us)
{
    *a = (clv_arrivals){.came_us = now_us};
    pthread_mutex_init(&a->lock, NULL);
    clv_load_mode_init(&a->mode, now_us);
}

void clv_arrivals_done(clv_arrivals *a)
{
    pthread_mutex_destroy(&a->lock);
}

bool clv_arrivals_came(clv_arrivals *a, int64_t now_us, int in_flight)
{
    pthread_mutex_lock(&a->lock);
    bool changed = clv_load_mode_arrived(&a->mode, now_us, in_flight);
    a->came++;
    a->came_us = now_us;
    pthread_mutex_unlock(&a->lock);
    return changed;
}

clv_load clv_arrivals_look(clv_arrivals *a, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    clv_load_mode_look(&a->mode, now_us);
    clv_load load = {.heavy = a->mode.heavy,
                     .queue = clv_load_mode_queues(&a->mode),
                     .rate_per_s = a->mode.rate_per_s,
                     .in_flight = 1 + a->mode.found,
                     .came = a->came};
    a->came = 0;
    pthread_mutex_unlock(&a->lock);
    return load;
}

void clv_arrivals_plan(clv_arrivals *a, double period_us, double latency_us)
{
    pthread_mutex_lock(&a->lock);
    clv_load_mode_plan(&a->mode, period_us, latency_us);
    pthread_mutex_unlock(&a->lock);
}

double clv_arrivals_rate(clv_arrivals *a, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    double rate = clv_load_mode_rate(&a->mode, now_us);
    pthread_mutex_unlock(&a->lock);
    return rate;
}

bool clv_arrivals_heavy(clv_arrivals *a)
{
    pthread_mutex_lock(&a->lock);
    bool heavy = a->mode.heavy;
    pthread_mutex_unlock(&a->lock);
    return heavy;
}

bool clv_arrivals_lately(clv_arrivals *a, int64_t now_us)
{
    pthread_mutex_lock(&a->lock);
    bool lately = now_us - a->came_us < CLV_ARRIVALS_LATELY_US;
    pthread_mutex_unlock(&a->lock);
    return lately;
}
