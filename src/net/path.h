/* Inside net/: what the kernel knows of the path of a TCP connection (TCP_INFO). */
#ifndef CLV_NET_PATH_H
#define CLV_NET_PATH_H

#include "net/client.h"

clv_path_info clv_path_read(int fd); /* all 0 when `fd` is no connected TCP socket */

#endif
