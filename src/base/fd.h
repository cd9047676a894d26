/* File descriptors that close themselves: CLV_AUTO(clv_fd_close) int fd = open(...). */
#ifndef CLV_BASE_FD_H
#define CLV_BASE_FD_H

/* Close `*fd` unless it is negative, and make it -1. errno is kept. */
void clv_fd_close(int *fd);
/* Take the descriptor out of `*fd`, leaving -1. */
int clv_fd_steal(int *fd);

#endif
