/* Inside net/: what the kernel knows of the path of a connection. */
#ifndef CLV_NET_PATH_H
#define CLV_NET_PATH_H

#include "net/client.h"

/* Of TCP (TCP_INFO). All 0 when `fd` is no connected TCP socket. */
clv_path_info clv_path_read(int fd);
/* Of a Unix-domain socket: how much waits there for its reader (SIOCOUTQ). `written_bytes`: so many
 * were given to it in all. The kernel counts memory, a little more than the bytes: what is told as
 * acknowledged is exact when all was read, else a little less, and it grows only when the reader
 * reads. There are no round trips nor rates. */
clv_path_info clv_path_read_local(int fd, uint64_t written_bytes);

#endif
