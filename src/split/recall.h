/* A way to tell whoever carries out a request that nobody waits for its answer any more.
 *
 *     asker:    r->recall = clv_recall_new(); clv_exchange_keep(x, clv_recall_ref(r->recall), clv_recall_unref);
 *               ... the connection is gone: clv_recall_ask(recall);
 *     carrier:  clv_recall_watch(r->recall, on_recall, me);
 *               ... right before the answer: clv_recall_watch(r->recall, NULL, NULL);
 *
 * `fn` is called once at the most, on the asker's thread or, if the recall came first, from inside
 * clv_recall_watch(). Once clv_recall_watch(r, NULL, NULL) has returned, it does not run and will
 * not; so it must not call anything that watches. The request is answered all the same, as always;
 * nobody reads it.
 *
 * Threads: any. All functions take NULL for a request that cannot be recalled.
 */
#ifndef CLV_SPLIT_RECALL_H
#define CLV_SPLIT_RECALL_H

typedef struct clv_recall clv_recall;

clv_recall *clv_recall_new(void);
clv_recall *clv_recall_ref(clv_recall *r);
void clv_recall_unref(void *recall);
void clv_recall_ask(clv_recall *r);
void clv_recall_watch(clv_recall *r, void (*fn)(void *arg), void *arg);

#endif
