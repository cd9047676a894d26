/* Inside net/: what the kernel knows of the path of a connection: TCP_INFO, and of a Unix-domain
 * socket how much waits there for its reader (SIOCOUTQ). Of that the kernel counts the memory, a
 * little more than the bytes: what is told as acknowledged is exact when all was read, else a little
 * less, and it grows only when the reader reads. There are no round trips nor rates on it. */
#ifndef CLV_NET_PATH_H
#define CLV_NET_PATH_H

#include "net/client.h"

/* `written_bytes`: so many were given to the socket in all. All 0 when `fd` is not connected. */
clv_path_info clv_path_read(int fd, uint64_t written_bytes);

#endif
