/* What stands behind the peer, and what this node says of it to the node before it. */
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* How often to look while all nodes of the chain are known; else as often as at the link. */
#define CLV_CHAIN_LOOK_US 5000000

static void take_chain(clv_way *w, clv_chain *take)
{
    if (w->chain && clv_chain_same_nodes(w->chain, take)) {
        clv_chain_free(w->chain);
        w->chain = take;
        return;
    }
    clv_chain_free(w->chain); /* other nodes: another problem */
    w->chain = take;
    clv_plan_tables_free(w->tables);
    w->tables = NULL;
    clv_learning_forget(&w->learning);
    if (w->s->live->route.n == 1 || &w->s->ways[w->s->live->route.way] == w)
        clv_chooser_init(&w->s->adapt.chooser); /* the best over them at once, however unsure */
}

/* A chain that comes back to this node ends before it. False: there is nothing before it. */
static bool end_loop(clv_way *w, clv_chain *c)
{
    int own = clv_chain_find(c, w->s->node_id);
    if (own < 0) return true;
    char text[256];
    if (own == 0)
        snprintf(text, sizeof text, "the peer is this node itself");
    else
        snprintf(text, sizeof text,
                 "the peer's chain loops back to this node (as %.120s): what is behind it is not "
                 "used",
                 c->nodes[own].url);
    if (own == 0)
        clv_way_refuse(w, text);
    else
        clv_way_say(w, CLV_LOG_WARN, "loop", text);
    clv_chain_shorten(c, (size_t)own);
    c->pending = false;
    return own > 0;
}

/* Was it the way there that failed, or the peer for the moment? Else it has said what it tells: nothing that is read here. */
static bool is_passing(const clv_error *error)
{
    return error->status == CLV_EUNAVAIL || error->status == CLV_ETIMEOUT ||
           error->status == CLV_EBUSY || error->status == CLV_ECANCELED;
}

static void on_chain(void *arg, clv_chain *take, const clv_error *error)
{
    clv_way *w = arg;
    const char *digest = clv_network_digest(w->s->network);
    w->asking = false;
    if (w->s->closing || (take && !end_loop(w, take))) {
        clv_chain_free(take);
        return;
    }
    if (take && strcmp(take->digest, digest) != 0) {
        clv_way_say(w, CLV_LOG_WARN, "no chain", "the peer's chain is of another model");
        clv_chain_free(take);
        take = NULL;
    } else if (error && error->status != CLV_ENOTFOUND) {
        clv_way_say(w, CLV_LOG_INFO, "no chain", error->text);
    }
    if (take && w->chain && clv_chain_same_nodes(w->chain, take))
        clv_chain_move_profiles(take, w->chain);
    w->lacks_profiles = take && !clv_chain_has_profiles(take) && !w->lacks_profiles;
    if (take && !clv_chain_has_profiles(take) && !w->lacks_profiles)
        clv_chain_shorten(take, 1); /* asked for in vain */
    if (!take) {
        take = clv_alloc(sizeof *take);
        take->pending = error && is_passing(error);
    }
    if (w->lacks_profiles) {
        clv_chain_free(take);
        w->chain_seen_us = 0;
    } else {
        take_chain(w, take);
        w->chain_seen_us = clv_now_us();
        w->chain_doubted = false;
        if (w->stage == CLV_WAY_CHAIN) {
            clv_told_over(&w->told);
            w->stage = CLV_WAY_READY;
        }
    }
    clv_adapt_step(w->s);
}

bool clv_way_chain_due(const clv_way *w)
{
    if (!w->chain || w->chain_seen_us == 0) return true;
    bool soon = w->chain->pending || w->chain_doubted;
    int64_t every = soon ? clv_peer_watch_every_us(w->peer) : CLV_CHAIN_LOOK_US;
    return (w->chain->pending || w->chain->n > 1) && clv_now_us() - w->chain_seen_us > every;
}

void clv_way_doubt_chain(clv_way *w)
{
    w->chain_doubted = true;
}

void clv_way_ask_chain(clv_way *w)
{
    clv_peer_get_chain(w->peer, w->s->model, w->s->version, w->lacks_profiles, on_chain, w);
}

char *clv_splitter_chain(clv_splitter *s, bool profiles)
{
    CLV_AUTO(clv_chain_done) clv_chain c = {.n = 1, .pending = s->n_ways > 0};
    snprintf(c.digest, sizeof c.digest, "%s", clv_network_digest(s->network));
    snprintf(c.nodes[0].id, sizeof c.nodes[0].id, "%s", s->node_id);
    for (size_t i = 0; i < s->n_ways && c.pending; i++) {
        const clv_way *w = &s->ways[i];
        if (!clv_way_ready(w) || !w->chain || w->chain->n == 0) continue;
        const clv_chain_hop hop = {.link = clv_peer_link(w->peer),
                                   .url = clv_peer_url(w->peer),
                                   .wait_us = (int64_t)clv_wait_newest(&w->wait, clv_now_us())};
        c.pending = false;
        clv_chain_extend(&c, &hop, w->chain);
        if (c.n > 1 && !c.nodes[1].profile) c.nodes[1].profile = clv_profile_json(w->profile);
    }
    return clv_chain_json(&c, profiles);
}
