/* The floor under a plan: what a request would take if nothing but the engine and the wire took time.
 *
 *     clv_demo_floor *f;
 *     clv_demo_floor_new(network, cut, codec, &inputs, slowdown, visit, &f, &err);
 *     while (...) clv_demo_floor_visit(f, &err);        // between the requests that it is compared with
 *     double us = clv_demo_floor_us(f, &link);          // bare time + bytes / rate + RTT
 *     double wire_us = clv_demo_floor_wire_us(f, &link); // the same with the bytes of TCP/IP's headers
 *     clv_demo_floor_free(f);
 *
 * The bare time is that of the compiled prefix and suffix called in turns: no queue, no threads, no
 * messages. Both run on this device, whose speed is emulated (engine/slow.h): the suffix's time is
 * divided by the slowdown, as the cloud has none. A visit runs both as often as one to a contender
 * does, and counts as many: the first run may find the caches taken. Medians of all visits count, so
 * that a slow spell of the machine meets floor and requests alike.
 *
 * In a codec the tensors are written and read between the two, one after the other, as bare calls
 * too; both times are in the floor, undivided, since an emulated slower device is slower in its
 * engine alone; and the bytes are those that were written.
 *
 * The rate of a link is that of IP packets, so no transfer reaches bytes / rate: full packets of
 * TCP carry 3.6 % of headers. The floor leaves them out, as the planner does; the wire's floor has
 * them.
 */
#ifndef CLV_CLI_DEMO_FLOOR_H
#define CLV_CLI_DEMO_FLOOR_H

#include "cost/link.h"
#include "repo/network.h"
#include "tensor/codec.h"

typedef struct clv_demo_floor clv_demo_floor;

/* Runs in a row of the same split. */
typedef struct clv_demo_visit {
    int runs;
    int uncounted; /* the first of them */
} clv_demo_visit;

/* Compiles the segments of the cut (blocks). `inputs` are borrowed until the floor is freed. */
CLV_MUST
clv_status clv_demo_floor_new(clv_network *network, size_t cut, clv_codec codec,
                              const clv_tensors *inputs, double slowdown, clv_demo_visit visit,
                              clv_demo_floor **out, clv_error *err);
CLV_MUST
clv_status clv_demo_floor_visit(clv_demo_floor *f, clv_error *err);
/* After one visit at least. */
double clv_demo_floor_us(clv_demo_floor *f, const clv_link *link);
double clv_demo_floor_wire_us(clv_demo_floor *f, const clv_link *link);
void clv_demo_floor_free(clv_demo_floor *f); /* NULL is fine */

#endif
