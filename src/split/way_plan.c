/* The planner's question over a way: this device, the peer, and what stands behind it. */
#include "split/splitter_priv.h"

#include "base/mem.h"

#include <string.h>

#define CLV_OVERHEAD_US                                                                            \
    200.0 /* encode, frame, decode: a fixed guess, small beside every link here */

/* The policies of others know two devices. */
static bool knows_chains(clv_policy policy)
{
    return policy == CLV_POLICY_EXACT || policy == CLV_POLICY_EDGE || policy == CLV_POLICY_CLOUD;
}

/* The profiles of the nodes behind the peer, as far as they are sound; owned by the caller. */
static size_t read_profiles(clv_way *w, clv_profile **profiles)
{
    size_t n = 0;
    for (size_t k = 1; w->chain && k < w->chain->n && knows_chains(w->s->o.policy); k++) {
        const char *text = w->chain->nodes[k].profile;
        clv_error err = {0};
        if (!text || clv_profile_parse(text, strlen(text), &profiles[n], &err)) break;
        n++;
    }
    return n;
}

/* With all nodes, or with the peer alone if those behind it do not fit. */
static clv_status make_tables(clv_way *w, clv_plan_sources *from, clv_error *err)
{
    clv_status s = clv_plan_tables_new(from, &w->tables, err);
    if (!s || from->n_devices == 2) return s;
    clv_way_say(w, CLV_LOG_WARN, "no chain", err->text);
    from->n_devices = 2;
    return clv_plan_tables_new(from, &w->tables, err);
}

void clv_way_join(clv_way *w, const clv_profile *own)
{
    if (!own || !w->profile || w->tables || w->stage == CLV_WAY_REFUSED) return;
    clv_profile *behind[CLV_CHAIN_NODES_MAX] = {0};
    clv_plan_sources from = {.graph = clv_network_graph(w->s->network),
                             .cuts = clv_network_cuts(w->s->network),
                             .profiles = {own, w->profile},
                             .n_devices = 2,
                             .offer = w->s->o.offer};
    size_t n = read_profiles(w, behind);
    for (size_t k = 0; k < n; k++) from.profiles[from.n_devices++] = behind[k];
    clv_error err = {0};
    clv_status s = make_tables(w, &from, &err);
    for (size_t k = 0; k < n; k++) clv_profile_free(behind[k]);
    if (s) {
        clv_way_refuse(w, err.text);
        return;
    }
    CLV_AUTO(clv_text_free)
    char *left_out = clv_plan_left_out_text(&w->tables->left_out, w->s->model);
    if (left_out) clv_way_say(w, CLV_LOG_WARN, "codecs", left_out);
    for (size_t k = 0; k + 1 < from.n_devices; k++)
        clv_plan_tables_overhead(w->tables, k, CLV_OVERHEAD_US);
    w->tables->problem.limits.stays = w->s->guard.stays;
}

/* The links and waits behind the peer, as the chain tells them. How many devices can be reached. */
static size_t look_behind(clv_way *w)
{
    size_t n = 2;
    bool reached = true;
    for (size_t k = 2; k < w->tables->problem.n_devices; k++) {
        const clv_chain_node *node = &w->chain->nodes[k - 1];
        reached &=
            node->link.up && clv_plan_tables_link(w->tables, k - 1, &node->link, NULL) == CLV_OK;
        clv_plan_tables_wait(w->tables, k, (double)node->wait_us);
        if (reached) n = k + 1;
    }
    return n;
}

clv_status clv_way_problem(clv_way *w, const clv_plan_problem **problem, clv_error *err)
{
    if (!w->tables)
        return clv_fail(err, CLV_EUNAVAIL, "model '%s': the profile of %s is not known yet",
                        w->s->model, w->s->adapt.own ? "the peer" : "this device");
    clv_link link = clv_peer_link(w->peer);
    clv_status status = clv_plan_tables_link(w->tables, 0, &link, err);
    if (status) return status;
    clv_plan_tables_wait(w->tables, 1, clv_way_wait_us(w));
    size_t n = look_behind(w);
    clv_learning_apply(&w->learning, w->tables);
    w->problem = w->tables->problem;
    w->problem.n_devices = n; /* the tables own memory for all */
    *problem = &w->problem;
    return CLV_OK;
}
