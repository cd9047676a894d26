/* The measuring thread's hold on a running node. Private to the demo (cli/demo_*.c).
 *
 * The node's loop runs on the main thread; the measuring thread posts to it and waits. */
#ifndef CLV_CLI_DEMO_NODE_H
#define CLV_CLI_DEMO_NODE_H

#include "cli/demo_contenders.h"

#include <pthread.h>

typedef struct clv_demo_node {
    const clv_demo_edge *demo;
    clv_node node;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ended;
    clv_error error; /* of the run, and of what is waited for */
} clv_demo_node;

/* What is waited for has ended, well (NULL) or not. Any thread. */
void clv_demo_signal(clv_demo_node *n, const clv_error *error);
void clv_demo_wait(clv_demo_node *n);
/* Run fn(arg) on the loop's thread and wait until it, or what it began, signals. */
CLV_MUST
clv_status clv_demo_on_loop(clv_demo_node *n, void (*fn)(void *), void *arg, clv_error *err);
/* Deploy a cut, crossed in this codec, and wait until it is; -1 plans again. */
CLV_MUST
clv_status clv_demo_pin(clv_demo_node *n, const char *model, int cut, clv_codec codec,
                        clv_error *err);
/* The contenders of the moment, waiting a while for a link that is down; and, if asked, the link as the
 * node knows it. CLV_EUNAVAIL: it stays down. */
CLV_MUST
clv_status clv_demo_look(clv_demo_node *n, const char *model, clv_demo_wanted wanted,
                         clv_demo_contenders *out, clv_link *link, clv_error *err);
/* A request for the model with views of these inputs. */
clv_request *clv_demo_request(const char *model, const clv_tensors *inputs);

#endif
