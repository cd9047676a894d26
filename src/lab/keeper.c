#include "lab/keeper.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "lab/build.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define VISITORS_MAX 8 /* control connections at the same time */
#define NS_PER_S     INT64_C(1000000000)
#define NICE         (-10)

typedef struct keeper {
    clv_build build;
    int owner, listener;
    int visitors[VISITORS_MAX]; /* -1: free */
    const char *control;
} keeper;

/* The answer to everything: how things stand. */
static void describe(const keeper *k, clv_lab_reply *r)
{
    const clv_lab_options *o = k->build.options;
    r->version = CLV_LAB_MESSAGE_VERSION;
    snprintf(r->transport, sizeof r->transport, "%s", k->build.tun ? "tun" : "packet");
    r->user_namespace = k->build.user_fd >= 0;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    r->cpu_us = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * INT64_C(1000000) +
                use.ru_utime.tv_usec + use.ru_stime.tv_usec;
    r->n_hosts = (uint32_t)o->n_hosts;
    r->n_links = (uint32_t)o->n_links;
    for (size_t i = 0; i < o->n_hosts; i++)
        snprintf(r->hosts[i], sizeof r->hosts[i], "%s", o->hosts[i].name);
    for (size_t i = 0; i < o->n_links; i++) {
        clv_lab_link_state *l = &r->links[i];
        snprintf(l->name, sizeof l->name, "%s-%s", o->hosts[o->links[i].from].name,
                 o->hosts[o->links[i].to].name);
        for (int d = 0; d < CLV_DIRECTIONS; d++) {
            l->values[d] = *clv_relay_values(k->build.relay, i, (clv_direction)d);
            l->counts[d] = *clv_relay_count(k->build.relay, i, (clv_direction)d);
        }
    }
}

static clv_status set_link(keeper *k, const clv_lab_request *q, clv_error *err)
{
    if (q->link >= k->build.options->n_links)
        return clv_fail(err, CLV_ENOTFOUND, "link %u: the lab has %zu", q->link,
                        k->build.options->n_links);
    clv_shape_values v[CLV_DIRECTIONS];
    for (int d = 0; d < CLV_DIRECTIONS; d++) {
        v[d] = clv_lab_merge(clv_relay_values(k->build.relay, q->link, (clv_direction)d),
                             &q->values[d], q->fields[d]);
        clv_status s = clv_shape_check(&v[d], err);
        if (s) return s;
    }
    for (int d = 0; d < CLV_DIRECTIONS; d++)
        if (q->fields[d])
            clv_relay_set(k->build.relay, q->link, (clv_direction)d, &v[d], clv_now_ns());
    return clv_build_tune(&k->build, q->link, err);
}

static clv_status make_socket(keeper *k, const clv_lab_request *q, int *fd, clv_error *err)
{
    if (q->host >= k->build.options->n_hosts)
        return clv_fail(err, CLV_ENOTFOUND, "host %u: the lab has %zu", q->host,
                        k->build.options->n_hosts);
    if (clv_netns_enter(k->build.host_fds[q->host])) return clv_fail_errno(err, "entering a host");
    *fd = socket(AF_INET, q->socket_type | SOCK_CLOEXEC, 0);
    clv_status s = *fd < 0 ? clv_fail_errno(err, "socket in a host") : CLV_OK;
    return clv_netns_enter(k->build.relay_fd) ? clv_fail_errno(err, "leaving a host") : s;
}

/* False: the other side is gone. */
static bool answer(keeper *k, int sock)
{
    clv_lab_request q = {0};
    long n = clv_message_receive(sock, &q, sizeof q, NULL, NULL);
    if (n < 0 && errno == EAGAIN) return true;
    if (n != (long)sizeof q) return false;
    CLV_AUTO(clv_fd_close) int fd = -1;
    clv_error err = {0};
    if (q.version != CLV_LAB_MESSAGE_VERSION || q.op >= CLV_LAB_OPS)
        clv_fail(&err, CLV_EPROTO, "lab control: request %u of version %u is not known", q.op,
                 q.version);
    else if (q.op == CLV_LAB_SET)
        (void)!set_link(k, &q, &err);
    else if (q.op == CLV_LAB_SOCKET)
        (void)!make_socket(k, &q, &fd, &err);
    clv_lab_reply r = {.status = err.status};
    memcpy(r.text, err.text, sizeof r.text);
    describe(k, &r);
    return clv_message_send(sock, &r, sizeof r, &fd, fd >= 0);
}

static void admit(keeper *k)
{
    int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (int i = 0; fd >= 0 && i < VISITORS_MAX; i++)
        if (k->visitors[i] < 0) k->visitors[i] = clv_fd_steal(&fd);
    clv_fd_close(&fd);
}

static void wait_for(struct pollfd *fds, size_t n, int64_t due_ns)
{
    int64_t ns = due_ns == INT64_MAX ? 0 : CLV_MAX(due_ns - clv_now_ns(), 0);
    struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    if (ppoll(fds, n, due_ns == INT64_MAX ? NULL : &t, NULL) < 0)
        for (size_t i = 0; i < n; i++) fds[i].revents = 0;
}

/* Relay until the owner is gone. */
static void serve(keeper *k)
{
    enum { PORTS = 2 * CLV_RELAY_LINKS_MAX };
    struct pollfd fds[PORTS + 2 + VISITORS_MAX];
    size_t ports = 2 * k->build.options->n_links, n = ports + 2 + VISITORS_MAX;
    for (;;) {
        for (size_t i = 0; i < ports; i++) fds[i].fd = clv_relay_port(k->build.relay, i);
        fds[ports].fd = k->owner;
        fds[ports + 1].fd = k->listener;
        for (size_t i = 0; i < VISITORS_MAX; i++) fds[ports + 2 + i].fd = k->visitors[i];
        for (size_t i = 0; i < n; i++) fds[i].events = POLLIN, fds[i].revents = 0;
        wait_for(fds, n, clv_relay_deliver(k->build.relay, clv_now_ns()));
        int64_t now_ns = clv_now_ns();
        for (size_t i = 0; i < ports; i++)
            if (fds[i].revents && clv_relay_receive(k->build.relay, i, now_ns, NULL)) return;
        if (fds[ports].revents && !answer(k, k->owner)) return;
        if (fds[ports + 1].revents) admit(k);
        for (size_t i = 0; i < VISITORS_MAX; i++)
            if (fds[ports + 2 + i].revents && !answer(k, k->visitors[i]))
                clv_fd_close(&k->visitors[i]);
    }
}

static clv_status listen_at(const char *path, int *out, clv_error *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return clv_fail(err, CLV_EINVAL, "lab control '%s': at most %zu characters are possible",
                        path, sizeof at.sun_path - 1);
    memcpy(at.sun_path, path, strlen(path));
    CLV_AUTO(clv_fd_close)
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(077); /* only this user may change the lab */
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    umask(mask);
    if (!bound || listen(fd, VISITORS_MAX)) return clv_fail_errno(err, "lab control '%s'", path);
    *out = clv_fd_steal(&fd);
    return CLV_OK;
}

/* Let go of everything of the program that we were forked from: its files (or a pipe's reader would
 * wait for us), its terminal, its signal handlers. */
static void detach(int *owner)
{
    setsid();
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (*owner != 3) {
        dup2(*owner, 3);
        *owner = 3;
    }
    close_range(4, ~0u, 0);
    if (freopen("/dev/null", "r+", stdin) == NULL) close(0);
    dup2(0, 1);
    dup2(0, 2);
    prctl(PR_SET_NAME, "cleave-lab");
}

/* To be woken in time also when inference has all processors: as far as we are allowed to. */
static void hurry(void)
{
    prctl(PR_SET_TIMERSLACK, 1ul);
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
        (void)!setpriority(PRIO_PROCESS, 0, NICE);
}

void clv_keeper_run(const clv_lab_options *o, int owner)
{
    keeper k = {.listener = -1};
    clv_error err = {0};
    detach(&owner);
    k.owner = owner;
    for (int i = 0; i < VISITORS_MAX; i++) k.visitors[i] = -1;
    clv_status s = o->control ? listen_at(o->control, &k.listener, &err) : CLV_OK;
    if (s == CLV_OK) s = clv_build_up(o, &k.build, &err);
    clv_lab_reply r = {.status = s, .version = CLV_LAB_MESSAGE_VERSION};
    memcpy(r.text, err.text, sizeof r.text);
    size_t n_fds = 0;
    int fds[CLV_LAB_HOSTS_MAX + 1];
    if (s == CLV_OK) {
        describe(&k, &r);
        for (size_t i = 0; i < o->n_hosts; i++) fds[n_fds++] = k.build.host_fds[i];
        if (k.build.user_fd >= 0) fds[n_fds++] = k.build.user_fd;
    }
    hurry();
    if (clv_message_send(owner, &r, sizeof r, fds, n_fds) && s == CLV_OK) serve(&k);
    if (k.listener >= 0) unlink(o->control);
    if (s == CLV_OK) clv_netns_kill_all(k.build.host_fds, o->n_hosts);
    _exit(0);
}
