/* What the benches share: rows out, errors out, processors. A bench is one program of its own,
 * called by bench/run with its arguments; each line that it prints is a row of JSON, and says
 * nothing of this machine (bench/run adds that once).
 *
 *     int main(int argc, char **argv)
 *     {
 *         bench_need(argc > 1, "usage: NAME_bench MODELS NETWORK...");
 *         ...
 *         bench_row(json_pack("{s:s, s:f}", "what", "lenet", "ratio", 1.02));
 *     }
 *
 * How a ratio is measured: its two sides take turns in one run (what slows the machine for a while
 * slows both), each turn's first runs are not counted (the other side has had the caches), and
 * medians are compared.
 */
#ifndef CLV_BENCH_BENCH_H
#define CLV_BENCH_BENCH_H

#include "base/status.h"

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void bench_check(clv_status status, const clv_error *err)
{
    if (!status) return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static inline void bench_need(bool fact, const char *text)
{
    if (fact) return;
    fprintf(stderr, "bench: %s\n", text);
    exit(2);
}

/* Takes the reference. */
static inline void bench_row(json_t *take)
{
    if (json_dumpf(take, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) || putchar('\n') == EOF ||
        fflush(stdout))
        exit(1);
    json_decref(take);
}

/* Run this thread on one processor; -1: on any. Best effort. */
static inline void bench_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (cpu < 0 || i == cpu) CPU_SET((size_t)i, &set);
    if (sched_setaffinity(0, sizeof set, &set)) return;
}

#endif
