/* Building a lab inside the keeper: namespaces, interfaces, addresses, routes, the relay. */
#ifndef CLV_LAB_BUILD_H
#define CLV_LAB_BUILD_H

#include "lab/lab.h"
#include "lab/netns.h"
#include "lab/relay.h"

typedef struct clv_build {
    const clv_lab_options *options; /* borrowed */
    int user_fd;                    /* -1: made with root's rights */
    int relay_fd;                   /* network namespace of the relay itself */
    int host_fds[CLV_LAB_HOSTS_MAX];
    bool tun; /* else packet sockets */
    clv_relay *relay;
} clv_build;

/* Build everything; the caller ends in the relay's namespace. After an error the process ends, and
 * with it everything that was built. */
CLV_MUST
clv_status clv_build_up(const clv_lab_options *o, clv_build *b, clv_error *err);

/* Choose how large a piece TCP may hand to a link at once (GSO), after its values changed: what the
 * wire takes 250 µs for, but single packets where packets get lost one by one or the wire is slow.
 * Large pieces save processor time on fast links, single packets keep the dynamics of slow ones. */
CLV_MUST
clv_status clv_build_tune(clv_build *b, size_t link, clv_error *err);

/* The first link on the shortest way from one host to another; n_links: there is none. */
size_t clv_build_first_link(const clv_lab_options *o, size_t from, size_t to);

#endif
