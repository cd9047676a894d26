/* The keeper: the process that holds a lab's namespaces and runs its relay.
 *
 * A process of its own, because a user namespace can only be entered by a single-threaded process,
 * and because the relay must not wait for anything else in the program. It is made by fork() from
 * clv_lab_new(), which talks to it over a socket pair (message.h); other shells may do so over the
 * control socket. When the owner's end closes, for whatever reason, the keeper kills every process
 * in its namespaces, removes the control socket and ends.
 */
#ifndef CLV_LAB_KEEPER_H
#define CLV_LAB_KEEPER_H

#include "lab/lab.h"

/* The address of host i, in network byte order: 100.64.0.(i + 1). */
uint32_t clv_keeper_address(size_t host);

/* The life of the keeper, in the forked child. `o` is valid. The first record that it sends is a
 * clv_lab_reply: its status says whether the lab stands; then with the descriptors of the hosts'
 * network namespaces, followed by that of the user namespace, if there is one. */
_Noreturn void clv_keeper_run(const clv_lab_options *o, int owner);

#endif
