/* Who asks: whose share of the device a request takes, and that its work is dropped when they have
 * gone.
 *
 *     clv_asker_of(x, request);     // before it is submitted
 *     clv_asker_gone(x);            // the connection broke, or the stream was reset
 *
 * An asker is a client, however many connections it has open: its certificate, else its address
 * or its user (net/caller.h). Threads: the loop's.
 */
#ifndef CLV_API_ASKER_H
#define CLV_API_ASKER_H

#include "net/server.h"
#include "split/request.h"

void clv_asker_of(clv_exchange *x, clv_request *r);
void clv_asker_gone(clv_exchange *x);

#endif
