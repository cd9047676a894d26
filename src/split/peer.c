#include "split/peer_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLV_WATCH_DEFAULT_US 1000000
#define CLV_CONNECT_US                                                                             \
    1200000 /* a lost SYN is sent again after a second, then after two more: dial anew instead */
#define CLV_DEAD_AFTER_US 1500000
#define CLV_SAY_AGAIN_US  60000000
/* An exchange is wondered at after so many times what it should take, and so much more. */
#define CLV_WONDER_TIMES    2
#define CLV_WONDER_US       50000
#define CLV_WONDER_EVERY_US 100000
/* So much more than itself, and CLV_OTHERS_BYTES, may the connection have carried during an exchange
 * that tells of the link. */
#define CLV_OTHERS_SHARE 0.1

static void notify(clv_peer *p)
{
    for (size_t i = 0; i < p->n_watchers && !p->closing; i++) p->watchers[i].fn(p->watchers[i].arg);
}

/* Once for each loss; while it lasts, another reason now and then: attempts may fail in turns. */
static void say_why(clv_peer *p, const char *why, bool just_lost)
{
    int64_t now = clv_now_us();
    bool other = strcmp(p->said, why) != 0 && now - p->said_us > CLV_SAY_AGAIN_US;
    if (!just_lost && p->said[0] && !other) return;
    snprintf(p->said, sizeof p->said, "%s", why);
    p->said_us = now;
    clv_log(CLV_LOG_WARN, "split", "peer is down", "peer=%s why=\"%s\"", p->url, why);
}

/* Take over the monitor's estimate as it is now: what nobody saw lately is less sure with each
 * look. Under the lock. */
static void estimate(clv_peer *p)
{
    p->link = clv_link_monitor_link(&p->monitor, clv_now_us());
    p->link.radio = p->radio;
}

void clv_peer_refresh(clv_peer *p, const char *why)
{
    pthread_mutex_lock(&p->lock);
    bool was = p->link.up;
    estimate(p);
    clv_link link = p->link;
    pthread_mutex_unlock(&p->lock);
    if (link.up && !was) /* whoever was warned is to know that it is over */
        clv_log(p->said[0] ? CLV_LOG_WARN : CLV_LOG_INFO, "split", "peer is up",
                "peer=%s rate=\"%s\" rtt=\"%s\"", p->url, clv_show_rate(link.up_bytes_per_s).s,
                clv_show_duration(link.rtt_us).s);
    else if (!link.up && why)
        say_why(p, why, was);
    if (link.up) p->said[0] = 0;
    notify(p);
}

/* What the connection carried lately. Returns whether it tells anything. Under the lock. */
static bool look_at_throughput(clv_peer *p, const clv_path_info *path, int64_t now_us)
{
    const clv_throughput_counters c = {.delivered_bytes = path->delivered_bytes,
                                       .busy_us = path->busy_us,
                                       .rtt_us = (double)path->rtt_us,
                                       .min_rtt_us = (double)path->min_rtt_us,
                                       .idle_us = p->turns.idle_us};
    clv_throughput_carried got = clv_throughput_look(&p->throughput, now_us, &c);
    p->acked_bytes = path->bytes_acked;
    if (got.us <= 0) return false;
    clv_link_monitor_carried(&p->monitor, now_us, got.bytes, got.us);
    p->carried_us = now_us;
    return true;
}

/* Was it just seen what the connection carries? */
static bool is_told(const clv_peer *p, int64_t now_us)
{
    return p->carried_us && now_us - p->carried_us < CLV_THROUGHPUT_MOST_US;
}

/* Nothing came back yet, though it should have: the link is at least so slow. Unless it was just
 * seen what it carries: then others are before it, or it is not the link. Under the lock. */
static bool look_at_silence(clv_peer *p, int64_t now_us, size_t up_bytes, int64_t us)
{
    if (!up_bytes) return false; /* all of it is there */
    if (is_told(p, now_us)) return false;
    clv_link_monitor_unanswered(&p->monitor, now_us, up_bytes, (double)us);
    return true;
}

/* Went up what nobody has a turn for any more, before or beside this exchange? What was cancelled
 * may have been on its way. */
static bool is_disturbed(const clv_peer_ask *a, const clv_path_info *path)
{
    if (path->bytes_acked < a->acked_bytes) return false; /* another connection */
    double own = (double)a->turn.up_bytes, all = (double)(path->bytes_acked - a->acked_bytes);
    return all > (1 + CLV_OTHERS_SHARE) * own + CLV_OTHERS_BYTES;
}

void clv_peer_disbelieves(clv_peer *p, const char *why)
{
    if (p->disbelieved != why)
        clv_log(CLV_LOG_WARN, "split", "times are not believed", "peer=%s why=\"%s\"", p->url, why);
    p->disbelieved = why;
}

void clv_peer_lost(clv_peer *p, const char *why)
{
    p->load_at_us = 0;
    pthread_mutex_lock(&p->lock);
    clv_link_monitor_failure(&p->monitor, clv_now_us());
    pthread_mutex_unlock(&p->lock);
    clv_peer_refresh(p, why);
}

void clv_peer_saw_loss(clv_peer *p, const clv_error *error, size_t up_bytes, int64_t us)
{
    if (p->closing) return;
    if (error->status == CLV_ETIMEOUT)
        clv_peer_late(p, up_bytes, us);
    else
        clv_peer_lost(p, error->text);
}

void clv_peer_late(clv_peer *p, size_t up_bytes, int64_t us)
{
    if (p->closing) return;
    pthread_mutex_lock(&p->lock);
    look_at_silence(p, clv_now_us(), up_bytes, us);
    pthread_mutex_unlock(&p->lock);
    clv_peer_refresh(p, NULL);
    clv_peer_probe(p, 0);
}

void clv_peer_ask_begin(clv_peer *p, clv_peer_ask *a, size_t up_bytes, int64_t expected_us)
{
    pthread_mutex_lock(&p->lock);
    int64_t link_us = p->link.up ? (int64_t)clv_link_exchange_us(&p->link, up_bytes, 0) : 0;
    int others = atomic_load(&p->in_flight);
    *a = (clv_peer_ask){.open = true,
                        .acked_bytes = p->acked_bytes,
                        .compute_us = CLV_MAX(expected_us - link_us, (int64_t)0)};
    if (expected_us > 0)
        a->patience_us = CLV_WONDER_US + CLV_WONDER_TIMES * expected_us * CLV_MAX(others, 1);
    clv_link_turns_begin(&p->turns, &a->turn, up_bytes, clv_now_us());
    clv_link_turns_line(&p->turns, &a->turn, p->acked_bytes);
    pthread_mutex_unlock(&p->lock);
}

void clv_peer_ask_answered(clv_peer *p, clv_peer_ask *a, size_t down_bytes, int64_t link_us)
{
    int64_t now_us = clv_now_us();
    clv_path_info path = clv_client_path(p->client);
    const clv_link_witness tcp = {.rtt_us = (double)path.rtt_us,
                                  .min_rtt_us = (double)path.min_rtt_us,
                                  .delivery_bytes_per_s = path.delivery_rate_bytes_per_s,
                                  .app_limited = path.app_limited};
    pthread_mutex_lock(&p->lock);
    int64_t back_us = p->link.up ? (int64_t)clv_link_exchange_us(&p->link, 0, down_bytes) : 0;
    const clv_link_turn_end end = {.us = link_us, .back_us = back_us, .down_bytes = down_bytes};
    bool alone = !a->turn.overlapped && !a->turn.later;
    int64_t us = clv_link_turns_end(&p->turns, &a->turn, &end);
    a->open = false;
    clv_link_monitor_witness(&p->monitor, now_us, &tcp);
    look_at_throughput(p, &path, now_us);
    /* of those that shared the link, TCP tells better what it carried, where it does */
    bool told = !alone && is_told(p, now_us);
    if (us > 0 && !told && !(alone && is_disturbed(a, &path)))
        clv_link_monitor_exchange(&p->monitor, now_us, a->turn.up_bytes, down_bytes, (double)us);
    const bool asked = p->monitor.rtt_asked;
    pthread_mutex_unlock(&p->lock);
    clv_peer_refresh(p, NULL);
    if (asked) clv_peer_ask_link(p); /* before the next one's bytes */
}

bool clv_peer_look(clv_peer *p, clv_hedge_progress *out)
{
    const uint64_t acked = clv_client_path(p->client).bytes_acked;
    pthread_mutex_lock(&p->lock);
    const clv_link_turn *only = p->turns.last;
    bool known = only && !only->earlier && only->goal_bytes;
    if (known) {
        uint64_t left = acked < only->goal_bytes ? only->goal_bytes - acked : 0;
        out->bytes = only->up_bytes;
        out->gone_bytes = left < out->bytes ? out->bytes - (size_t)left : 0;
    }
    pthread_mutex_unlock(&p->lock);
    return known;
}

void clv_peer_ask_end(clv_peer *p, clv_peer_ask *a)
{
    pthread_mutex_lock(&p->lock);
    if (a->open) clv_link_turns_drop(&p->turns, &a->turn);
    a->open = false;
    pthread_mutex_unlock(&p->lock);
}

/* While anything is under way: what the connection carries; and an exchange that goes up for far
 * longer than all of it should take since the link was free for it, and then twice as long again:
 * the link is at least so slow. Of those behind it that cannot be said, nor of those that are there
 * already: they wait for the peer. */
static void wonder(void *arg)
{
    clv_peer *p = arg;
    int64_t now_us = clv_now_us();
    pthread_mutex_lock(&p->lock);
    /* what was cancelled may be on its way still */
    bool busy = p->turns.last || p->throughput.busy;
    clv_path_info path = clv_client_path(p->client);
    p->acked_bytes = path.bytes_acked; /* of what is no exchange, too */
    bool told = busy && look_at_throughput(p, &path, now_us);
    clv_link_turn *first = clv_link_turns_look(&p->turns, path.bytes_acked, now_us);
    clv_peer_ask *a = (clv_peer_ask *)first;
    int64_t gone_us = a ? clv_link_turns_at(&p->turns, first, now_us) : 0;
    if (a && a->patience_us && gone_us > a->patience_us) {
        told |= look_at_silence(p, now_us, first->up_bytes, gone_us - a->compute_us);
        a->patience_us = 2 * gone_us;
    }
    pthread_mutex_unlock(&p->lock);
    if (told) clv_peer_refresh(p, NULL);
    clv_peer_ask_link(p);
}

/* Every watch_every_us. */
static void on_tick(void *arg)
{
    clv_peer *p = arg;
    clv_peer_ask_link(p);
    pthread_mutex_lock(&p->lock);
    if (p->link.up) estimate(p);
    pthread_mutex_unlock(&p->lock);
    notify(p);
}

clv_status clv_peer_new(clv_loop *loop, const clv_peer_options *options, clv_peer **out,
                        clv_error *err)
{
    clv_peer *p = clv_alloc(sizeof *p);
    clv_status status = clv_client_new(loop,
                                       &(clv_client_options){.url = options->url,
                                                             .tls = options->tls,
                                                             .token = options->token,
                                                             .connect_timeout_us = CLV_CONNECT_US,
                                                             .dead_after_us = CLV_DEAD_AFTER_US},
                                       &p->client, err);
    if (status) {
        free(p);
        return status;
    }
    p->loop = loop;
    p->radio = options->radio;
    p->url = clv_strdup(options->url);
    p->watch_every_us = options->watch_every_us ? options->watch_every_us : CLV_WATCH_DEFAULT_US;
    clv_link_monitor_init(&p->monitor, clv_now_us());
    p->turns.free_us = INT64_MIN;
    pthread_mutex_init(&p->lock, NULL);
    p->timer = clv_timer_new(loop, on_tick, p);
    clv_timer_start(p->timer, 0, p->watch_every_us);
    p->wonder_timer = clv_timer_new(loop, wonder, p);
    clv_timer_start(p->wonder_timer, CLV_WONDER_EVERY_US, CLV_WONDER_EVERY_US);
    *out = p;
    return CLV_OK;
}

void clv_peer_free(clv_peer *p)
{
    if (!p) return;
    p->closing = true;
    clv_timer_free(p->timer);
    clv_timer_free(p->wonder_timer);
    clv_client_free(p->client);
    pthread_mutex_destroy(&p->lock);
    free(p->watchers);
    free(p->planners);
    free(p->url);
    free(p);
}

const char *clv_peer_url(const clv_peer *p)
{
    return p->url;
}
int64_t clv_peer_watch_every_us(const clv_peer *p)
{
    return p->watch_every_us;
}
clv_loop *clv_peer_loop(const clv_peer *p)
{
    return p->loop;
}

clv_link clv_peer_link(clv_peer *p)
{
    pthread_mutex_lock(&p->lock);
    clv_link link = p->link;
    pthread_mutex_unlock(&p->lock);
    return link;
}

void clv_peer_distrust(clv_peer *p)
{
    pthread_mutex_lock(&p->lock);
    clv_link_monitor_distrust(&p->monitor, clv_now_us());
    estimate(p);
    pthread_mutex_unlock(&p->lock);
}

uint64_t clv_peer_asked_bytes(clv_peer *p)
{
    pthread_mutex_lock(&p->lock);
    uint64_t bytes = p->asked_bytes;
    pthread_mutex_unlock(&p->lock);
    return bytes;
}

bool clv_peer_unreachable(const clv_peer *p)
{
    return p->said[0] != 0;
}

void clv_peer_watch(clv_peer *p, clv_peer_change_fn fn, void *arg)
{
    clv_grow(&p->watchers, &p->cap_watchers, p->n_watchers + 1, sizeof *p->watchers);
    p->watchers[p->n_watchers++] = (clv_peer_watcher){fn, arg};
}

void clv_peer_consult(clv_peer *p, clv_peer_doubt_fn fn, void *arg)
{
    clv_grow(&p->planners, &p->cap_planners, p->n_planners + 1, sizeof *p->planners);
    p->planners[p->n_planners++] = (clv_peer_planner){fn, arg};
}
