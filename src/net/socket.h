/* Inside net/: what tells a Unix-domain socket from one of TCP.
 *
 *     struct sockaddr_un a;
 *     clv_socket_address("/run/cleave.sock", &a, &err);
 *     bool local = clv_socket_prepare(fd);
 *
 * Between processes of one machine a Unix-domain socket saves TCP's way through the kernel: no
 * segments, acknowledgements or windows, and a reader takes bytes from where the writer put them.
 * Threads: any.
 */
#ifndef CLV_NET_SOCKET_H
#define CLV_NET_SOCKET_H

#include "base/status.h"

#include <stdbool.h>
#include <sys/un.h>

enum {
    CLV_SOCKET_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path - 1, /* bytes, 107 on Linux */
    /* Asked for, on a Unix-domain socket: a large frame goes in one step, without waiting for its
     * reader. The system gives half or less where net.core.wmem_max is small. */
    CLV_SOCKET_SEND_BUFFER = 1024 * 1024,
};

/* The address of a path, as it is: nothing is decoded. Empty or too long: CLV_EINVAL. */
CLV_MUST
clv_status clv_socket_address(const char *path, struct sockaddr_un *address, clv_error *err);
/* Set what a connection's socket needs; true: it is a Unix-domain socket. */
bool clv_socket_prepare(int fd);

#endif
