/* Namespaces: making, entering and emptying them. All calls are for a single-threaded process, and
 * change the namespace of the calling thread.
 */
#ifndef CLV_LAB_NETNS_H
#define CLV_LAB_NETNS_H

#include "base/status.h"

#include <stddef.h>

/* Move to a network namespace of our own. Needs the right to make one; without it a user namespace
 * is made first, in which this process has it: then `*user_fd` is that, else -1. Identities stay
 * (each user and group id maps to itself). CLV_EDENIED says what the kernel refused, and where such
 * rights are configured. */
CLV_MUST
clv_status clv_netns_isolate(int *user_fd, clv_error *err);
/* A further network namespace, entered; its descriptor. */
CLV_MUST
clv_status clv_netns_new(int *fd, clv_error *err);
/* The descriptor of the current one. */
CLV_MUST
clv_status clv_netns_current(int *fd, clv_error *err);
/* Async-signal-safe: for a forked child. 0, or -1 with errno. */
int clv_netns_enter(int fd);

/* Write a per-namespace setting: clv_netns_sysctl("ipv4/ip_forward", "1"). */
CLV_MUST
clv_status clv_netns_sysctl(const char *name, const char *value, clv_error *err);

/* Kill (SIGKILL) every process of these network namespaces but the caller, until none is left. */
void clv_netns_kill_all(const int *fds, size_t n);

#endif
