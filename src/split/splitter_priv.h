/* What the files of the splitter share: carry.c (one request), adapt.c (which cut) and splitter.c
 * (life). Private to split/. */
#ifndef CLV_SPLIT_SPLITTER_PRIV_H
#define CLV_SPLIT_SPLITTER_PRIV_H

#include "plan/tables.h"
#include "policy/hedge.h"
#include "policy/proven.h"
#include "split/arrivals.h"
#include "split/chooser.h"
#include "split/deployment.h"
#include "split/pace.h"
#include "split/relay.h"
#include "split/splitter.h"
#include "split/way.h"

#include <pthread.h>

/* Deployments that stay resident besides the one in use: of a link that comes and goes between a few
 * rates each has its own, and building takes processor time from the requests. */
enum { CLV_WARM_MAX = 3 };

/* Loop's thread only. */
typedef struct clv_adapt {
    clv_profile *own;
    bool pinned;
    clv_route pin;  /* where pinned */
    bool planned;   /* at least once, with both profiles */
    int64_t new_us; /* since when; or since the link was looked at twice for it */
    bool looked_twice;
    bool preparing;
    clv_route wanted; /* the last that was chosen */
    clv_chooser chooser;
    int64_t looked_us; /* when it was asked last */
    double in_flight;  /* the most at once lately */
    clv_proven proven; /* of what is live */
    bool heavy;        /* the load's mode, as told to the log */
    bool sparing;      /* a second route is being prepared, to be kept warm */
    clv_route spare;   /* the one worth keeping warm, and since when it is the same one */
    int64_t spare_us;
    clv_splitter_done_fn pin_done;
    void *pin_arg;
} clv_adapt;

struct clv_splitter {
    clv_splitter_options o;
    char *model, *version;
    char node_id[CLV_NODE_ID_TEXT];
    clv_network *network;
    clv_guard guard;
    size_t last;           /* index of the all-local cut */
    pthread_mutex_t lock;  /* guards the deployments */
    clv_deployment *local; /* all local: the way out; never changes */
    clv_deployment *live;
    /* others, resident at both ends, the newest first: those before, and likelier ones; then NULL */
    clv_deployment *warm[CLV_WARM_MAX];
    clv_relays relays;     /* what is held for other nodes; guarded by the lock */
    atomic_int remote_now; /* parts that the peer is busy with */
    atomic_int unanswered; /* requests */
    atomic_int busy; /* requests, messages and background work that still hold this splitter */
    bool closing;    /* loop's thread */
    clv_way ways[CLV_WAYS_MAX]; /* the next hop, then the detours */
    size_t n_ways;
    clv_adapt adapt;
    clv_arrivals arrivals;
    clv_pace pace;
    clv_hedge hedge; /* loop's thread */
};

/* A reference to what is deployed now. Any thread. */
clv_deployment *clv_splitter_live(clv_splitter *s);
/* Swap `take` in; keeps the old one warm, unless it is all local. Any thread. */
void clv_splitter_deploy(clv_splitter *s, clv_deployment *take);
/* Forget its segments, unless another deployment that is kept has them too. Under the lock. */
void clv_splitter_evict(clv_splitter *s, const clv_deployment *old);
/* Keep this one warm, instead of the oldest if there are too many. Any thread. */
void clv_splitter_keep_warm(clv_splitter *s, clv_deployment *take);
/* A reference to the warm deployment of this route; NULL: there is none. Any thread. */
clv_deployment *clv_splitter_warm(clv_splitter *s, const clv_route *route);
/* Give up a reference to a deployment; its segments go too, unless its cut is in use. NULL is fine. Any thread. */
void clv_splitter_drop(clv_splitter *s, clv_deployment *take);

/* adapt.c: look at what has changed and act. Loop's thread. */
void clv_adapt_step(void *splitter);
/* Once a request that is to be planned for, with how many are on their way: the mode of the load
 * may change with it. Any thread. */
void clv_adapt_count(clv_splitter *s, int in_flight);
/* A request has begun that may go on here at the cut: is the link still there? Any thread. */
void clv_adapt_greet(clv_splitter *s);
/* Could a measurement of a link change the plan of those who ask? Loop's thread. */
bool clv_adapt_doubts(void *splitter);
/* The peer answered a request with an error, or with nonsense: everything runs here until it has
 * been asked anew what it has. */
void clv_adapt_refused(clv_splitter *s, size_t way, const clv_error *error);
/* The sender was asked for what must stay here, which no plan and no pin may: a fault of this
 * program. Everything runs here until the planner has chosen again. */
void clv_adapt_withheld(clv_splitter *s, size_t way, const clv_error *error);
/* Let the planner choose again; who waits for the pinned cut is told why it will not come. */
void clv_adapt_unpin(clv_splitter *s, const char *why);
void clv_adapt_done(clv_splitter *s);

#endif
