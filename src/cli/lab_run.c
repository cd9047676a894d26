/* cleave lab run, cleave lab shell */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/lab_options.h"
#include "lab/lab.h"
#include "lab/trace.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_US      20000 /* how long signals and the trace wait at most */
#define READY_US     60000000
#define DEFAULT_LINK "lan"

typedef struct run_options {
    const char *hosts, *edge, *cloud, *trace, *name, *congestion;
    clv_text_list slow, pin;
    int64_t seed, wait_port;
    int transport;
    bool keep_window;
} run_options;

static const clv_opt run_opts[] = {
    CLV_OPT(run_options, edge, TEXT, "edge", NULL, .arg = "COMMAND", .help = "what the edge runs"),
    CLV_OPT(run_options, cloud, TEXT, "cloud", NULL, .arg = "COMMAND",
            .help = "what the cloud runs, meanwhile"),
    CLV_OPT(run_options, hosts, TEXT, "hosts", "edge,cloud", .arg = "NAME,...",
            .help = "the hosts, a chain: each is linked to the next; --link A+B names each link"),
    CLV_OPT(run_options, wait_port, INT, "wait", NULL, .min = 0, .max = 65535, .arg = "PORT",
            .help = "start the first host's command when this port answers on the others"),
    CLV_OPT(run_options, slow, LIST, "slow", NULL, .arg = "HOST=FACTOR",
            .help = "a slower host: cleave there sleeps (FACTOR - 1) x after each run"),
    CLV_OPT(run_options, pin, LIST, "pin", NULL, .arg = "HOST=CPUS",
            .help = "run a host's commands on these processors, such as edge=0 or cloud=1-3"),
    CLV_OPT(run_options, trace, TEXT, "trace", NULL, .arg = "FILE",
            .help = "change the first link over time: lines of TIME,LINK"),
    CLV_OPT(run_options, seed, INT, "seed", "1", .help = "of loss and jitter"),
    CLV_OPT(run_options, congestion, TEXT, "congestion", CLV_LAB_CONGESTION_DEFAULT, .arg = "NAME",
            .help = "TCP's congestion control; '': this machine's default"),
    CLV_OPT(run_options, keep_window, FLAG, "keep-window", NULL,
            .help = "idle TCP connections keep their window (tcp_slow_start_after_idle=0)"),
    CLV_OPT(run_options, transport, CHOICE, "transport", "auto", .choices = "auto|tun|packet",
            .help = "how packets reach the relay"),
    CLV_OPT(run_options, name, TEXT, "name", NULL, .arg = "NAME",
            .help = "name for `cleave lab set --lab`; default: the process id"),
};

static const clv_cli_about run_about = {
    .usage = "cleave lab run [--link LINK] --cloud COMMAND --edge COMMAND [HOST=COMMAND...]",
    .text = "Run commands on emulated hosts. The first host's command (the edge's) runs in the\n"
            "foreground and gives the exit status; when it ends, everything ends. {edge}, {cloud} "
            "in a\n"
            "command become addresses; $CLEAVE_LAB_SELF and $CLEAVE_LAB_PEER hold them too.",
    .examples =
        "cleave lab run --link lte --cloud 'cleave serve --host {cloud}' --wait 8000 \\\n"
        "               --edge 'cleave infer resnet18 --url http://{cloud}:8000'\n"
        "cleave lab run --link wifi --slow edge=4 --pin edge=0,cloud=1 --cloud ... --edge ...\n"
        "cleave lab run --up 5Mbit --down 20Mbit --rtt 40ms --jitter 5ms --loss 1% --edge ...\n"
        "cleave lab run --hosts edge,gateway,cloud --link wifi+lte gateway='...' --edge '...'\n",
    .positionals_max = CLV_LAB_HOSTS_MAX,
};

static const clv_cli_about shell_about = {
    .usage = "cleave lab shell [--link LINK] [--cloud COMMAND] [HOST] [HOST=COMMAND...]",
    .text =
        "A shell on one of the hosts (the first, unless one is named), while the commands of the\n"
        "others run. `cleave lab set` works in it.",
    .examples = "cleave lab shell --link 3g --cloud 'cleave serve --host {cloud}'\n",
    .positionals_max = CLV_LAB_HOSTS_MAX,
};

/* A lab as the command line describes it. */
typedef struct plan {
    clv_lab_host hosts[CLV_LAB_HOSTS_MAX];
    const char *commands[CLV_LAB_HOSTS_MAX]; /* NULL: none */
    size_t n;
    clv_lab_link links[CLV_LAB_HOSTS_MAX];
    size_t front; /* the host whose command is waited for */
    clv_text_list names;
    clv_lab_trace trace;
} plan;

static void plan_done(plan *p)
{
    clv_text_list_done(&p->names);
    clv_lab_trace_done(&p->trace);
}

static clv_status host_number(const plan *p, const char *name, size_t bytes, const char *where,
                              size_t *out, clv_error *err)
{
    for (size_t i = 0; i < p->n; i++)
        if (strlen(p->hosts[i].name) == bytes && strncmp(p->hosts[i].name, name, bytes) == 0) {
            *out = i;
            return CLV_OK;
        }
    return clv_fail(err, CLV_EUSAGE, "%s: there is no host '%.*s' (--hosts)", where,
                    (int)CLV_MIN(bytes, (size_t)64), name);
}

/* "HOST=REST": the host and the rest. */
static clv_status split(const plan *p, const char *text, const char *where, size_t *host,
                        const char **rest, clv_error *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return clv_fail(err, CLV_EUSAGE, "%s: '%s': HOST=... is needed", where, text);
    *rest = equals + 1;
    return host_number(p, text, (size_t)(equals - text), where, host, err);
}

static clv_status plan_hosts(plan *p, const run_options *o, clv_error *err)
{
    for (const char *at = o->hosts; *at;) {
        size_t n = strcspn(at, ",");
        if (p->n == CLV_LAB_HOSTS_MAX)
            return clv_fail(err, CLV_EUSAGE, "--hosts: at most %d fit", CLV_LAB_HOSTS_MAX);
        clv_text_list_add(&p->names, at, n);
        p->hosts[p->n++] = (clv_lab_host){.slowdown = 1};
        at += n + (at[n] == ',');
    }
    if (p->n == 0) return clv_fail(err, CLV_EUSAGE, "--hosts: no host, such as 'edge,cloud'");
    for (size_t i = 0; i < p->n; i++) p->hosts[i].name = p->names.items[i];
    clv_status s = CLV_OK;
    size_t host;
    const char *rest;
    for (size_t i = 0; i < o->slow.n && s == CLV_OK; i++) {
        s = split(p, o->slow.items[i], "--slow", &host, &rest, err);
        if (s == CLV_OK &&
            (clv_parse_real(rest, &p->hosts[host].slowdown, NULL) || p->hosts[host].slowdown < 1))
            s = clv_fail(err, CLV_EUSAGE, "--slow: factor '%s': 1 or more is possible", rest);
    }
    for (size_t i = 0; i < o->pin.n && s == CLV_OK; i++) {
        s = split(p, o->pin.items[i], "--pin", &host, &rest, err);
        if (s == CLV_OK) p->hosts[host].cpus = rest;
    }
    return s;
}

/* --link A+B+...: one for each hop, the last also for those behind it. */
static clv_status plan_links(plan *p, const clv_lab_link_flags *flags, clv_error *err)
{
    const char *at = flags->link ? flags->link : DEFAULT_LINK;
    size_t named = 1;
    for (const char *c = at; *c; c++) named += *c == '+';
    if (named > CLV_MAX(p->n, 2u) - 1)
        return clv_fail(err, CLV_EUSAGE, "--link '%s': names %zu links, %zu hosts have %zu", at,
                        named, p->n, p->n - 1);
    for (size_t i = 0; i + 1 < p->n; i++) {
        size_t n = strcspn(at, "+");
        CLV_AUTO(clv_text_free) char *text = clv_strndup(at, n);
        clv_lab_link_change c;
        clv_status s = clv_lab_link_change_parse(flags, text, &c, err);
        if (s) return s;
        p->links[i] = (clv_lab_link){
            .from = i, .to = i + 1, .up = c.values[CLV_UP], .down = c.values[CLV_DOWN]};
        if (at[n] == '+') at += n + 1;
    }
    return CLV_OK;
}

static clv_status plan_command(plan *p, size_t host, const char *command, clv_error *err)
{
    if (p->commands[host])
        return clv_fail(err, CLV_EUSAGE, "host '%s': two commands", p->hosts[host].name);
    p->commands[host] = command;
    return CLV_OK;
}

static clv_status plan_commands(plan *p, const run_options *o, const clv_args *args, bool shell,
                                clv_error *err)
{
    size_t host;
    const char *rest;
    const char *named[][2] = {{"edge", o->edge}, {"cloud", o->cloud}};
    clv_status s = CLV_OK;
    for (size_t i = 0; i < CLV_COUNT(named) && s == CLV_OK; i++) {
        if (named[i][1] == NULL) continue;
        s = host_number(p, named[i][0], strlen(named[i][0]), "--edge, --cloud", &host, err);
        if (s == CLV_OK) s = plan_command(p, host, named[i][1], err);
    }
    for (int i = 0; i < args->argc && s == CLV_OK; i++) {
        const char *text = args->argv[i];
        if (shell && strchr(text, '=') == NULL) {
            s = host_number(p, text, strlen(text), "shell", &p->front, err);
            continue;
        }
        s = split(p, text, "HOST=COMMAND", &host, &rest, err);
        if (s == CLV_OK) s = plan_command(p, host, rest, err);
    }
    if (s) return s;
    if (shell) return plan_command(p, p->front, "exec \"${SHELL:-/bin/sh}\"", err);
    while (p->front < p->n && p->commands[p->front] == NULL) p->front++;
    if (p->front == p->n)
        return clv_fail(err, CLV_EUSAGE, "no command; try --edge 'ping -c 3 {cloud}'");
    return CLV_OK;
}

/* {host} in a command becomes the host's address; other braces stay. Heap text. */
static char *filled_in(const plan *p, const clv_lab *lab, const char *command)
{
    clv_buf out = {0};
    for (const char *c = command; *c;) {
        size_t n = *c == '{' ? strcspn(c, "}") : 0, host;
        if (n && c[n] && host_number(p, c + 1, n - 1, "", &host, NULL) == CLV_OK) {
            clv_buf_text(&out, clv_lab_address(lab, host));
            c += n + 1;
        } else {
            clv_buf_char(&out, *c++);
        }
    }
    return clv_buf_take(&out);
}

/* This program's directory first in the path, so that `cleave` in a command is this one. */
static char *path_with_us(void)
{
    char self[4096];
    const char *path = getenv("PATH");
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    while (n > 0 && self[n - 1] != '/') n--;
    if (n <= 1) return clv_format("PATH=%s", path ? path : "/usr/bin:/bin");
    return clv_format("PATH=%.*s:%s", (int)n - 1, self, path ? path : "/usr/bin:/bin");
}

static clv_status start(const plan *p, clv_lab *lab, size_t host, pid_t *pid, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *text = filled_in(p, lab, p->commands[host]);
    CLV_AUTO(clv_text_free) char *path = path_with_us();
    const char *argv[] = {"sh", "-c", text, NULL}, *env[] = {path, NULL};
    clv_lab_command c = {.argv = argv, .env = env, .out_fd = -1, .err_fd = -1};
    return clv_lab_spawn(lab, host, &c, pid, err);
}

/* Try to connect from the front host, as its command will. */
static bool answers(const plan *p, clv_lab *lab, size_t host, int64_t port)
{
    CLV_AUTO(clv_fd_close) int fd = -1;
    if (clv_lab_socket(lab, p->front, SOCK_STREAM, &fd, NULL)) return false;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, clv_lab_address(lab, host), &at.sin_addr);
    return connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

static clv_status wait_ready(const plan *p, clv_lab *lab, size_t host, pid_t pid, int64_t port,
                             clv_error *err)
{
    int64_t end_us = clv_now_us() + READY_US;
    while (!answers(p, lab, host, port)) {
        int code;
        if (clv_lab_wait(lab, pid, TURN_US, &code, NULL) == CLV_OK)
            return clv_fail(err, CLV_EUNAVAIL, "host '%s': its command ended with status %d",
                            p->hosts[host].name, code);
        if (clv_now_us() > end_us)
            return clv_fail(err, CLV_ETIMEOUT, "host '%s': port %lld does not answer",
                            p->hosts[host].name, (long long)port);
    }
    return CLV_OK;
}

/* Signals that ask us to end go to the front command; what follows is its decision. The terminal's
 * own (Ctrl-C) has reached it already. */
static void pass_signals_on(clv_lab *lab, pid_t front, const sigset_t *ours)
{
    siginfo_t info;
    while (sigtimedwait(ours, &info, &(struct timespec){0}) > 0)
        if (info.si_code != SI_KERNEL) clv_lab_signal(lab, front, info.si_signo);
}

/* A step of the trace gives rate and delay; jitter, loss and queue stay as the flags have them. */
static clv_status take_step(const plan *p, clv_lab *lab, const clv_link *link, clv_error *err)
{
    clv_shape_values step[CLV_DIRECTIONS];
    const clv_shape_values *flags[CLV_DIRECTIONS] = {&p->links[0].up, &p->links[0].down};
    clv_lab_link_values(link, &step[CLV_UP], &step[CLV_DOWN]);
    for (int d = 0; d < CLV_DIRECTIONS; d++) {
        step[d].jitter_us = flags[d]->jitter_us;
        step[d].queue_bytes = flags[d]->queue_bytes;
        if (link->up) step[d].loss = flags[d]->loss;
    }
    return clv_lab_set_link(lab, 0, &step[CLV_UP], &step[CLV_DOWN], err);
}

static clv_status follow(const plan *p, clv_lab *lab, pid_t front, const sigset_t *ours, int *code,
                         clv_error *err)
{
    int64_t begin_us = clv_now_us();
    size_t next = 0;
    for (;;) {
        int64_t now_us = clv_now_us() - begin_us, wait_us = TURN_US;
        for (; next < p->trace.n && p->trace.steps[next].at_us <= now_us; next++) {
            clv_status s = take_step(p, lab, &p->trace.steps[next].link, err);
            if (s) return s;
        }
        if (next < p->trace.n) wait_us = CLV_MIN(wait_us, p->trace.steps[next].at_us - now_us);
        clv_status s = clv_lab_wait(lab, front, wait_us, code, err);
        if (s != CLV_ETIMEOUT) return s;
        pass_signals_on(lab, front, ours);
    }
}

static clv_status run_commands(const plan *p, const run_options *o, clv_lab *lab, int *code,
                               clv_error *err)
{
    sigset_t ours;
    sigemptyset(&ours);
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < CLV_COUNT(numbers); i++) sigaddset(&ours, numbers[i]);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    pid_t pid = 0;
    for (size_t i = p->n; i-- > 0;) {
        if (p->commands[i] == NULL || i == p->front) continue;
        clv_status s = start(p, lab, i, &pid, err);
        if (s == CLV_OK && o->wait_port) s = wait_ready(p, lab, i, pid, o->wait_port, err);
        if (s) return s;
    }
    clv_status s = start(p, lab, p->front, &pid, err);
    return s ? s : follow(p, lab, pid, &ours, code, err);
}

static clv_status run_plan(const plan *p, const run_options *o, int *code, clv_error *err)
{
    CLV_AUTO(clv_text_free)
    char *name = o->name ? clv_strdup(o->name) : clv_format("%d", (int)getpid());
    CLV_AUTO(clv_text_free) char *control = clv_lab_control_path(name);
    clv_lab *lab;
    clv_status s = clv_lab_new(&(clv_lab_options){.hosts = p->hosts,
                                                  .links = p->links,
                                                  .n_hosts = p->n,
                                                  .n_links = p->n - 1,
                                                  .seed = (uint64_t)o->seed,
                                                  .congestion = o->congestion,
                                                  .keep_window = o->keep_window,
                                                  .control = control,
                                                  .transport = (clv_lab_transport)o->transport,
                                                  .loopback_allowed = true},
                               &lab, err);
    if (s) return s;
    if (!clv_lab_emulated(lab)) fprintf(stderr, "cleave lab: %s\n", clv_lab_note(lab));
    s = run_commands(p, o, lab, code, err);
    clv_lab_free(lab);
    return s;
}

clv_status clv_lab_run(clv_args *args, bool shell, clv_error *err)
{
    run_options o = {0};
    clv_lab_link_flags flags = {0};
    const clv_opt_set sets[] = {{run_opts, CLV_COUNT(run_opts), &o},
                                {clv_lab_link_opts, clv_lab_link_opts_n, &flags}};
    bool help;
    clv_status s =
        clv_cli_begin(shell ? &shell_about : &run_about, sets, CLV_COUNT(sets), args, &help, err);
    if (s || help) return s;
    plan p = {0};
    int code = 0;
    s = plan_hosts(&p, &o, err);
    if (s == CLV_OK) s = plan_links(&p, &flags, err);
    if (s == CLV_OK) s = plan_commands(&p, &o, args, shell, err);
    if (s == CLV_OK && o.trace) s = clv_lab_trace_read(o.trace, &p.trace, err);
    if (s == CLV_OK) s = run_plan(&p, &o, &code, err);
    plan_done(&p);
    clv_opt_done(sets, CLV_COUNT(sets));
    if (s) return s;
    fflush(stdout);
    if (code) exit(code); /* the command's own status, which may be any */
    return CLV_OK;
}
