#include "split/prediction.h"

#include <math.h>
#include <string.h>

/* Time and variance of the parts so far. */
typedef struct sums {
    clv_plan_amount edge, encode, link, queue, cloud, relay, decode;
    bool known;
} sums;

static void add(sums *s, clv_plan_amount *to, clv_plan_amount part)
{
    if (part.ns == CLV_PLAN_UNKNOWN)
        s->known = false;
    else
        *to = clv_plan_add(*to, part);
}

/* The problem's number of a codec; -1: it has none of this name. */
static int number_of(const clv_plan_problem *p, clv_codec codec)
{
    clv_codec_text name = clv_codec_show(codec);
    for (size_t i = 0; i < p->n_codecs; i++)
        if (strcmp(p->codecs[i].name, name.s) == 0) return (int)i;
    return -1;
}

/* What node k of the route does, and the hop behind it. */
static void add_node(sums *s, const clv_plan_problem *p, const clv_route *r, size_t k)
{
    size_t from = k ? r->cut[k - 1] : 0, to = r->cut[k];
    int before = k ? number_of(p, r->codec[k - 1]) : 0;
    int behind = k + 1 < r->n ? number_of(p, r->codec[k]) : 0;
    if (before < 0 || behind < 0) {
        s->known = false;
        return;
    }
    bool runs = from != to, ends = k + 1 == r->n;
    if (runs && k == 1) add(s, &s->queue, clv_plan_wait(p, k));
    if (runs && k > 1) add(s, &s->relay, clv_plan_wait(p, k));
    if (runs && k)
        add(s, ends ? &s->decode : &s->relay, clv_plan_decode(p, k, from, (size_t)before));
    add(s, k ? &s->cloud : &s->edge, clv_plan_segment(p, k, from, to));
    if (ends) return;
    if (runs || k == 0)
        add(s, k ? &s->relay : &s->encode, clv_plan_encode(p, k, to, (size_t)behind));
    add(s, k ? &s->relay : &s->link, clv_plan_cross(p, k, to, (size_t)behind));
}

static void put(clv_prediction *out, const clv_plan_amount *a, int64_t *us, int64_t *sigma_us)
{
    *us = (a->ns + 500) / 1000;
    *sigma_us = (int64_t)llround(sqrt((double)a->var_us2));
    out->us.total_us += *us;
}

clv_prediction clv_prediction_of(const clv_plan_problem *p, const clv_route *route)
{
    clv_prediction out = {.known = true};
    sums s = {.known = route->n <= p->n_devices};
    for (size_t k = 0; s.known && k < route->n; k++) add_node(&s, p, route, k);
    if (!s.known) return (clv_prediction){0};
    put(&out, &s.edge, &out.us.edge_us, &out.sigma_us.edge_us);
    put(&out, &s.encode, &out.us.encode_us, &out.sigma_us.encode_us);
    put(&out, &s.link, &out.us.link_us, &out.sigma_us.link_us);
    put(&out, &s.queue, &out.us.queue_us, &out.sigma_us.queue_us);
    put(&out, &s.cloud, &out.us.cloud_us, &out.sigma_us.cloud_us);
    put(&out, &s.relay, &out.us.relay_us, &out.sigma_us.relay_us);
    put(&out, &s.decode, &out.us.decode_us, &out.sigma_us.decode_us);
    double variance = 0;
    const clv_plan_amount *const parts[] = {&s.edge,  &s.encode, &s.link,  &s.queue,
                                            &s.cloud, &s.relay,  &s.decode};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        variance += (double)parts[i]->var_us2;
    out.sigma_us.total_us = (int64_t)llround(sqrt(variance));
    return out;
}

clv_prediction clv_prediction_alone(double us, double sigma_us)
{
    if (!(us > 0)) return (clv_prediction){0};
    int64_t whole = (int64_t)llround(us), sigma = (int64_t)llround(sigma_us);
    return (clv_prediction){.known = true,
                            .us = {.edge_us = whole, .total_us = whole},
                            .sigma_us = {.edge_us = sigma, .total_us = sigma}};
}
