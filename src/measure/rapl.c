#include "measure/rapl.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 };
#define PREFIX "intel-rapl:"

/* The first line of a small file. */
static clv_status read_line(const char *path, char *out, size_t size, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status s = clv_file_read(path, FILE_MAX, &text, err);
    if (s != CLV_OK) return s;
    size_t n = text.len ? strcspn(text.data, "\n") : 0;
    snprintf(out, size, "%.*s", (int)n, n ? text.data : "");
    return CLV_OK;
}

static clv_status read_counter(const char *path, uint64_t *out, clv_error *err)
{
    char line[FILE_MAX + 1];
    int64_t value;
    if (access(path, R_OK) != 0 && errno == EACCES)
        return clv_fail(err, CLV_EDENIED, "'%s' may not be read: run as root, or chmod a+r it",
                        path);
    if (read_line(path, line, sizeof line, err)) return err ? err->status : CLV_EIO;
    if (clv_parse_int(line, &value, NULL))
        return clv_fail(err, CLV_EPROTO, "'%s' has '%.40s', it should be a number", path, line);
    *out = (uint64_t)value;
    return CLV_OK;
}

/* Adds ROOT/FOLDER if it is a package. */
static clv_status add_domain(clv_rapl *r, const char *root, const char *folder, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *name_path = clv_format("%s/%s/name", root, folder);
    CLV_AUTO(clv_text_free)
    char *range_path = clv_format("%s/%s/max_energy_range_uj", root, folder);
    char name[FILE_MAX + 1];
    clv_status s = read_line(name_path, name, sizeof name, err);
    if (s != CLV_OK || strncmp(name, "package", 7) != 0) return s;
    if (r->n == CLV_RAPL_PACKAGES_MAX)
        return clv_fail(err, CLV_ELIMIT, "'%s': more than %d packages", root,
                        CLV_RAPL_PACKAGES_MAX);
    int n = snprintf(r->paths[r->n], CLV_RAPL_PATH_MAX, "%s/%s/energy_uj", root, folder);
    if (n >= CLV_RAPL_PATH_MAX)
        return clv_fail(err, CLV_ELIMIT, "'%.100s...': a path of %d bytes", root, n);
    s = read_counter(range_path, &r->range_uj[r->n], err);
    if (s == CLV_OK) s = read_counter(r->paths[r->n], &r->last_uj[r->n], err);
    if (s == CLV_OK && r->range_uj[r->n] == 0)
        s = clv_fail(err, CLV_EPROTO, "'%s' is 0, a counter has a range", range_path);
    if (s == CLV_OK) r->n++;
    return s;
}

/* "intel-rapl:0", not "intel-rapl:0:1", which is a part of it. */
static bool is_domain(const char *folder)
{
    return strncmp(folder, PREFIX, strlen(PREFIX)) == 0 && !strchr(folder + strlen(PREFIX), ':');
}

clv_status clv_rapl_open(const char *root, clv_rapl *out, clv_error *err)
{
    clv_rapl r = {0};
    if (!root) root = CLV_RAPL_ROOT;
    DIR *dir = opendir(root);
    clv_status s = CLV_OK;
    for (struct dirent *e; dir && s == CLV_OK && (e = readdir(dir));)
        if (is_domain(e->d_name)) s = add_domain(&r, root, e->d_name, err);
    if (dir) closedir(dir);
    if (s == CLV_OK && r.n == 0)
        s = clv_fail(err, CLV_EUNSUPPORTED, "'%s' has no energy counter of a processor", root);
    if (s == CLV_OK) *out = r;
    return s;
}

uint64_t clv_rapl_step_uj(uint64_t last_uj, uint64_t now_uj, uint64_t range_uj)
{
    if (now_uj >= last_uj) return now_uj - last_uj;
    return range_uj > last_uj ? range_uj - last_uj + now_uj : now_uj;
}

clv_status clv_rapl_add(clv_rapl *r, clv_error *err)
{
    for (size_t i = 0; i < r->n; i++) {
        uint64_t now = 0;
        clv_status s = read_counter(r->paths[i], &now, err);
        if (s != CLV_OK) return s;
        r->joules += (double)clv_rapl_step_uj(r->last_uj[i], now, r->range_uj[i]) * 1e-6;
        r->last_uj[i] = now;
    }
    return CLV_OK;
}

static clv_status watts_of(clv_rapl *r, const clv_rapl_plan *plan,
                           clv_status (*step)(void *, clv_error *), int64_t for_us, double *watts,
                           clv_error *err)
{
    clv_status s = clv_rapl_add(r, err);
    double from_j = r->joules;
    int64_t from_us = plan->now_us(plan->arg), us = 0;
    while (s == CLV_OK && us < for_us) {
        s = step(plan->arg, err);
        if (s == CLV_OK) s = clv_rapl_add(r, err);
        us = plan->now_us(plan->arg) - from_us;
    }
    if (s == CLV_OK && us > 0) *watts = (r->joules - from_j) * 1e6 / (double)us;
    return s;
}

clv_status clv_rapl_power(clv_rapl *r, const clv_rapl_plan *plan, clv_power *out, clv_error *err)
{
    double idle_w = 0, active_w = 0;
    clv_status s = watts_of(r, plan, plan->rest, plan->rest_us, &idle_w, err);
    if (s == CLV_OK) s = watts_of(r, plan, plan->work, plan->work_us, &active_w, err);
    if (s != CLV_OK) return s;
    if (active_w <= 0 || active_w > CLV_POWER_W_MAX || idle_w > CLV_POWER_W_MAX)
        return clv_fail(
            err, CLV_EUNSUPPORTED,
            "the energy counters tell %g W at rest and %g W at work: they cannot be used", idle_w,
            active_w);
    *out = clv_power_measured(idle_w, active_w, plan->cores);
    return CLV_OK;
}
