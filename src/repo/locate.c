#include "repo/locate.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODEL_FILE "model.onnx"
enum { VERSION_DIGITS_MAX = 18 };

int64_t clv_version_parse(const char *text)
{
    size_t n = strspn(text, "0123456789");
    if (n == 0 || text[n] || n > VERSION_DIGITS_MAX || text[0] == '0') return 0;
    return (int64_t)strtoll(text, NULL, 10);
}

void clv_located_done(clv_located *at)
{
    if (!at) return;
    free(at->path);
    free(at->name);
    *at = (clv_located){0};
}

static bool is_dir(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}

static char *join3(const char *a, const char *b, const char *c)
{
    return clv_format("%s/%s/%s", a, b, c);
}

/* The last part of a path, without trailing slashes; "." and ".." are resolved first. Heap text. */
static char *last_part(const char *path)
{
    CLV_AUTO(clv_text_free) char *full = realpath(path, NULL);
    const char *from = full ? full : path;
    const char *slash = strrchr(from, '/');
    return clv_strdup(slash ? slash + 1 : from);
}

static char *parent(const char *path)
{
    return clv_format("%s/..", path);
}

/* "…/resnet18/2" is version 2 of resnet18 if it is such a directory; else `version` is 0. */
static void name_from_version_dir(const char *dir, clv_located *at)
{
    CLV_AUTO(clv_text_free) char *last = last_part(dir);
    at->version = clv_version_parse(last);
    if (!at->version) return;
    CLV_AUTO(clv_text_free) char *up = parent(dir);
    at->name = last_part(up);
}

static void locate_file(const char *file, clv_located *at)
{
    at->path = clv_strdup(file);
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    if (strcmp(base, MODEL_FILE) == 0) {
        CLV_AUTO(clv_text_free)
        char *dir = slash ? clv_strndup(file, (size_t)(slash - file)) : clv_strdup(".");
        name_from_version_dir(*dir ? dir : "/", at);
        if (at->name) return;
    }
    size_t n = strlen(base);
    if (n > 5 && strcmp(base + n - 5, ".onnx") == 0) n -= 5;
    at->name = clv_strndup(base, n);
}

/* The largest version in `dir` that holds a model, 0 if there is none. */
static int64_t newest(const char *dir)
{
    int64_t best = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    for (const struct dirent *e; (e = readdir(d));) {
        int64_t v = clv_version_parse(e->d_name);
        if (v <= best) continue;
        CLV_AUTO(clv_text_free) char *file = join3(dir, e->d_name, MODEL_FILE);
        if (is_file(file)) best = v;
    }
    closedir(d);
    return best;
}

/* Some model below `dir`, as a repository has them: its name as heap text; NULL: none. */
static char *some_model(const char *dir)
{
    char *name = NULL;
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && !name && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        CLV_AUTO(clv_text_free) char *below = clv_path_join(dir, e->d_name);
        if (newest(below)) name = clv_strdup(e->d_name);
    }
    if (d) closedir(d);
    return name;
}

/* Why there is no model in this directory. */
static clv_status no_version(const char *dir, clv_error *err)
{
    if (access(dir, R_OK | X_OK)) return clv_fail_errno(err, "model '%s'", dir);
    CLV_AUTO(clv_text_free) char *name = some_model(dir);
    if (name)
        return clv_fail(err, CLV_ENOTFOUND,
                        "model '%s': this is a repository of models; name one of them, as in "
                        "'%s/%s'",
                        dir, dir, name);
    return clv_fail(err, CLV_ENOTFOUND,
                    "model '%s': the directory holds no version (1/" MODEL_FILE ", 2/" MODEL_FILE
                    ", ...)",
                    dir);
}

static clv_status locate_dir(const char *dir, clv_located *at, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *direct = clv_path_join(dir, MODEL_FILE);
    if (is_file(direct)) {
        locate_file(direct, at);
        if (!at->version) { /* a directory with a model that is no version: it gives the name */
            free(at->name);
            at->name = last_part(dir);
        }
        return CLV_OK;
    }
    int64_t version = newest(dir);
    if (!version) return no_version(dir, err);
    at->version = version;
    at->path = clv_format("%s/%lld/" MODEL_FILE, dir, (long long)version);
    at->name = last_part(dir);
    return CLV_OK;
}

clv_status clv_locate(const char *model, const char *repository, clv_located *out, clv_error *err)
{
    clv_located at = {0};
    CLV_AUTO(clv_text_free) char *below = NULL;
    const char *path = model;
    if (repository && !is_file(model) && !is_dir(model))
        path = below = clv_path_join(repository, model);
    clv_status s = CLV_OK;
    if (is_dir(path))
        s = locate_dir(path, &at, err);
    else if (is_file(path))
        locate_file(path, &at);
    else
        s = clv_fail(
            err, CLV_ENOTFOUND,
            "model '%s': no such file or directory; give a .onnx file, or a directory NAME "
            "that holds NAME/VERSION/" MODEL_FILE,
            path);
    if (s == CLV_OK) *out = at;
    return s;
}
