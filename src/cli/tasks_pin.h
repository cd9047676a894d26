/* Keep one cut for every model of a run, whatever the link does: the fixed plans that an adaptive
 * one is measured against. Private to `cleave tasks`.
 *
 *     clv_tasks_pin_all(server, &run.models, "pool3", on_pinned, me, &pin);     // loop's thread; on_pinned comes once
 *     clv_tasks_pin_free(pin);                                                  // when the node has stopped
 */
#ifndef CLV_CLI_TASKS_PIN_H
#define CLV_CLI_TASKS_PIN_H

#include "base/opt.h"
#include "serve/server.h"

typedef struct clv_tasks_pin clv_tasks_pin;

/* `cut` is an index, a label, "local" or "remote", and may have a codec behind it: "pool3 q8+zstd".
 * `done` with NULL when it is deployed for all; with an error, naming the model, if one has no such
 * cut or cannot deploy it. It may come before this returns. */
void clv_tasks_pin_all(clv_server *server, const clv_text_list *models, const char *cut,
                       clv_server_done_fn done, void *arg, clv_tasks_pin **out);
void clv_tasks_pin_free(clv_tasks_pin *p); /* NULL is fine */

#endif
