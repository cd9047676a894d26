#include "cli/dataset_files.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool clv_dataset_ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcasecmp(name + n - m, suffix) == 0;
}

void clv_dataset_files_done(clv_dataset_files *f)
{
    for (size_t i = 0; i < f->n; i++) free(f->paths[i]);
    free(f->paths);
    free(f->classes);
    free(f->images);
    free(f->labels);
    free(f->name);
    *f = (clv_dataset_files){0};
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* ---- two arrays ---- */

/* The last `from` in the file's name becomes `to`; NULL: it is not in it. Heap. */
static char *replaced(const char *path, const char *from, const char *to)
{
    const char *at = NULL;
    for (const char *next = base_name(path); (next = strstr(next, from)); next++) at = next;
    if (!at) return NULL;
    return clv_format("%.*s%s%s", (int)(at - path), path, to, at + strlen(from));
}

/* The file itself, or as it is when gzip has been at it, or was not. */
static char *existing(char *path)
{
    if (!path || clv_file_exists(path)) return path;
    size_t n = strlen(path);
    char *other =
        clv_dataset_ends(path, ".gz") ? clv_strndup(path, n - 3) : clv_format("%s.gz", path);
    free(path);
    if (clv_file_exists(other)) return other;
    free(other);
    return NULL;
}

/* t10k-images-idx3-ubyte.gz -> t10k-labels-idx1-ubyte.gz; images.npy -> labels.npy */
static char *labels_beside(const char *images)
{
    CLV_AUTO(clv_text_free) char *labels = replaced(images, "images", "labels");
    char *found = labels ? existing(replaced(labels, "idx3", "idx1")) : NULL;
    return found ? found : existing(clv_strdup(labels));
}

static clv_status take_arrays(const clv_dataset_options *o, const char *images,
                              clv_dataset_files *out, clv_error *err)
{
    out->labels = o->labels ? clv_strdup(o->labels) : labels_beside(images);
    if (!out->labels)
        return clv_fail(err, CLV_EUSAGE,
                        "%s: no labels beside it, in a file named alike with 'labels' for "
                        "'images'; add --labels FILE",
                        images);
    out->images = clv_strdup(images);
    return CLV_OK;
}

/* The idx files that MNIST and its kin are known by; heap, NULL: none. */
static char *known_idx(const char *dir)
{
    static const char *const names[] = {"t10k-images-idx3-ubyte", "train-images-idx3-ubyte"};
    char *found = NULL;
    for (size_t i = 0; i < CLV_COUNT(names) && !found; i++)
        found = existing(clv_path_join(dir, names[i]));
    return found;
}

/* ---- a folder a class ---- */

typedef struct names {
    char **items;
    size_t n, cap;
} names;

static void names_done(names *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->items[i]);
    free(list->items);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_sample(const char *name)
{
    static const char *const kinds[] = {".png", ".jpg", ".jpeg", ".npy"};
    for (size_t i = 0; i < CLV_COUNT(kinds); i++)
        if (clv_dataset_ends(name, kinds[i])) return true;
    return false;
}

/* Folders, or files of samples, in `dir`; hidden ones and others are passed over. In the order of bytes. */
static clv_status list_names(const char *dir, bool folders, size_t max, names *out, clv_error *err)
{
    DIR *d = opendir(dir);
    if (!d) return clv_fail_errno(err, "%s", dir);
    clv_status s = CLV_OK;
    for (struct dirent *e; s == CLV_OK && (e = readdir(d));) {
        CLV_AUTO(clv_text_free) char *path = clv_path_join(dir, e->d_name);
        if (e->d_name[0] == '.' || is_dir(path) != folders || (!folders && !is_sample(e->d_name)))
            continue;
        if (out->n == max) {
            s = clv_fail(err, CLV_ELIMIT, "%s: more than %zu %s", dir, max,
                         folders ? "classes" : "samples");
            continue;
        }
        clv_grow(&out->items, &out->cap, out->n + 1, sizeof *out->items);
        out->items[out->n++] = clv_strdup(e->d_name);
    }
    closedir(d);
    if (s == CLV_OK && out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_bytes);
    return s;
}

/* A short whole number, or -1. */
static int number_of(const char *name)
{
    size_t n = strspn(name, "0123456789");
    return n > 0 && n < 7 && !name[n] ? (int)strtol(name, NULL, 10) : -1;
}

static clv_status take_class(const char *dir, const char *name, int class, clv_dataset_files *out,
                             clv_error *err)
{
    CLV_AUTO(clv_text_free) char *folder = clv_path_join(dir, name);
    CLV_AUTO(names_done) names files = {0};
    clv_status s = list_names(folder, false, CLV_DATASET_FILES_MAX - out->n, &files, err);
    if (s != CLV_OK || files.n == 0) return s;
    size_t need = out->n + files.n, cap = out->cap;
    clv_grow(&out->paths, &cap, need, sizeof *out->paths);
    clv_grow(&out->classes, &out->cap, need, sizeof *out->classes);
    for (size_t i = 0; i < files.n; i++) {
        out->paths[out->n] = clv_path_join(folder, files.items[i]);
        out->classes[out->n++] = class;
    }
    return CLV_OK;
}

static clv_status take_classes(const char *dir, clv_dataset_files *out, clv_error *err)
{
    CLV_AUTO(names_done) names classes = {0};
    clv_status s = list_names(dir, true, CLV_DATASET_CLASSES_MAX, &classes, err);
    bool numbers = true;
    for (size_t i = 0; i < classes.n; i++) numbers = numbers && number_of(classes.items[i]) >= 0;
    for (size_t i = 0; i < classes.n && s == CLV_OK; i++)
        s = take_class(dir, classes.items[i], numbers ? number_of(classes.items[i]) : (int)i, out,
                       err);
    if (s == CLV_OK && out->n == 0)
        s = clv_fail(err, CLV_EINVAL,
                     "%s: neither t10k-images-idx3-ubyte nor a folder a class of .png, .jpg or "
                     ".npy files",
                     dir);
    return s;
}

static clv_status find(const clv_dataset_options *o, clv_dataset_files *out, clv_error *err)
{
    if (!is_dir(o->path)) {
        out->name = clv_strdup(base_name(o->path));
        if (clv_file_exists(o->path)) return take_arrays(o, o->path, out, err);
        return clv_fail(err, CLV_ENOTFOUND, "%s: no such file or folder", o->path);
    }
    CLV_AUTO(clv_text_free) char *dir = clv_strdup(o->path);
    for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; n--) dir[n - 1] = 0;
    CLV_AUTO(clv_text_free) char *idx = known_idx(dir);
    if (idx) {
        out->name = clv_format("%s/%s", base_name(dir), base_name(idx));
        return take_arrays(o, idx, out, err);
    }
    if (o->labels)
        return clv_fail(err, CLV_EUSAGE, "--labels: the classes of %s are its folders", dir);
    out->name = clv_strdup(base_name(dir));
    return take_classes(dir, out, err);
}

clv_status clv_dataset_files_find(const clv_dataset_options *o, clv_dataset_files *out,
                                  clv_error *err)
{
    clv_dataset_files found = {0};
    clv_status s = find(o, &found, err);
    if (s == CLV_OK)
        *out = found;
    else
        clv_dataset_files_done(&found);
    return s;
}
