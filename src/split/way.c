#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "split/itinerary.h"
#include "split/oip.h"

#include <stdio.h>
#include <string.h>

void clv_way_init(clv_way *w, clv_splitter *s, clv_peer *peer)
{
    *w = (clv_way){.s = s, .peer = peer};
    uint64_t own = (uint64_t)(uintptr_t)w ^ (uint64_t)clv_now_ns();
    clv_wait_init(&w->wait, own, clv_now_us()); /* no two nodes are to look at the same moments */
    clv_learning_init(&w->learning, clv_network_cuts(s->network)->n);
}

void clv_way_done(clv_way *w)
{
    clv_plan_tables_free(w->tables);
    clv_chain_free(w->chain);
    clv_profile_free(w->profile);
    clv_learning_done(&w->learning);
}

void clv_way_say(clv_way *w, clv_log_level level, const char *event, const char *text)
{
    char line[CLV_ERROR_TEXT_MAX];
    snprintf(line, sizeof line, "%s: %.400s", event, text);
    if (!clv_told_anew(&w->told, line, clv_now_us())) return;
    clv_log(level, "split", event, "model=%s peer=%s text=\"%s\"", w->s->model,
            clv_peer_url(w->peer), text);
}

double clv_way_wait_us(clv_way *w)
{
    const clv_splitter *s = w->s;
    clv_node_load load;
    int64_t at, now = clv_now_us();
    if (clv_peer_load(w->peer, &load, &at) && at != w->heard_us) {
        w->heard_us = at;
        clv_wait_heard(&w->wait, at, (double)load.wait_us);
    }
    bool away = s->live->route.n > 1 && &s->ways[s->live->route.way] == w;
    return clv_wait_planned(&w->wait, now, away);
}

void clv_way_refuse(clv_way *w, const char *why)
{
    w->stage = CLV_WAY_REFUSED;
    w->ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US;
    clv_way_say(w, CLV_LOG_WARN, "runs here only", why);
}

void clv_way_doubt(clv_way *w, int64_t after_us)
{
    if (w->stage == CLV_WAY_READY) w->stage = CLV_WAY_ASK;
    w->ask_after_us = clv_now_us() + after_us;
}

void clv_way_lost(clv_way *w)
{
    clv_wait_lost(&w->wait, clv_now_us());
    if (w->stage == CLV_WAY_READY) w->stage = CLV_WAY_ASK;
    w->pushed = false;
    if (!w->hindered_us && clv_peer_unreachable(w->peer)) w->hindered_us = clv_now_us();
}

bool clv_way_ready(const clv_way *w)
{
    return w->stage == CLV_WAY_READY && clv_peer_link(w->peer).up;
}

static void ask_again(clv_way *w, const clv_error *error)
{
    int64_t now = clv_now_us();
    w->ask_after_us = now + CLV_ASK_AGAIN_US / 5;
    if (error->status != CLV_EUNAVAIL && !w->hindered_us) w->hindered_us = now; /* else: it loads */
    clv_way_say(w, CLV_LOG_WARN, "peer does not share yet", error->text);
}

/* Does the peer speak as this node does? Else it runs here only, until the peer is another. */
static bool speaks_alike(clv_way *w, const clv_peer_model *model)
{
    char text[256];
    if (model->protocol == CLV_PEER_PROTOCOL) return true;
    if (model->protocol == 0)
        snprintf(text, sizeof text,
                 "the peer names no cleave_protocol: it is no cleave node; this one speaks %d",
                 CLV_PEER_PROTOCOL);
    else
        snprintf(text, sizeof text,
                 "the peer speaks cleave_protocol %d, this node %d: both need the same version",
                 model->protocol, CLV_PEER_PROTOCOL);
    clv_way_refuse(w, text);
    return false;
}

static void on_model(void *arg, const clv_peer_model *model, const clv_error *error)
{
    clv_way *w = arg;
    const char *digest = clv_network_digest(w->s->network);
    w->asking = false;
    if (w->s->closing) return;
    if (!error) w->hindered_us = 0;
    if (error && error->status == CLV_ENOTFOUND && w->pushed) {
        clv_way_refuse(w, "the peer took the model but does not have it");
        return;
    }
    if (error && error->status == CLV_ENOTFOUND) {
        w->stage = CLV_WAY_PUSH;
    } else if (error) {
        ask_again(w, error);
        return;
    } else if (!speaks_alike(w, model)) {
        return;
    } else if (strcmp(model->digest, digest) != 0) {
        char text[256];
        snprintf(text, sizeof text,
                 "the peer has another model of this name: digest %.12s, here %.12s",
                 model->digest[0] ? model->digest : "unknown", digest);
        clv_way_refuse(w, text);
        return;
    } else {
        w->stage = w->profile ? CLV_WAY_CHAIN : CLV_WAY_PROFILE;
    }
    clv_adapt_step(w->s);
}

static void on_pushed(void *arg, const clv_error *error)
{
    clv_way *w = arg;
    w->asking = false;
    if (w->s->closing) return;
    if (error && (error->status == CLV_EDENIED || error->status == CLV_EEXIST)) {
        clv_way_refuse(w, error->text);
    } else if (error) {
        w->stage = CLV_WAY_ASK;
        ask_again(w, error);
    } else {
        w->stage = CLV_WAY_ASK;
        w->pushed = true;
        clv_log(CLV_LOG_INFO, "split", "model pushed", "model=%s peer=%s text=\"%s\"", w->s->model,
                clv_peer_url(w->peer), clv_network_path(w->s->network));
        clv_adapt_step(w->s);
    }
}

static void on_profile(void *arg, clv_profile *take, const clv_error *error)
{
    clv_way *w = arg;
    w->asking = false;
    if (w->s->closing) {
        clv_profile_free(take);
        return;
    }
    if (error) {
        ask_again(w, error);
        return;
    }
    w->profile = take;
    w->stage = CLV_WAY_CHAIN;
    clv_adapt_step(w->s);
}

static void push(clv_way *w)
{
    size_t n;
    const clv_splitter *s = w->s;
    const char *const *files = clv_network_files(s->network, &n);
    clv_peer_push(w->peer, s->model, s->version, clv_network_digest(s->network), files, n,
                  on_pushed, w);
}

void clv_way_ask(clv_way *w)
{
    const clv_splitter *s = w->s;
    bool due = w->stage != CLV_WAY_READY || clv_way_chain_due(w);
    if (w->asking || !due || clv_now_us() < w->ask_after_us) return;
    w->asking = true;
    switch (w->stage) {
    case CLV_WAY_REFUSED:
    case CLV_WAY_ASK: clv_peer_get_model(w->peer, s->model, s->version, on_model, w); break;
    case CLV_WAY_PUSH: push(w); break;
    case CLV_WAY_PROFILE: clv_peer_get_profile(w->peer, s->model, s->version, on_profile, w); break;
    case CLV_WAY_CHAIN:
    case CLV_WAY_READY: clv_way_ask_chain(w); break;
    }
}

void clv_way_prepare(clv_way *w, const clv_route *route, clv_peer_done_fn done, void *arg)
{
    const clv_splitter *s = w->s;
    const clv_cuts *cuts = clv_network_cuts(s->network);
    const clv_graph *g = clv_network_graph(s->network);
    const clv_cut *c = &cuts->items[route->cut[0]];
    CLV_AUTO(clv_text_free) char *behind = NULL;
    clv_error err = {0};
    if (clv_itinerary_text(route, cuts, g, &behind, &err)) {
        done(arg, &err);
        return;
    }
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(c->n_live, sizeof *names);
    for (size_t i = 0; i < c->n_live; i++) names[i] = g->tensors[c->live[i]].name;
    clv_peer_prepare(w->peer, s->model, s->version, names, c->n_live, behind, done, arg);
}
