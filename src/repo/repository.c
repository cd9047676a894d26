#include "repo/repository.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool clv_repository_file_ok(const char *file)
{
    size_t n = strspn(file, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return n > 0 && n <= CLV_MODEL_NAME_MAX && file[n] == 0 && file[0] != '.';
}

clv_status clv_repository_check_name(const char *name, clv_error *err)
{
    if (name && clv_repository_file_ok(name)) return CLV_OK;
    return clv_fail(err, CLV_EINVAL,
                    "model name '%.140s': at most %d letters, digits, '.', '_' and '-' are "
                    "allowed, and no '.' at the start",
                    name ? name : "", CLV_MODEL_NAME_MAX);
}

clv_status clv_repository_check_version(const char *version, clv_error *err)
{
    size_t n = version ? strspn(version, "0123456789") : 0;
    if (n > 0 && n <= 9 && version[n] == 0 && version[0] != '0') return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "model version '%.32s': a number from 1 to 999999999 is right",
                    version ? version : "");
}

typedef struct list {
    clv_repository_entry *items;
    size_t n, cap;
} list;

static clv_status add(list *l, const char *name, size_t name_len, const char *version,
                      char *take_path, clv_error *err)
{
    if (l->n >= CLV_REPOSITORY_MAX) {
        free(take_path);
        return clv_fail(err, CLV_ELIMIT, "repository: more than %d models and versions",
                        CLV_REPOSITORY_MAX);
    }
    clv_grow(&l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] =
        (clv_repository_entry){clv_strndup(name, name_len), clv_strdup(version), take_path};
    return CLV_OK;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The versions below DIR/NAME. */
static clv_status scan_model(list *l, const char *dir, const char *name, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *folder = clv_path_join(dir, name);
    DIR *d = opendir(folder);
    if (!d) return CLV_OK;
    clv_status status = CLV_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        if (clv_repository_check_version(e->d_name, NULL)) continue;
        char *path = clv_format("%s/%s/model.onnx", folder, e->d_name);
        if (is_file(path))
            status = add(l, name, strlen(name), e->d_name, path, err);
        else
            free(path);
    }
    closedir(d);
    return status;
}

/* By name, then by version; of two that stand for one version, the one in a folder first. */
static int by_name_and_version(const void *a, const void *b)
{
    const clv_repository_entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order) return order;
    long long a_number = atoll(x->version), b_number = atoll(y->version);
    if (a_number != b_number) return a_number < b_number ? -1 : 1;
    return strcmp(y->path, x->path); /* '/' is after '.' */
}

static void entry_done(clv_repository_entry *e)
{
    free(e->name);
    free(e->version);
    free(e->path);
}

/* Of a sorted list, keep the first entry of each name and version. */
static void drop_doubles(list *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) {
        const clv_repository_entry *last = kept ? &l->items[kept - 1] : NULL;
        if (last && strcmp(last->name, l->items[i].name) == 0 &&
            strcmp(last->version, l->items[i].version) == 0)
            entry_done(&l->items[i]);
        else
            l->items[kept++] = l->items[i];
    }
    l->n = kept;
}

static bool is_model_file(const char *path, size_t name_len)
{
    return name_len > 5 && strcmp(path + strlen(path) - 5, ".onnx") == 0 && is_file(path);
}

clv_status clv_repository_scan(const char *dir, clv_repository_entry **entries, size_t *n,
                               clv_error *err)
{
    DIR *d = opendir(dir);
    if (!d) return clv_fail_errno(err, "model repository '%s'", dir);
    list l = {0};
    clv_status status = CLV_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        if (!clv_repository_file_ok(e->d_name)) continue;
        size_t len = strlen(e->d_name);
        status = scan_model(&l, dir, e->d_name, err); /* nothing if it is a file */
        char *path = clv_path_join(dir, e->d_name);
        if (!status && is_model_file(path, len))
            status = add(&l, e->d_name, len - 5, "1", path, err);
        else
            free(path);
    }
    closedir(d);
    if (status) {
        clv_repository_entries_free(l.items, l.n);
        return status;
    }
    if (l.n) qsort(l.items, l.n, sizeof *l.items, by_name_and_version);
    drop_doubles(&l);
    *entries = l.items;
    *n = l.n;
    return CLV_OK;
}

void clv_repository_entries_free(clv_repository_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) entry_done(&entries[i]);
    free(entries);
}
