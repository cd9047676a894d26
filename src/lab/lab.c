#include "lab/lab.h"

#include "base/fd.h"
#include "base/mem.h"
#include "lab/commands.h"
#include "lab/keeper.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOPBACK_BASE 0x7f400001u /* 127.64.0.1 */
#define GRACE_US      1000000     /* between SIGTERM and SIGKILL */
#define NOTE_MAX      (CLV_ERROR_TEXT_MAX + 64)

struct clv_lab {
    clv_lab_options options; /* hosts, links and texts owned */
    char addresses[CLV_LAB_HOSTS_MAX][INET_ADDRSTRLEN];
    char note[NOTE_MAX];
    pid_t keeper; /* 0: plain loopback */
    int sock;
    clv_commands commands;
};

void clv_lab_link_values(const clv_link *link, clv_shape_values *up, clv_shape_values *down)
{
    int64_t delay_us = (int64_t)(link->rtt_us / 2);
    double loss = link->up ? 0 : 1; /* down: whatever is sent is lost */
    *up = (clv_shape_values){
        .rate_bytes_per_s = link->up_bytes_per_s, .delay_us = delay_us, .loss = loss};
    *down = (clv_shape_values){
        .rate_bytes_per_s = link->down_bytes_per_s, .delay_us = delay_us, .loss = loss};
}

static clv_status check_host(const clv_lab_options *o, size_t i, clv_error *err)
{
    const clv_lab_host *h = &o->hosts[i];
    size_t n = strlen(h->name);
    bool good = n > 0 && n < CLV_LAB_NAME_MAX && strcmp(h->name, "lo") != 0;
    for (size_t c = 0; c < n; c++)
        good = good && (isalnum((unsigned char)h->name[c]) || strchr("-_", h->name[c]));
    if (!good)
        return clv_fail(err, CLV_EINVAL,
                        "lab host '%s': 1 to %d letters, digits, '-' and '_' make a name, and not "
                        "'lo'",
                        h->name, CLV_LAB_NAME_MAX - 1);
    for (size_t j = 0; j < i; j++)
        if (strcmp(o->hosts[j].name, h->name) == 0)
            return clv_fail(err, CLV_EINVAL, "lab host '%s': named twice", h->name);
    if (!(h->slowdown == 0 || (h->slowdown >= 1 && h->slowdown <= CLV_LAB_SLOWDOWN_MAX)))
        return clv_fail(err, CLV_EINVAL, "lab host '%s': slowdown %g: 1 to %d are possible",
                        h->name, h->slowdown, CLV_LAB_SLOWDOWN_MAX);
    return CLV_OK;
}

static clv_status check(const clv_lab_options *o, clv_error *err)
{
    if (o->n_hosts == 0 || o->n_hosts > CLV_LAB_HOSTS_MAX || o->n_links > CLV_RELAY_LINKS_MAX)
        return clv_fail(err, CLV_ELIMIT, "lab: %zu hosts and %zu links; 1 to %d and 0 to %d fit",
                        o->n_hosts, o->n_links, CLV_LAB_HOSTS_MAX, CLV_RELAY_LINKS_MAX);
    clv_status s = CLV_OK;
    for (size_t i = 0; i < o->n_hosts && s == CLV_OK; i++) s = check_host(o, i, err);
    for (size_t i = 0; i < o->n_links && s == CLV_OK; i++) {
        const clv_lab_link *l = &o->links[i];
        if (l->from >= o->n_hosts || l->to >= o->n_hosts || l->from == l->to)
            return clv_fail(err, CLV_EINVAL, "lab link %zu: joins hosts %zu and %zu of %zu", i,
                            l->from, l->to, o->n_hosts);
        for (size_t j = 0; j < i; j++)
            if (o->links[j].from + o->links[j].to == l->from + l->to &&
                (o->links[j].from == l->from || o->links[j].from == l->to))
                return clv_fail(err, CLV_EINVAL, "lab link %zu: hosts %zu and %zu are joined twice",
                                i, l->from, l->to);
        s = clv_shape_check(&l->up, err);
        if (s == CLV_OK) s = clv_shape_check(&l->down, err);
    }
    return s;
}

static void copy_options(clv_lab_options *to, const clv_lab_options *from)
{
    *to = *from;
    clv_lab_host *hosts = clv_alloc_array(from->n_hosts, sizeof *hosts);
    clv_lab_link *links = clv_alloc_array(from->n_links + 1, sizeof *links);
    for (size_t i = 0; i < from->n_hosts; i++) {
        hosts[i] = from->hosts[i];
        hosts[i].name = clv_strdup(from->hosts[i].name);
        hosts[i].cpus = clv_strdup(from->hosts[i].cpus);
    }
    if (from->n_links) memcpy(links, from->links, from->n_links * sizeof *links);
    to->hosts = hosts;
    to->links = links;
    to->control = clv_strdup(from->control);
    to->congestion = clv_strdup(from->congestion);
}

static void free_const(const void *p)
{
    free((void *)(uintptr_t)p);
}

static void free_options(clv_lab_options *o)
{
    for (size_t i = 0; i < o->n_hosts; i++) {
        free_const(o->hosts[i].name);
        free_const(o->hosts[i].cpus);
    }
    free_const(o->hosts);
    free_const(o->links);
    free_const(o->control);
    free_const(o->congestion);
}

static clv_status start_keeper(clv_lab *lab, clv_error *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return clv_fail_errno(err, "lab: socket pair");
    lab->sock = pair[0];
    pid_t pid = fork();
    if (pid == 0) clv_keeper_run(&lab->options, pair[1]);
    clv_fd_close(&pair[1]);
    if (pid < 0) return clv_fail_errno(err, "lab: starting the keeper");
    lab->keeper = pid;
    return CLV_OK;
}

static clv_status receive(clv_lab *lab, clv_lab_reply *r, int *fds, size_t *n_fds, clv_error *err)
{
    long n = clv_message_receive(lab->sock, r, sizeof *r, fds, n_fds);
    if (n < 0) return clv_fail_errno(err, "lab: asking the keeper");
    if (n != (long)sizeof *r) return clv_fail(err, CLV_EUNAVAIL, "lab: its keeper has ended");
    r->text[sizeof r->text - 1] = 0;
    return r->status ? clv_fail(err, (clv_status)r->status, "%s", r->text) : CLV_OK;
}

static void set_addresses(clv_lab *lab)
{
    for (size_t i = 0; i < lab->options.n_hosts; i++) {
        struct in_addr a = {.s_addr = lab->keeper ? clv_keeper_address(i)
                                                  : htonl(LOOPBACK_BASE + (uint32_t)i)};
        inet_ntop(AF_INET, &a, lab->addresses[i], sizeof lab->addresses[i]);
    }
}

static void stop_keeper(clv_lab *lab)
{
    clv_fd_close(&lab->sock);
    if (lab->keeper)
        while (waitpid(lab->keeper, NULL, 0) < 0 && errno == EINTR) continue;
    lab->keeper = 0;
}

static clv_status raise_lab(clv_lab *lab, clv_error *err)
{
    clv_status s = start_keeper(lab, err);
    if (s) return s;
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    int fds[CLV_LAB_HOSTS_MAX + 1];
    size_t n_fds = CLV_COUNT(fds), hosts = lab->options.n_hosts;
    s = receive(lab, r, fds, &n_fds, err);
    if (s) return s;
    clv_commands_set_spaces(&lab->commands, fds, hosts, n_fds > hosts ? fds[hosts] : -1);
    snprintf(lab->note, sizeof lab->note, "%s, %s", r->transport[0] == 't' ? "TUN" : "veth pairs",
             r->user_namespace ? "in a user namespace" : "with root's rights");
    return CLV_OK;
}

clv_status clv_lab_new(const clv_lab_options *o, clv_lab **out, clv_error *err)
{
    clv_status s = check(o, err);
    if (s) return s;
    clv_lab *lab = clv_alloc(sizeof *lab);
    clv_error why = {0};
    lab->sock = -1;
    copy_options(&lab->options, o);
    clv_commands_init(&lab->commands);
    s = raise_lab(lab, &why);
    if (s == CLV_EDENIED && o->loopback_allowed) {
        snprintf(lab->note, sizeof lab->note, "%s: running on plain loopback", why.text);
        stop_keeper(lab);
        s = CLV_OK;
    }
    if (s) {
        clv_lab_free(lab);
        return clv_fail(err, s, "%s", why.text);
    }
    set_addresses(lab);
    *out = lab;
    return CLV_OK;
}

void clv_lab_free(clv_lab *lab)
{
    if (lab == NULL) return;
    clv_commands_done(&lab->commands, GRACE_US);
    stop_keeper(lab);
    free_options(&lab->options);
    free(lab);
}

bool clv_lab_emulated(const clv_lab *lab)
{
    return lab->keeper != 0;
}

const char *clv_lab_note(const clv_lab *lab)
{
    return lab->note;
}

const char *clv_lab_address(const clv_lab *lab, size_t host)
{
    return lab->addresses[host];
}

static size_t peer_of(const clv_lab_options *o, size_t host)
{
    for (size_t i = 0; i < o->n_links; i++) {
        if (o->links[i].from == host) return o->links[i].to;
        if (o->links[i].to == host) return o->links[i].from;
    }
    return host;
}

clv_status clv_lab_spawn(clv_lab *lab, size_t host, const clv_lab_command *command, pid_t *pid,
                         clv_error *err)
{
    const clv_lab_host *h = &lab->options.hosts[host];
    clv_environment env = {0};
    clv_environment_set(&env, "CLEAVE_LAB_NAME", h->name);
    clv_environment_set(&env, "CLEAVE_LAB_SELF", lab->addresses[host]);
    clv_environment_set(&env, "CLEAVE_LAB_PEER", lab->addresses[peer_of(&lab->options, host)]);
    if (lab->options.control) clv_environment_set(&env, "CLEAVE_LAB", lab->options.control);
    if (h->slowdown > 1) {
        CLV_AUTO(clv_text_free) char *k = clv_format("%g", h->slowdown);
        clv_environment_set(&env, "CLEAVE_SLOWDOWN", k);
    }
    for (size_t i = 0; command->env && command->env[i]; i++)
        clv_environment_add(&env, command->env[i]);
    clv_environment_inherit(&env);
    clv_status s = clv_commands_start(&lab->commands, host, h->cpus, &env, command, pid, err);
    clv_environment_done(&env);
    return s ? clv_within(err, "lab host '%s'", h->name) : CLV_OK;
}

clv_status clv_lab_wait(clv_lab *lab, pid_t pid, int64_t timeout_us, int *code, clv_error *err)
{
    return clv_commands_wait(&lab->commands, pid, timeout_us, code, err);
}

void clv_lab_signal(clv_lab *lab, pid_t pid, int number)
{
    clv_commands_signal(&lab->commands, pid, number);
}

static clv_status ask(clv_lab *lab, clv_lab_request *q, clv_lab_reply *r, int *fds, size_t *n_fds,
                      clv_error *err)
{
    q->version = CLV_LAB_MESSAGE_VERSION;
    if (!clv_message_send(lab->sock, q, sizeof *q, NULL, 0))
        return clv_fail_errno(err, "lab: asking the keeper");
    return receive(lab, r, fds, n_fds, err);
}

clv_status clv_lab_socket(clv_lab *lab, size_t host, int type, int *fd, clv_error *err)
{
    if (!clv_lab_emulated(lab)) {
        *fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
        return *fd < 0 ? clv_fail_errno(err, "socket") : CLV_OK;
    }
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    clv_lab_request q = {.op = CLV_LAB_SOCKET, .host = (uint32_t)host, .socket_type = type};
    size_t n = 1;
    int got = -1;
    clv_status s = ask(lab, &q, r, &got, &n, err);
    if (s == CLV_OK && n != 1) s = clv_fail(err, CLV_EPROTO, "lab: no socket came");
    if (s == CLV_OK) *fd = got;
    return s;
}

clv_status clv_lab_set_link(clv_lab *lab, size_t link, const clv_shape_values *up,
                            const clv_shape_values *down, clv_error *err)
{
    if (!clv_lab_emulated(lab)) return CLV_OK;
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    clv_lab_request q = {.op = CLV_LAB_SET, .link = (uint32_t)link};
    const clv_shape_values *values[CLV_DIRECTIONS] = {up, down};
    for (int d = 0; d < CLV_DIRECTIONS; d++) {
        if (values[d] == NULL) continue;
        q.values[d] = *values[d];
        q.fields[d] = CLV_LAB_ALL_FIELDS;
    }
    return ask(lab, &q, r, NULL, NULL, err);
}

clv_status clv_lab_state(clv_lab *lab, clv_lab_reply *state, clv_error *err)
{
    if (!clv_lab_emulated(lab))
        return clv_fail(err, CLV_EUNAVAIL, "lab: plain loopback has no links");
    return ask(lab, &(clv_lab_request){.op = CLV_LAB_STATUS}, state, NULL, NULL, err);
}
