#include "lab/build.h"

#include "base/fd.h"
#include "base/mem.h"
#include "lab/keeper.h"
#include "lab/netcfg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define BURST_S       250e-6
#define GSO_OFF_BYTES 2000 /* below two segments: every packet comes alone */
#define GSO_MAX_BYTES 65536
#define ADDRESS_BASE  0x64400001u /* 100.64.0.1, RFC 6598: shared address space */

uint32_t clv_keeper_address(size_t host)
{
    return htonl(ADDRESS_BASE + (uint32_t)host);
}

size_t clv_build_first_link(const clv_lab_options *o, size_t from, size_t to)
{
    /* Breadth first from the goal: the first neighbour of `from` that is reached is on the way. */
    size_t queue[CLV_LAB_HOSTS_MAX], n = 0;
    bool seen[CLV_LAB_HOSTS_MAX] = {false};
    queue[n++] = to;
    seen[to] = true;
    for (size_t q = 0; q < n; q++)
        for (size_t i = 0; i < o->n_links; i++) {
            const clv_lab_link *l = &o->links[i];
            if (l->from != queue[q] && l->to != queue[q]) continue;
            size_t next = l->from == queue[q] ? l->to : l->from;
            if (next == from) return i;
            if (!seen[next]) queue[n++] = next;
            seen[next] = true;
        }
    return o->n_links;
}

static clv_status enter(int fd, clv_error *err)
{
    return clv_netns_enter(fd) ? clv_fail_errno(err, "entering a network namespace") : CLV_OK;
}

static clv_status new_host(const clv_lab_options *o, size_t host, int *fd, clv_error *err)
{
    size_t links = 0;
    for (size_t i = 0; i < o->n_links; i++)
        links += o->links[i].from == host || o->links[i].to == host;
    clv_status s = clv_netns_new(fd, err);
    if (s == CLV_OK) s = clv_netcfg_up("lo", 0, err);
    if (s == CLV_OK && links > 1) s = clv_netns_sysctl("ipv4/ip_forward", "1", err);
    if (s == CLV_OK && o->keep_window)
        s = clv_netns_sysctl("ipv4/tcp_slow_start_after_idle", "0", err);
    return s;
}

/* The end of a link in `host`: interface named after the host on the other side. */
static clv_status new_port(clv_build *b, size_t link, size_t host, clv_port *port, clv_error *err)
{
    const clv_lab_link *l = &b->options->links[link];
    const char *name = b->options->hosts[l->from == host ? l->to : l->from].name;
    char side[CLV_LAB_NAME_MAX];
    snprintf(side, sizeof side, "port%zu", 2 * link + (l->to == host));
    clv_status s = enter(b->tun ? b->host_fds[host] : b->relay_fd, err);
    if (s) return s;
    s = b->tun ? clv_port_open_tun(name, port, err)
               : clv_port_open_packet(name, side, b->host_fds[host], port, err);
    if (s == CLV_OK) s = enter(b->host_fds[host], err);
    if (s == CLV_OK) s = clv_netcfg_up(name, CLV_PORT_MTU, err);
    if (s == CLV_OK) s = clv_netcfg_address(name, clv_keeper_address(host), err);
    return s;
}

static clv_status new_link(clv_build *b, size_t link, clv_error *err)
{
    const clv_lab_link *l = &b->options->links[link];
    clv_port from = {.fd = -1}, to = {.fd = -1};
    clv_status s = new_port(b, link, l->from, &from, err);
    if (s == CLV_OK) s = new_port(b, link, l->to, &to, err);
    if (s) {
        clv_port_done(&from);
        return s;
    }
    clv_relay_add(b->relay, from, to, &l->up, &l->down);
    return clv_build_tune(b, link, err);
}

static clv_status new_routes(clv_build *b, size_t host, clv_error *err)
{
    const clv_lab_options *o = b->options;
    const char *congestion = o->congestion ? o->congestion : CLV_LAB_CONGESTION_DEFAULT;
    clv_status s = enter(b->host_fds[host], err);
    for (size_t to = 0; to < o->n_hosts && s == CLV_OK; to++) {
        size_t link = to == host ? o->n_links : clv_build_first_link(o, host, to);
        if (link == o->n_links) continue;
        const clv_lab_link *l = &o->links[link];
        const char *via = o->hosts[l->from == host ? l->to : l->from].name;
        s = clv_netcfg_route(via, clv_keeper_address(to), congestion, err);
    }
    return s;
}

/* TUN where it can be had: it is the shorter way. */
static bool want_tun(const clv_lab_options *o)
{
    if (o->transport != CLV_LAB_AUTO) return o->transport == CLV_LAB_TUN;
    return access("/dev/net/tun", R_OK | W_OK) == 0;
}

clv_status clv_build_up(const clv_lab_options *o, clv_build *b, clv_error *err)
{
    *b = (clv_build){.options = o, .user_fd = -1, .relay_fd = -1, .tun = want_tun(o)};
    clv_status s = clv_netns_isolate(&b->user_fd, err);
    if (s == CLV_OK) s = clv_netns_current(&b->relay_fd, err);
    for (size_t i = 0; i < o->n_hosts && s == CLV_OK; i++) s = new_host(o, i, &b->host_fds[i], err);
    if (s == CLV_OK) b->relay = clv_relay_new(o->seed);
    for (size_t i = 0; i < o->n_links && s == CLV_OK; i++) s = new_link(b, i, err);
    for (size_t i = 0; i < o->n_hosts && s == CLV_OK; i++) s = new_routes(b, i, err);
    return s == CLV_OK ? enter(b->relay_fd, err) : s;
}

static uint32_t gso_bytes(const clv_shape_values *v)
{
    if (v->loss > 0) return GSO_OFF_BYTES;
    double burst = v->rate_bytes_per_s > 0 ? v->rate_bytes_per_s * BURST_S : GSO_MAX_BYTES;
    return (uint32_t)CLV_MIN(CLV_MAX(burst, GSO_OFF_BYTES), GSO_MAX_BYTES);
}

clv_status clv_build_tune(clv_build *b, size_t link, clv_error *err)
{
    const clv_lab_options *o = b->options;
    size_t ends[CLV_DIRECTIONS] = {o->links[link].from, o->links[link].to};
    clv_status s = CLV_OK;
    for (int d = 0; d < CLV_DIRECTIONS && s == CLV_OK; d++) {
        s = enter(b->host_fds[ends[d]], err);
        if (s == CLV_OK)
            s = clv_netcfg_gso_max(o->hosts[ends[!d]].name,
                                   gso_bytes(clv_relay_values(b->relay, link, (clv_direction)d)),
                                   err);
    }
    clv_status back = enter(b->relay_fd, err);
    return s ? s : back;
}
