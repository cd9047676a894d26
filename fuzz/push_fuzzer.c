/* The body of a pushed model: heads and files, in two pieces. Nothing may be written outside the
 * push's own folder, and nothing of it may stay. */
#include "base/file.h"
#include "base/mem.h"
#include "engine/fake.h"
#include "serve/server.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

typedef struct rig {
    char *folder, *models;
    clv_server *server;
} rig;

/* Made once; it lives as long as the process. */
static const rig *the_rig(void)
{
    static rig r;
    if (r.server) return &r;
    clv_server_options o = {.accept_push = true};
    if (clv_dir_temp("push-fuzz", &r.folder, NULL)) abort();
    o.models = r.models = clv_path_join(r.folder, "models");
    o.profiles = r.folder;
    if (clv_dir_make(r.models, NULL)) abort();
    if (clv_server_new(&o, clv_loop_new(), clv_fake_engine_new(&(clv_fake_options){0}),
                       clv_lane_new("compute", 8, -1), &r.server, NULL))
        abort();
    return &r;
}

static void check_folder(const char *path, int expected)
{
    int n = 0;
    DIR *d = opendir(path);
    if (!d) abort();
    while (readdir(d)) n++;
    closedir(d);
    if (n != expected + 2) abort(); /* and "." and ".." */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const rig *r = the_rig();
    clv_model_push *p;
    if (clv_server_push_begin(r->server, "m", "1", digest, &p, NULL)) abort();
    clv_error err = {0};
    if (!clv_model_push_write(p, data, n / 2, &err))
        (void)!clv_model_push_write(p, data + n / 2, n - n / 2, &err);
    check_folder(r->folder, 1);
    check_folder(r->models, 1);
    clv_model_push_abort(p);
    check_folder(r->models, 0);
    return 0;
}
