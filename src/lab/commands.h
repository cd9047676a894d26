/* The commands of a lab: child processes of the caller that live in the hosts' namespaces. */
#ifndef CLV_LAB_COMMANDS_H
#define CLV_LAB_COMMANDS_H

#include "lab/lab.h"

/* NAME=VALUE texts; the first of a name wins. Zeroed is empty. */
typedef struct clv_environment {
    char **items; /* NULL-terminated, owned */
    size_t n, cap;
} clv_environment;

void clv_environment_set(clv_environment *e, const char *name, const char *value);
void clv_environment_add(clv_environment *e, const char *name_value);
void clv_environment_inherit(clv_environment *e); /* the rest from this process */
void clv_environment_done(clv_environment *e);

typedef struct clv_commands {
    struct clv_running {
        pid_t pid;
        int pid_fd;
    } * running;
    size_t n, cap;
    int host_fds[CLV_LAB_HOSTS_MAX]; /* -1: this process's own namespace */
    int user_fd;
} clv_commands;

void clv_commands_init(clv_commands *c);
/* Takes the descriptors. */
void clv_commands_set_spaces(clv_commands *c, const int *host_fds, size_t n, int user_fd);
/* SIGTERM to all, SIGKILL to what is left after `grace_us`, reap. */
void clv_commands_done(clv_commands *c, int64_t grace_us);

/* `cpus`: see clv_lab_host. */
CLV_MUST
clv_status clv_commands_start(clv_commands *c, size_t host, const char *cpus,
                              const clv_environment *env, const clv_lab_command *command,
                              pid_t *pid, clv_error *err);
CLV_MUST
clv_status clv_commands_wait(clv_commands *c, pid_t pid, int64_t timeout_us, int *code,
                             clv_error *err);
void clv_commands_signal(clv_commands *c, pid_t pid, int number);

#endif
