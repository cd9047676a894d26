#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum { KEEPALIVE_IDLE_S = 30 };

clv_status clv_socket_address(const char *path, struct sockaddr_un *address, clv_error *err)
{
    size_t n = strlen(path);
    if (n == 0) return clv_fail(err, CLV_EINVAL, "the path of a socket is missing");
    if (n > CLV_SOCKET_PATH_MAX) {
        return clv_fail(err, CLV_EINVAL, "the path of a socket may have %d bytes, this has %zu",
                        (int)CLV_SOCKET_PATH_MAX, n);
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, path, n);
    return CLV_OK;
}

bool clv_socket_prepare(int fd)
{
    int domain = 0, on = 1, idle = KEEPALIVE_IDLE_S, bytes = CLV_SOCKET_SEND_BUFFER;
    socklen_t n = sizeof domain;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
    if (domain == AF_UNIX) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
        return true;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    return false;
}
