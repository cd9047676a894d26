/* A wire tap: takes connections, passes every byte on in both directions, and keeps a copy of what
 * went towards the peer. While it holds, what goes towards the peer stays where it is: little in the
 * tap's socket, the rest in the sender's. */
#ifndef CLV_TESTS_SPLIT_TAP_H
#define CLV_TESTS_SPLIT_TAP_H

#include "unit.h"

#include "base/buf.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TAP_LINES_MAX = 16, TAP_HELD_BYTES = 32768 };

typedef struct tap {
    int listener, port, to_port;
    int lines[TAP_LINES_MAX][2]; /* accepted, connected; -1: closed */
    int n_lines;
    pthread_t thread;
    pthread_mutex_t lock; /* guards `sent` */
    clv_buf sent;
    atomic_bool ending, hold;
    atomic_int held_bytes; /* that wait here, while it holds */
    char url[64];
} tap;

static inline struct sockaddr_in tap_address(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void tap_accept(tap *t)
{
    struct sockaddr_in to = tap_address(t->to_port);
    if (t->n_lines == TAP_LINES_MAX) return;
    int *line = t->lines[t->n_lines];
    line[0] = accept(t->listener, NULL, NULL);
    line[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (line[0] >= 0 && connect(line[1], (struct sockaddr *)&to, sizeof to) == 0) {
        t->n_lines++;
        return;
    }
    if (line[0] >= 0) close(line[0]); /* nobody is there: the caller is to see that */
    close(line[1]);
}

/* What one side said goes to the other; its end closes both. */
static inline void tap_pass(tap *t, int line, int from)
{
    char bytes[16384];
    int *fd = t->lines[line];
    ssize_t n = recv(fd[from], bytes, sizeof bytes, 0);
    ssize_t at = 0, sent = 1;
    for (; at < n && sent > 0; at += sent)
        sent = send(fd[!from], bytes + at, (size_t)(n - at), MSG_NOSIGNAL);
    if (n <= 0 || sent <= 0) {
        close(fd[0]);
        close(fd[1]);
        fd[0] = fd[1] = -1;
    } else if (from == 0) {
        pthread_mutex_lock(&t->lock);
        clv_buf_add(&t->sent, bytes, (size_t)n);
        pthread_mutex_unlock(&t->lock);
    }
}

static inline int tap_waiting(const tap *t)
{
    int sum = 0;
    for (int i = 0, n = 0; i < t->n_lines; i++, sum += n, n = 0)
        if (t->lines[i][0] >= 0) (void)!ioctl(t->lines[i][0], FIONREAD, &n);
    return sum;
}

static inline void *tap_run(void *arg)
{
    tap *t = arg;
    while (!t->ending) {
        bool hold = t->hold;
        struct pollfd fds[1 + 2 * TAP_LINES_MAX] = {{.fd = t->listener, .events = POLLIN}};
        for (int i = 0; i < 2 * t->n_lines; i++)
            fds[1 + i] = (struct pollfd){.fd = t->lines[i / 2][i % 2],
                                         .events = hold && i % 2 == 0 ? 0 : POLLIN};
        int n = t->n_lines;
        atomic_store(&t->held_bytes, hold ? tap_waiting(t) : 0);
        if (poll(fds, (nfds_t)(1 + 2 * n), 20) <= 0) continue;
        for (int i = 0; i < 2 * n; i++)
            if (fds[1 + i].revents && t->lines[i / 2][i % 2] >= 0) tap_pass(t, i / 2, i % 2);
        if (fds[0].revents) tap_accept(t);
    }
    return NULL;
}

static inline void tap_start(tap *t, int to_port)
{
    struct sockaddr_in here = tap_address(0);
    socklen_t size = sizeof here;
    *t = (tap){.to_port = to_port, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    const int most = TAP_HELD_BYTES, packet = 1448; /* those it takes have them too */
    assert_int_equal(setsockopt(t->listener, SOL_SOCKET, SO_RCVBUF, &most, sizeof most), 0);
    assert_int_equal(setsockopt(t->listener, IPPROTO_TCP, TCP_MAXSEG, &packet, sizeof packet), 0);
    assert_int_equal(bind(t->listener, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(t->listener, 16), 0);
    assert_int_equal(getsockname(t->listener, (struct sockaddr *)&here, &size), 0);
    snprintf(t->url, sizeof t->url, "http://127.0.0.1:%d", ntohs(here.sin_port));
    pthread_mutex_init(&t->lock, NULL);
    pthread_create(&t->thread, NULL, tap_run, t);
}

static inline void tap_stop(tap *t)
{
    t->ending = true;
    pthread_join(t->thread, NULL);
    for (int i = 0; i < 2 * t->n_lines; i++)
        if (t->lines[i / 2][i % 2] >= 0) close(t->lines[i / 2][i % 2]);
    close(t->listener);
    pthread_mutex_destroy(&t->lock);
    clv_buf_done(&t->sent);
}

/* Did these bytes, in a row, go towards the peer? */
static inline bool tap_saw(tap *t, const void *bytes, size_t n)
{
    pthread_mutex_lock(&t->lock);
    bool saw = t->sent.len && memmem(t->sent.data, t->sent.len, bytes, n);
    pthread_mutex_unlock(&t->lock);
    return saw;
}

#endif
