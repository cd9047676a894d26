#include "lab/commands.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "lab/netns.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 1024

void clv_environment_add(clv_environment *e, const char *name_value)
{
    size_t name = strcspn(name_value, "=") + 1;
    for (size_t i = 0; i < e->n; i++)
        if (strncmp(e->items[i], name_value, name) == 0) return;
    clv_grow(&e->items, &e->cap, e->n + 2, sizeof *e->items);
    e->items[e->n++] = clv_strdup(name_value);
    e->items[e->n] = NULL;
}

void clv_environment_set(clv_environment *e, const char *name, const char *value)
{
    CLV_AUTO(clv_text_free) char *text = clv_format("%s=%s", name, value);
    clv_environment_add(e, text);
}

void clv_environment_inherit(clv_environment *e)
{
    for (char **p = environ; p && *p; p++) clv_environment_add(e, *p);
}

void clv_environment_done(clv_environment *e)
{
    for (size_t i = 0; i < e->n; i++) free(e->items[i]);
    free(e->items);
}

void clv_commands_init(clv_commands *c)
{
    *c = (clv_commands){.user_fd = -1};
    for (size_t i = 0; i < CLV_COUNT(c->host_fds); i++) c->host_fds[i] = -1;
}

void clv_commands_set_spaces(clv_commands *c, const int *host_fds, size_t n, int user_fd)
{
    for (size_t i = 0; i < n; i++) c->host_fds[i] = host_fds[i];
    c->user_fd = user_fd;
}

/* "0", "2-3,5" */
static clv_status parse_cpus(const char *text, cpu_set_t *set, clv_error *err)
{
    CPU_ZERO(set);
    const char *p = text;
    do {
        char *end;
        unsigned long from = strtoul(p, &end, 10), to = from;
        bool good = *p >= '0' && *p <= '9';
        if (good && *end == '-') {
            p = end + 1;
            good = *p >= '0' && *p <= '9';
            to = strtoul(p, &end, 10);
        }
        if (!good || from > to || to >= CPUS_MAX || (*end && *end != ','))
            return clv_fail(err, CLV_EINVAL, "processors '%s': '0' or '2-3,5' are possible", text);
        for (unsigned long i = from; i <= to; i++) CPU_SET(i, set);
        p = end + (*end == ',');
        if (*end == ',' && !*p)
            return clv_fail(err, CLV_EINVAL, "processors '%s': '0' or '2-3,5' are possible", text);
    } while (*p);
    return CLV_OK;
}

/* What the child needs, prepared before the fork: between fork and exec only async-signal-safe
 * calls are allowed. */
typedef struct start {
    const clv_lab_command *command;
    char **env;
    int netns_fd, user_fd, report_fd;
    pid_t parent;
    const cpu_set_t *cpus;
} start;

_Noreturn static void become(const start *s)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    bool ok = (s->user_fd < 0 || setns(s->user_fd, CLONE_NEWUSER) == 0) &&
              (s->netns_fd < 0 || clv_netns_enter(s->netns_fd) == 0) &&
              (s->cpus == NULL || sched_setaffinity(0, sizeof *s->cpus, s->cpus) == 0) &&
              (s->command->out_fd < 0 || dup2(s->command->out_fd, STDOUT_FILENO) >= 0) &&
              (s->command->err_fd < 0 || dup2(s->command->err_fd, STDERR_FILENO) >= 0);
    /* After the user namespace: entering one clears it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != s->parent) _exit(127);
    if (ok) execvpe(s->command->argv[0], (char *const *)(uintptr_t)s->command->argv, s->env);
    int code = errno;
    (void)!write(s->report_fd, &code, sizeof code);
    _exit(127);
}

static clv_status launch(const start *s, int report, pid_t *pid, clv_error *err)
{
    *pid = fork();
    if (*pid == 0) become(s);
    int failed = s->report_fd;
    clv_fd_close(&failed);
    if (*pid < 0) return clv_fail_errno(err, "fork");
    int code;
    ssize_t n;
    do n = read(report, &code, sizeof code);
    while (n < 0 && errno == EINTR);
    if (n != sizeof code) return CLV_OK; /* closed by exec */
    waitpid(*pid, NULL, 0);
    errno = code;
    return clv_fail_errno(err, "cannot run '%s'", s->command->argv[0]);
}

clv_status clv_commands_start(clv_commands *c, size_t host, const char *cpus,
                              const clv_environment *env, const clv_lab_command *command,
                              pid_t *pid, clv_error *err)
{
    cpu_set_t set;
    clv_status s = cpus ? parse_cpus(cpus, &set, err) : CLV_OK;
    if (s) return s;
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC)) return clv_fail_errno(err, "pipe");
    CLV_AUTO(clv_fd_close) int report = pipes[0];
    start how = {.command = command,
                 .env = env->items,
                 .netns_fd = c->host_fds[host],
                 .user_fd = c->user_fd,
                 .report_fd = pipes[1],
                 .parent = getpid(),
                 .cpus = cpus ? &set : NULL};
    pid_t child;
    s = launch(&how, report, &child, err);
    if (s) return s;
    clv_grow(&c->running, &c->cap, c->n + 1, sizeof *c->running);
    c->running[c->n++] = (struct clv_running){.pid = child, .pid_fd = pidfd_open(child, 0)};
    *pid = child;
    return CLV_OK;
}

static void forget(clv_commands *c, size_t i)
{
    clv_fd_close(&c->running[i].pid_fd);
    c->running[i] = c->running[--c->n];
}

clv_status clv_commands_wait(clv_commands *c, pid_t pid, int64_t timeout_us, int *code,
                             clv_error *err)
{
    size_t i = 0;
    while (i < c->n && c->running[i].pid != pid) i++;
    if (i == c->n) return clv_fail(err, CLV_ENOTFOUND, "process %d: not of this lab", (int)pid);
    int64_t end_us = clv_now_us() + timeout_us;
    for (;;) {
        struct pollfd p = {.fd = c->running[i].pid_fd, .events = POLLIN};
        int64_t left_us = CLV_MAX(end_us - clv_now_us(), 0);
        struct timespec t = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
        int n = ppoll(&p, 1, timeout_us < 0 ? NULL : &t, NULL);
        if (n > 0) break;
        if (n == 0) return clv_fail(err, CLV_ETIMEOUT, "process %d: still runs", (int)pid);
        if (errno != EINTR) return clv_fail_errno(err, "process %d", (int)pid);
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) return clv_fail_errno(err, "process %d", (int)pid);
    *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    forget(c, i);
    return CLV_OK;
}

void clv_commands_signal(clv_commands *c, pid_t pid, int number)
{
    for (size_t i = 0; i < c->n; i++)
        if (pid == 0 || c->running[i].pid == pid)
            (void)!pidfd_send_signal(c->running[i].pid_fd, number, NULL, 0);
}

void clv_commands_done(clv_commands *c, int64_t grace_us)
{
    clv_commands_signal(c, 0, SIGTERM);
    int64_t end_us = clv_now_us() + grace_us;
    while (c->n) {
        int code;
        pid_t pid = c->running[c->n - 1].pid;
        int64_t left_us = CLV_MAX(end_us - clv_now_us(), 0);
        clv_status s = clv_commands_wait(c, pid, left_us, &code, NULL);
        if (s == CLV_ETIMEOUT) {
            clv_commands_signal(c, pid, SIGKILL);
            s = clv_commands_wait(c, pid, -1, &code, NULL);
        }
        if (s) forget(c, c->n - 1); /* somebody else has reaped it */
    }
    free(c->running);
    for (size_t i = 0; i < CLV_COUNT(c->host_fds); i++) clv_fd_close(&c->host_fds[i]);
    clv_fd_close(&c->user_fd);
}
