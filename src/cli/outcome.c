#include "cli/outcome.h"
#include "base/file.h"
#include "cli/element.h"
#include "tensor/npy.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_BYTES_MAX = 32 << 20, FILE_NAME_MAX = 200 };

void clv_outcome_done(clv_outcome *a)
{
    if (!a) return;
    free(a->model);
    free(a->version);
    clv_tensors_done(&a->outputs);
    *a = (clv_outcome){0};
}

clv_status clv_labels_read(const char *path, clv_text_list *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status st = clv_file_read(path, LABELS_BYTES_MAX, &file, err);
    if (st) return st;
    clv_text_list labels = {0};
    for (size_t at = 0; at < file.len;) {
        const char *line = file.data + at;
        const char *end = memchr(line, '\n', file.len - at);
        size_t n = end ? (size_t)(end - line) : file.len - at;
        at += n + 1;
        if (n && line[n - 1] == '\r') n--;
        if (labels.n == CLV_OUTCOME_LABELS_MAX || memchr(line, 0, n)) {
            bool many = labels.n == CLV_OUTCOME_LABELS_MAX;
            clv_text_list_done(&labels);
            if (!many) return clv_fail(err, CLV_EINVAL, "%s: not text, one label a line", path);
            return clv_fail(err, CLV_ELIMIT, "%s: more than %d labels", path,
                            CLV_OUTCOME_LABELS_MAX);
        }
        clv_text_list_add(&labels, line, n);
    }
    *out = labels;
    return CLV_OK;
}

bool clv_outcome_classes(const clv_tensor *t, size_t *rows, size_t *columns)
{
    int rank = t->shape.rank;
    if (!clv_element_floating(t->dtype) || rank < 1 || rank > 2) return false;
    size_t n = (size_t)t->shape.dim[rank - 1];
    if (n < CLV_OUTCOME_TOP || clv_element_count(t) < n) return false;
    *columns = n;
    *rows = clv_element_count(t) / n;
    return true;
}

/* Is `a` to stand before `b`? */
static bool better(double a, double b)
{
    return isnan(b) ? !isnan(a) : a > b;
}

static void keep_best(clv_class *top, size_t *n, clv_class one)
{
    size_t at = *n;
    while (at > 0 && better(one.score, top[at - 1].score)) at--;
    if (at == CLV_OUTCOME_TOP) return;
    size_t last = CLV_MIN(*n, (size_t)CLV_OUTCOME_TOP - 1);
    memmove(&top[at + 1], &top[at], (last - at) * sizeof *top);
    top[at] = one;
    *n = last + 1;
}

void clv_outcome_top(const clv_tensor *t, size_t row, size_t columns,
                     clv_class top[CLV_OUTCOME_TOP])
{
    size_t n = 0;
    double sum = 0, scale = 0;
    bool within = true;
    for (size_t i = 0; i < columns; i++) {
        double score = clv_element(t, row * columns + i);
        keep_best(top, &n, (clv_class){.row = row, .index = i, .score = score});
        within = within && score >= 0 && score <= 1;
        sum += score;
    }
    bool probabilities = within && fabs(sum - 1) < 1e-3;
    for (size_t i = 0; i < columns && !probabilities; i++)
        scale += exp(clv_element(t, row * columns + i) - top[0].score);
    for (size_t k = 0; k < n; k++)
        top[k].probability =
            probabilities ? top[k].score : exp(top[k].score - top[0].score) / scale;
}

/* The output's name as a file's: nothing that leaves the directory or hides. */
static char *file_name(const char *name)
{
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    for (const char *c = name; *c && b.len < FILE_NAME_MAX; c++)
        clv_buf_char(&b, isalnum((unsigned char)*c) || strchr("-_.:+", *c) ? *c : '_');
    if (b.len == 0 || b.data[0] == '.') {
        CLV_AUTO(clv_text_free) char *rest = clv_strdup(b.data ? b.data : "");
        clv_buf_clear(&b);
        clv_buf_printf(&b, "_%s", rest);
    }
    clv_buf_text(&b, ".npy");
    return clv_buf_take(&b);
}

static clv_status write_one(const clv_outcome *a, size_t i, const char *dir, clv_text_list *names,
                            clv_error *err)
{
    const clv_tensor *t = &a->outputs.items[i];
    CLV_AUTO(clv_text_free) char *name = file_name(t->name);
    for (size_t k = 0; k < names->n; k++)
        if (strcmp(names->items[k], name) == 0)
            return clv_fail(err, CLV_EEXIST, "outputs '%s' and '%s' would both be %s",
                            a->outputs.items[k].name, t->name, name);
    clv_text_list_add(names, name, strlen(name));
    CLV_AUTO(clv_text_free) char *path = clv_path_join(dir, name);
    return clv_npy_write(path, t, err);
}

clv_status clv_outcome_write(const clv_outcome *a, const char *dir, clv_error *err)
{
    clv_status st = clv_dir_make(dir, err);
    clv_text_list names = {0};
    for (size_t i = 0; i < a->outputs.n && !st; i++) st = write_one(a, i, dir, &names, err);
    clv_text_list_done(&names);
    return st;
}
