/* A lab: emulated hosts joined by emulated links, on one machine, as real as a kernel can make it.
 *
 * A host is a network namespace: own interfaces, addresses, ports, TCP. A link carries IP packets
 * between two hosts through a relay that adds rate, delay, jitter and loss in each direction. Hosts
 * and links are data; hosts that share no link are reached through others (edge, gateway, cloud).
 *
 *     const clv_lab_host hosts[] = {{.name = "edge", .slowdown = 4}, {.name = "cloud"}};
 *     clv_lab_link link = {.from = 0, .to = 1};                // up: from edge to cloud
 *     clv_lab_link_values(&wifi, &link.up, &link.down);
 *     clv_lab_options o = {.hosts = hosts, .n_hosts = 2, .links = &link, .n_links = 1};
 *     clv_lab *lab;
 *     if (clv_lab_new(&o, &lab, err)) ...
 *     clv_lab_spawn(lab, 1, &(clv_lab_command){.argv = serve, .out_fd = -1, .err_fd = -1}, &pid, err)
 *     clv_lab_set_link(lab, 0, &slow, &slow, err)              // while it runs
 *     clv_lab_free(lab);                                       // ends everything in it
 *
 * Rights: root's namespaces, or a user namespace where an ordinary user may have one. Where neither
 * is allowed clv_lab_new() fails with CLV_EDENIED and says why; with `loopback_allowed` the lab is
 * then 127.64.0.x without any shaping, clv_lab_emulated() is false and clv_lab_note() says so.
 *
 * A lab leaves nothing behind, also after kill -9: namespaces live only as long as someone holds
 * them, and a keeper process (which runs the relay) ends every process inside when its owner goes.
 * The keeper is a fork without exec: make labs early, before the program has much memory or many
 * threads. Hosts reach each other only, there is no way out.
 *
 * Threads: calls on one lab from one thread at a time. A command dies with the *thread* that started
 * it (PR_SET_PDEATHSIG): spawn from one that lives as long as the lab.
 */
#ifndef CLV_LAB_LAB_H
#define CLV_LAB_LAB_H

#include "cost/link.h"
#include "lab/message.h"

#include <netinet/in.h>
#include <sys/types.h>

#define CLV_LAB_CONGESTION_DEFAULT "cubic"
#define CLV_LAB_SLOWDOWN_MAX       1000

typedef struct clv_lab_host {
    const char *name; /* letters, digits, '-', '_'; at most CLV_LAB_NAME_MAX - 1, not "lo" */
    double slowdown;  /* CLEAVE_SLOWDOWN of its commands: cleave's executor waits (k - 1) × after
                         each run. 0 or 1: none */
    const char *cpus; /* pin its commands: "0", "2-3,5"; NULL: anywhere */
} clv_lab_host;

typedef struct clv_lab_link {
    size_t from, to; /* hosts */
    clv_shape_values up, down;
} clv_lab_link;

typedef enum clv_lab_transport {
    CLV_LAB_AUTO, /* TUN, and packet where /dev/net/tun may not be opened */
    CLV_LAB_TUN,  /* see port.h */
    CLV_LAB_PACKET
} clv_lab_transport;

typedef struct clv_lab_options {
    const clv_lab_host *hosts;
    const clv_lab_link *links;
    size_t n_hosts, n_links;
    uint64_t seed;          /* of loss and jitter */
    const char *congestion; /* TCP's, between hosts; NULL: CLV_LAB_CONGESTION_DEFAULT; "": the
                               machine's own default */
    bool keep_window; /* net.ipv4.tcp_slow_start_after_idle = 0 in the hosts, as on many servers of
                         long-lived connections: an idle connection keeps its window */
    const char *control; /* path of a socket for `cleave lab set`; NULL: none */
    clv_lab_transport transport;
    bool loopback_allowed;
} clv_lab_options;

typedef struct clv_lab clv_lab;

/* Each direction of a link as the relay takes it: half the round trip each way. A link that is down
 * loses everything. */
void clv_lab_link_values(const clv_link *link, clv_shape_values *up, clv_shape_values *down);

/* `*out` is the caller's. Options are copied. Errors: CLV_EDENIED without the rights, CLV_EINVAL for
 * names, links and values that cannot be. */
CLV_MUST
clv_status clv_lab_new(const clv_lab_options *o, clv_lab **out, clv_error *err);
/* Ends all commands (SIGTERM, SIGKILL a second later) and everything else inside. NULL is fine. */
void clv_lab_free(clv_lab *lab);

bool clv_lab_emulated(const clv_lab *lab);
/* One line for people: how the lab is made, or why it is plain loopback. */
const char *clv_lab_note(const clv_lab *lab);
/* "100.64.0.1". Constant text of the lab; hosts in the order of the options. */
const char *clv_lab_address(const clv_lab *lab, size_t host);

/* A command on a host. The environment is the caller's, plus `env` (NAME=VALUE, NULL-terminated, may
 * be NULL), plus CLEAVE_LAB_SELF (address), CLEAVE_LAB_PEER (of the first host it shares a link
 * with), CLEAVE_LAB_NAME (the host's), CLEAVE_LAB (control path) and CLEAVE_SLOWDOWN. */
typedef struct clv_lab_command {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in $PATH */
    const char *const *env;
    int out_fd, err_fd; /* negative: the caller's */
} clv_lab_command;

/* Start it. The lab reaps it in clv_lab_free(), or the caller with clv_lab_wait(). An error names a
 * program that cannot be started. */
CLV_MUST
clv_status clv_lab_spawn(clv_lab *lab, size_t host, const clv_lab_command *command, pid_t *pid,
                         clv_error *err);
/* Wait at most `timeout_us` (negative: for ever). `*code` is the exit status, 128 + the signal for a
 * killed one. CLV_ETIMEOUT while it runs; CLV_ENOTFOUND: not, or no longer, a command of this lab. */
CLV_MUST
clv_status clv_lab_wait(clv_lab *lab, pid_t pid, int64_t timeout_us, int *code, clv_error *err);
/* Send a signal to one command, or to all (pid 0). */
void clv_lab_signal(clv_lab *lab, pid_t pid, int signal);

/* A socket inside a host, used by this process: type SOCK_STREAM or SOCK_DGRAM, IPv4. */
CLV_MUST
clv_status clv_lab_socket(clv_lab *lab, size_t host, int type, int *fd, clv_error *err);

/* Change a running link; a NULL direction stays as it is. Does nothing on plain loopback. */
CLV_MUST
clv_status clv_lab_set_link(clv_lab *lab, size_t link, const clv_shape_values *up,
                            const clv_shape_values *down, clv_error *err);
/* Values and counts of all links. CLV_EUNAVAIL on plain loopback. */
CLV_MUST
clv_status clv_lab_state(clv_lab *lab, clv_lab_reply *state, clv_error *err);

#endif
