#include "measure/profile_cache.h"

#include "base/file.h"
#include "base/mem.h"
#include "engine/slow.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *clv_profile_cache_dir(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache) return clv_format("%s/cleave/profiles", cache);
    return clv_format("%s/.cache/cleave/profiles", home && *home ? home : "/tmp");
}

static void scale_time(clv_time *t, double factor)
{
    t->us *= factor;
    t->sigma_us *= factor;
}

static void set_slowdown(clv_profile *p, double slowdown)
{
    double factor = slowdown / (p->slowdown > 0 ? p->slowdown : 1);
    for (size_t i = 0; i < p->n_cuts; i++) {
        scale_time(&p->cuts[i].prefix, factor);
        scale_time(&p->cuts[i].suffix, factor);
    }
    for (size_t i = 0; i < p->n_units; i++) p->units[i].us *= factor;
    p->slowdown = slowdown;
}

static char *cache_path(const char *dir, const char *digest, const char *engine_device, int threads)
{
    char device[64];
    snprintf(device, sizeof device, "%s", engine_device);
    for (char *c = device; *c; c++)
        if (!isalnum((unsigned char)*c)) *c = '-';
    return clv_format("%s/%.32s-%s-t%d.json", dir, digest, device, threads);
}

/* Is it this engine, however much slowed down? The slowdown is what is computed anew. */
static bool same_engine(const char *a, const char *b)
{
    const char *slow_a = strstr(a, CLV_SLOW_MARK), *slow_b = strstr(b, CLV_SLOW_MARK);
    size_t n = slow_a ? (size_t)(slow_a - a) : strlen(a),
           m = slow_b ? (size_t)(slow_b - b) : strlen(b);
    return n == m && strncmp(a, b, n) == 0;
}

static bool fits(const clv_profile *p, const clv_network *network, const clv_engine *engine,
                 int threads)
{
    return strcmp(p->digest, clv_network_digest(network)) == 0 && p->threads == threads &&
           same_engine(p->engine, engine->description) && p->n_cuts == clv_network_cuts(network)->n;
}

clv_status clv_profile_cache_find(const char *dir, clv_network *network, const clv_engine *engine,
                                  const clv_profiler_options *options, clv_profile **out,
                                  clv_error *err)
{
    CLV_AUTO(clv_text_free)
    char *path = cache_path(dir, clv_network_digest(network), engine->device, options->threads);
    clv_profile *p = NULL;
    if (clv_profile_read(path, &p, NULL) || !fits(p, network, engine, options->threads)) {
        clv_profile_free(p);
        return clv_fail(err, CLV_ENOTFOUND, "no profile of it is kept for this device");
    }
    set_slowdown(p, options->slowdown > 0 ? options->slowdown : 1);
    snprintf(p->engine, sizeof p->engine, "%s", engine->description);
    snprintf(p->model, sizeof p->model, "%s", options->model ? options->model : "");
    *out = p;
    return CLV_OK;
}

clv_status clv_profile_cache_get(const char *dir, clv_network *network, const clv_engine *engine,
                                 const clv_profiler_options *options,
                                 clv_profiler_progress progress, void *arg, clv_profile **out,
                                 clv_error *err)
{
    if (clv_profile_cache_find(dir, network, engine, options, out, NULL) == CLV_OK) return CLV_OK;
    CLV_AUTO(clv_text_free)
    char *path = cache_path(dir, clv_network_digest(network), engine->device, options->threads);
    clv_profile *p = NULL;
    clv_profile *old = NULL; /* kept, but it does not fit any more */
    if (clv_profile_read(path, &old, NULL)) old = NULL;
    clv_status status = clv_profiler_run(network, engine, options, progress, arg, &p, err);
    if (status == CLV_OK) {
        if (old) clv_profile_take_data(p, old); /* what was learnt of the network stays true */
        if (clv_profile_cache_put(dir, p, NULL) != CLV_OK) remove(path);
        *out = p;
    }
    clv_profile_free(old);
    return status;
}

clv_status clv_profile_cache_put(const char *dir, clv_profile *p, clv_error *err)
{
    double slowdown = p->slowdown > 0 ? p->slowdown : 1;
    CLV_AUTO(clv_text_free) char *path = cache_path(dir, p->digest, p->device, p->threads);
    clv_status s = clv_dir_make(dir, err);
    set_slowdown(p, 1);
    if (s == CLV_OK) s = clv_profile_write(path, p, err);
    set_slowdown(p, slowdown);
    return s;
}
