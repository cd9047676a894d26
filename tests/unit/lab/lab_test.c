/* A real lab: real namespaces, real TCP. Times are only checked from below: a link may never be
 * faster than it says; how exact it is says `cleave lab validate`. Where this machine allows no
 * namespaces the tests that need them are skipped, with the reason. */
#include "lab/lab.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lab/flow.h"
#include "unit.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY   65534
#define LIMIT_US 20000000

static const clv_lab_host two[] = {{.name = "edge"}, {.name = "cloud"}};

static clv_lab_link pair(double rate_bytes_per_s, int64_t delay_us)
{
    clv_shape_values v = {.rate_bytes_per_s = rate_bytes_per_s, .delay_us = delay_us};
    return (clv_lab_link){.from = 0, .to = 1, .up = v, .down = v};
}

static clv_lab *lab_or_skip(const clv_lab_options *o)
{
    clv_lab *lab = NULL;
    clv_error err = {0};
    clv_status s = clv_lab_new(o, &lab, &err);
    if (s == CLV_EDENIED) {
        print_message("skipped: %s\n", err.text);
        skip();
    }
    assert_ok(s, err);
    return lab;
}

static clv_lab *two_hosts(clv_lab_link link, clv_lab_transport transport)
{
    return lab_or_skip(&(clv_lab_options){
        .hosts = two, .n_hosts = 2, .links = &link, .n_links = 1, .transport = transport});
}

static double exchange_us(clv_lab *lab, size_t from, size_t to, clv_direction d, size_t bytes)
{
    clv_error err = {0};
    clv_flow flow;
    double took_us = 0;
    assert_ok(clv_flow_open(lab, from, to, &flow, &err), err);
    assert_ok(clv_flow_exchange(&flow, d, bytes, LIMIT_US, &took_us, &err), err);
    clv_flow_done(&flow);
    return took_us;
}

static void a_link_is_never_faster_than_it_says(clv_lab_transport transport)
{
    clv_lab *lab = two_hosts(pair(1e6, 10000), transport);
    clv_error err = {0};
    double up_us = exchange_us(lab, 0, 1, CLV_UP, 100000);
    double down_us = exchange_us(lab, 0, 1, CLV_DOWN, 50000);
    assert_true(up_us > 100000 + 20000);
    assert_true(down_us > 50000 + 20000);
    clv_lab_reply *state = clv_alloc(sizeof *state);
    assert_ok(clv_lab_state(lab, state, &err), err);
    assert_string_equal(state->links[0].name, "edge-cloud");
    assert_true(state->links[0].counts[CLV_UP].bytes >= 100000);
    assert_true(state->links[0].counts[CLV_DOWN].bytes >= 50000);
    free(state);
    clv_lab_free(lab);
}

static void tun_links_carry_tcp(void **state)
{
    (void)state;
    if (access("/dev/net/tun", R_OK | W_OK)) skip();
    a_link_is_never_faster_than_it_says(CLV_LAB_TUN);
}

static void packet_links_carry_tcp(void **state)
{
    (void)state;
    a_link_is_never_faster_than_it_says(CLV_LAB_PACKET);
}

static void fast_links_carry_large_pieces_whole(void **state)
{
    (void)state;
    for (clv_lab_transport t = CLV_LAB_AUTO; t <= CLV_LAB_PACKET; t += CLV_LAB_PACKET) {
        clv_lab *lab = two_hosts(pair(125e6, 500), t);
        clv_error err = {0};
        assert_true(exchange_us(lab, 0, 1, CLV_UP, 20000000) > 20000000 / 125.0 + 1000);
        clv_lab_reply *r = clv_alloc(sizeof *r);
        assert_ok(clv_lab_state(lab, r, &err), err);
        const clv_relay_counts *up = &r->links[0].counts[CLV_UP];
        assert_true(up->frames < up->packets / 2);                     /* GSO works */
        assert_true(up->packets >= 20000000 / CLV_FLOW_SEGMENT_BYTES); /* and is counted */
        free(r);
        clv_lab_free(lab);
    }
}

static void a_link_changes_while_it_runs(void **state)
{
    (void)state;
    clv_lab *lab = two_hosts(pair(125e6, 0), CLV_LAB_AUTO);
    clv_error err = {0};
    exchange_us(lab, 0, 1, CLV_UP, 1000);
    clv_shape_values slow = {.rate_bytes_per_s = 200e3, .delay_us = 30000};
    assert_ok(clv_lab_set_link(lab, 0, &slow, NULL, &err), err);
    assert_true(exchange_us(lab, 0, 1, CLV_UP, 40000) > 40000 / 0.2 + 30000);
    clv_shape_values bad = {.loss = 2};
    assert_int_equal(clv_lab_set_link(lab, 0, &bad, &bad, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "loss 2"));
    assert_int_equal(clv_lab_set_link(lab, 7, &slow, NULL, &err), CLV_ENOTFOUND);
    clv_lab_free(lab);
}

static void hosts_of_a_chain_reach_each_other(void **state)
{
    (void)state;
    const clv_lab_host hosts[] = {{.name = "edge"}, {.name = "gateway"}, {.name = "cloud"}};
    clv_lab_link links[] = {pair(125e6, 5000), pair(125e6, 20000)};
    links[1].from = 1, links[1].to = 2;
    clv_lab *lab =
        lab_or_skip(&(clv_lab_options){.hosts = hosts, .n_hosts = 3, .links = links, .n_links = 2});
    assert_true(exchange_us(lab, 0, 2, CLV_UP, 10000) > 50000);
    assert_true(exchange_us(lab, 0, 1, CLV_UP, 10000) > 10000);
    clv_lab_free(lab);
}

static void lost_packets_do_not_arrive(void **state)
{
    (void)state;
    clv_lab_link link = pair(0, 100);
    link.up.loss = 0.2;
    clv_lab *lab = two_hosts(link, CLV_LAB_AUTO);
    clv_error err = {0};
    clv_ping_result r;
    clv_ping_options o = {
        .from = 0, .to = 1, .count = 2000, .payload = 100, .gap_us = 50, .patience_us = 500000};
    assert_ok(clv_ping(lab, &o, &r, &err), err);
    assert_in_range(r.reached, 1500, 1700); /* 1600 ± 5.6 sigma; seeded */
    free(r.rtt_us);
    clv_lab_free(lab);
}

static int code_of(clv_lab *lab, size_t host, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    clv_error err = {0};
    pid_t pid;
    int code = -1;
    clv_lab_command c = {.argv = argv, .out_fd = -1, .err_fd = -1};
    assert_ok(clv_lab_spawn(lab, host, &c, &pid, &err), err);
    assert_ok(clv_lab_wait(lab, pid, LIMIT_US, &code, &err), err);
    return code;
}

static void commands_know_where_they_are(void **state)
{
    (void)state;
    const clv_lab_host hosts[] = {{.name = "edge", .slowdown = 4, .cpus = "0"}, {.name = "cloud"}};
    clv_lab_link link = pair(0, 0);
    clv_lab *lab =
        lab_or_skip(&(clv_lab_options){.hosts = hosts, .n_hosts = 2, .links = &link, .n_links = 1});
    assert_int_equal(code_of(lab, 0, "exit 7"), 7);
    assert_int_equal(code_of(lab, 0, "kill -9 $$"), 128 + SIGKILL);
    assert_int_equal(code_of(lab, 0,
                             "test $CLEAVE_LAB_NAME = edge -a $CLEAVE_LAB_SELF = 100.64.0.1 -a "
                             "$CLEAVE_LAB_PEER = 100.64.0.2 -a $CLEAVE_SLOWDOWN = 4"),
                     0);
    assert_int_equal(code_of(lab, 1, "test -z \"$CLEAVE_SLOWDOWN\" -a -d /sys/class/net"), 0);
    assert_int_equal(code_of(lab, 0, "grep -q '^Cpus_allowed_list:.0$' /proc/self/status"), 0);
    assert_int_equal(code_of(lab, 1, "grep -q ' edge:' /proc/net/dev"), 0);
    clv_error err = {0};
    pid_t pid;
    const char *argv[] = {"no-such-program", NULL};
    clv_lab_command c = {.argv = argv, .out_fd = -1, .err_fd = -1};
    assert_int_equal(clv_lab_spawn(lab, 0, &c, &pid, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "no-such-program"));
    clv_lab_free(lab);
}

/* Ends when all ends of the pipe's other side are closed: that is, when every process that
 * inherited it is gone. */
static bool all_gone(int pipe_fd)
{
    struct pollfd p = {.fd = pipe_fd, .events = POLLIN};
    char byte;
    return poll(&p, 1, 15000) == 1 && read(pipe_fd, &byte, 1) == 0;
}

static void spawn_stubborn(clv_lab *lab, int out_fd)
{
    /* A child that ignores SIGTERM, and a daemon that has left it. */
    const char *argv[] = {
        "sh", "-c", "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo; sleep 600' & sleep 600",
        NULL};
    clv_lab_command c = {.argv = argv, .out_fd = out_fd, .err_fd = -1};
    pid_t pid;
    clv_error err = {0};
    assert_ok(clv_lab_spawn(lab, 0, &c, &pid, &err), err);
}

static void freeing_a_lab_ends_all_in_it(void **state)
{
    (void)state;
    int fds[2];
    char byte;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    clv_lab *lab = two_hosts(pair(0, 0), CLV_LAB_AUTO);
    spawn_stubborn(lab, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    clv_lab_free(lab);
    assert_true(all_gone(fds[0]));
    close(fds[0]);
}

static void killing_the_owner_ends_all_in_the_lab(void **state)
{
    (void)state;
    clv_lab_free(two_hosts(pair(0, 0), CLV_LAB_AUTO)); /* skips here, not in the child */
    int fds[2];
    char byte;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t owner = fork();
    if (owner == 0) {
        clv_lab *lab = two_hosts(pair(0, 0), CLV_LAB_AUTO);
        spawn_stubborn(lab, fds[1]);
        for (;;) pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    kill(owner, SIGKILL);
    waitpid(owner, NULL, 0);
    assert_true(all_gone(fds[0]));
    close(fds[0]);
}

/* Run `body` in a forked child without rights; its exit status. 77 means skipped. */
static int as_nobody(int (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
                               setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_DUMPABLE, 1)))
            _exit(99);
        _exit(body());
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int lab_without_rights(void)
{
    clv_lab_link link = pair(1e6, 10000);
    clv_lab_options o = {.hosts = two, .n_hosts = 2, .links = &link, .n_links = 1};
    clv_lab *lab;
    clv_error err = {0};
    clv_status s = clv_lab_new(&o, &lab, &err);
    if (s) fprintf(stderr, "%s\n", err.text);
    if (s == CLV_EDENIED) return 77;
    if (s) return 1;
    if (strstr(clv_lab_note(lab), "user namespace") == NULL) return 2;
    clv_flow flow;
    double took_us = 0;
    if (clv_flow_open(lab, 0, 1, &flow, &err) ||
        clv_flow_exchange(&flow, CLV_UP, 50000, LIMIT_US, &took_us, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    clv_flow_done(&flow);
    const char *argv[] = {"sh", "-c", "test $(id -u) = \"$0\" && grep -q cloud: /proc/net/dev",
                          geteuid() == NOBODY ? "65534" : "", NULL};
    pid_t pid;
    int code = -1;
    clv_lab_command c = {.argv = argv, .out_fd = -1, .err_fd = -1};
    if (geteuid() == NOBODY && (clv_lab_spawn(lab, 0, &c, &pid, &err) ||
                                clv_lab_wait(lab, pid, LIMIT_US, &code, &err) || code))
        return 4;
    clv_lab_free(lab);
    return took_us > 50000 + 20000 ? 0 : 5;
}

static void an_ordinary_user_has_labs_too(void **state)
{
    (void)state;
    int code = as_nobody(lab_without_rights);
    if (code == 77) skip();
    assert_int_equal(code, 0);
}

/* In a user namespace of its own that allows no network namespaces: nobody else is affected. */
static int lab_where_none_is_allowed(void)
{
    char map[64];
    int uid = (int)geteuid();
    if (unshare(CLONE_NEWUSER)) return 77;
    int fd = open("/proc/self/uid_map", O_WRONLY);
    snprintf(map, sizeof map, "0 %d 1", uid);
    if (write(fd, map, strlen(map)) < 0) return 77;
    close(fd);
    fd = open("/proc/sys/user/max_net_namespaces", O_WRONLY);
    if (fd < 0 || write(fd, "0", 1) != 1) return 77;
    close(fd);
    clv_lab_link link = pair(1e6, 10000);
    clv_lab_options o = {.hosts = two, .n_hosts = 2, .links = &link, .n_links = 1};
    clv_lab *lab;
    clv_error err = {0};
    if (clv_lab_new(&o, &lab, &err) != CLV_EDENIED) return 1;
    if (!strstr(err.text, "no rights for network namespaces")) return 2;
    o.loopback_allowed = true;
    if (clv_lab_new(&o, &lab, &err) || clv_lab_emulated(lab)) return 3;
    if (!strstr(clv_lab_note(lab), "running on plain loopback")) return 4;
    if (strcmp(clv_lab_address(lab, 1), "127.64.0.2") != 0) return 5;
    clv_flow flow;
    double took_us = 0;
    if (clv_flow_open(lab, 0, 1, &flow, &err) ||
        clv_flow_exchange(&flow, CLV_UP, 50000, LIMIT_US, &took_us, &err))
        return 6;
    clv_flow_done(&flow);
    clv_lab_free(lab);
    return 0;
}

static void without_namespaces_it_is_plain_loopback(void **state)
{
    (void)state;
    int code = as_nobody(lab_where_none_is_allowed);
    if (code == 77) skip();
    assert_int_equal(code, 0);
}

static void impossible_labs_are_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_lab *lab;
    const clv_lab_host same[] = {{.name = "a"}, {.name = "a"}}, lo[] = {{.name = "lo"}},
                       lengthy[] = {{.name = "sixteen-letters-"}}, path[] = {{.name = "a/b"}};
    const clv_lab_host *names[] = {same, lo, lengthy, path};
    for (size_t i = 0; i < 4; i++) {
        clv_lab_options o = {.hosts = names[i], .n_hosts = i ? 1 : 2};
        assert_int_equal(clv_lab_new(&o, &lab, &err), CLV_EINVAL);
    }
    clv_lab_link self = {.from = 1, .to = 1}, far = {.from = 0, .to = 2};
    clv_lab_link twice[] = {{.from = 0, .to = 1}, {.from = 1, .to = 0}};
    clv_lab_options o = {.hosts = two, .n_hosts = 2, .links = &self, .n_links = 1};
    assert_int_equal(clv_lab_new(&o, &lab, &err), CLV_EINVAL);
    o.links = &far;
    assert_int_equal(clv_lab_new(&o, &lab, &err), CLV_EINVAL);
    o.links = twice, o.n_links = 2;
    assert_int_equal(clv_lab_new(&o, &lab, &err), CLV_EINVAL);
    o.n_hosts = CLV_LAB_HOSTS_MAX + 1;
    assert_int_equal(clv_lab_new(&o, &lab, &err), CLV_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tun_links_carry_tcp),
        cmocka_unit_test(packet_links_carry_tcp),
        cmocka_unit_test(fast_links_carry_large_pieces_whole),
        cmocka_unit_test(a_link_changes_while_it_runs),
        cmocka_unit_test(hosts_of_a_chain_reach_each_other),
        cmocka_unit_test(lost_packets_do_not_arrive),
        cmocka_unit_test(commands_know_where_they_are),
        cmocka_unit_test(freeing_a_lab_ends_all_in_it),
        cmocka_unit_test(killing_the_owner_ends_all_in_the_lab),
        cmocka_unit_test(an_ordinary_user_has_labs_too),
        cmocka_unit_test(without_namespaces_it_is_plain_loopback),
        cmocka_unit_test(impossible_labs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
