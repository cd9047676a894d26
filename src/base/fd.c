#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

void clv_fd_close(int *fd)
{
    int saved = errno;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    errno = saved;
}

int clv_fd_steal(int *fd)
{
    int value = *fd;
    *fd = -1;
    return value;
}
