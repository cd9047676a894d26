#include "split/trip.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int64_t clv_trip_us(const clv_trip *t)
{
    int64_t sum = 0;
    for (size_t k = 0; k < t->n; k++) {
#define X(name, about) sum += t->nodes[k].name;
        CLV_TRIP_MAP(X)
#undef X
    }
    return sum;
}

clv_trip clv_trip_of(const clv_trip_node *first, const clv_trip *behind)
{
    clv_trip t = {.nodes = {*first}, .n = 1};
    for (size_t k = 0; k < behind->n && t.n < CLV_PLAN_DEVICES_MAX; k++)
        t.nodes[t.n++] = behind->nodes[k];
    return t;
}

char *clv_trip_text(const clv_trip *t)
{
    clv_buf text = {0};
    for (size_t k = 0; k < t->n; k++) {
        const char *gap = k > 0 ? ";" : "";
#define X(name, about)                                                                             \
    clv_buf_printf(&text, "%s%lld", gap, (long long)t->nodes[k].name);                             \
    gap = ",";
        CLV_TRIP_MAP(X)
#undef X
    }
    return clv_buf_take(&text);
}

/* A number, and the mark that is to stand behind it. */
static clv_status take_number(const char **at, char mark, int64_t *out, clv_error *err)
{
    int64_t us = 0;
    if (!isdigit((unsigned char)**at))
        return clv_fail(err, CLV_EINVAL, "'%.20s' is no time in a trip", *at);
    for (; isdigit((unsigned char)**at); ++*at) {
        us = us * 10 + (**at - '0');
        if (us > CLV_TRIP_US_MAX)
            return clv_fail(err, CLV_ELIMIT, "a time of a trip is beyond %lld us",
                            (long long)CLV_TRIP_US_MAX);
    }
    if (mark && *(*at)++ != mark)
        return clv_fail(err, CLV_EINVAL, "a node of a trip has fewer than its times");
    *out = us;
    return CLV_OK;
}

static clv_status take_node(const char **at, clv_trip_node *n, clv_error *err)
{
    int64_t *const times[] = {
#define X(name, about) &n->name,
        CLV_TRIP_MAP(X)
#undef X
    };
    clv_status s = CLV_OK;
    for (size_t i = 0; i < CLV_COUNT(times) && !s; i++)
        s = take_number(at, i + 1 < CLV_COUNT(times) ? ',' : 0, times[i], err);
    return s;
}

clv_status clv_trip_parse(const char *text, clv_trip *out, clv_error *err)
{
    clv_trip t = {0};
    for (const char *at = text; *at;) {
        if (t.n == CLV_PLAN_DEVICES_MAX)
            return clv_fail(err, CLV_ELIMIT, "a trip of more than %d nodes", CLV_PLAN_DEVICES_MAX);
        clv_status s = take_node(&at, &t.nodes[t.n++], err);
        if (s) return s;
        if (*at && (*at != ';' || !at[1]))
            return clv_fail(err, CLV_EINVAL, "'%.20s' behind a node of a trip", at);
        at += *at == ';';
    }
    *out = t;
    return CLV_OK;
}
