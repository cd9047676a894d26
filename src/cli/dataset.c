#include "cli/dataset.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cli/dataset_files.h"
#include "cli/element.h"
#include "cli/picture.h"
#include "tensor/idx.h"
#include "tensor/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MAX = CLV_IMAGE_CHANNELS_MAX };

struct clv_dataset {
    clv_samples samples;
    int *labels; /* of the chosen */
    size_t *rows;
    clv_dataset_files files;
    clv_tensor images;        /* of two arrays: all of them */
    clv_tensor_spec spec;     /* of one sample; owns its name */
    size_t values;            /* of one sample */
    clv_picture picture;      /* how files of pictures are read */
    int channels, channel_at; /* how bytes are normalised; channel_at -1: one for all */
    float mean[CHANNELS_MAX], std[CHANNELS_MAX];
};

void clv_dataset_free(clv_dataset *d)
{
    if (!d) return;
    clv_dataset_files_done(&d->files);
    clv_tensor_done(&d->images);
    free(d->spec.name);
    free(d->labels);
    free(d->rows);
    free(d);
}

static void free_dataset(clv_dataset **d)
{
    clv_dataset_free(*d);
}

const clv_samples *clv_dataset_samples(const clv_dataset *d)
{
    return &d->samples;
}

/* ---- one sample as the network wants it ---- */

/* Are they the same sizes, in this order, when those of 1 are left out? `skip` of the first's come before. */
static bool same_sizes(const clv_shape *a, int skip, const clv_shape *b)
{
    int i = skip, k = 0;
    for (;;) {
        while (i < a->rank && a->dim[i] == 1) i++;
        while (k < b->rank && b->dim[k] == 1) k++;
        if (i == a->rank || k == b->rank) return i == a->rank && k == b->rank;
        if (a->dim[i++] != b->dim[k++]) return false;
    }
}

static clv_status check_sample(const clv_dataset *d, const clv_tensor *t, int skip,
                               const char *path, clv_error *err)
{
    bool bytes_to_reals = t->dtype == CLV_U8 && d->spec.dtype == CLV_F32;
    if (t->dtype != d->spec.dtype && !bytes_to_reals)
        return clv_fail(err, CLV_EINVAL, "%s: elements are %s, the network takes %s%s", path,
                        clv_dtype_oip(t->dtype), clv_dtype_oip(d->spec.dtype),
                        d->spec.dtype == CLV_F32 ? " (or UINT8 pictures)" : "");
    if (!same_sizes(&t->shape, skip, &d->spec.shape))
        return clv_fail(err, CLV_EINVAL, "%s: %s%s, the network takes %s", path,
                        skip ? "samples in " : "", clv_shape_show(&t->shape).s,
                        clv_shape_show(&d->spec.shape).s);
    return CLV_OK;
}

/* The channel of value i of a sample. */
static int channel_of(const clv_dataset *d, size_t i)
{
    if (d->channel_at < 0) return 0;
    size_t behind = 1;
    for (int k = d->channel_at + 1; k < d->spec.shape.rank; k++)
        behind *= (size_t)d->spec.shape.dim[k];
    return (int)(i / behind % (size_t)d->channels);
}

/* Sample `row` of an array of such samples. */
static void convert(const clv_dataset *d, const clv_tensor *t, size_t row, void *out)
{
    size_t size = clv_dtype_bytes(t->dtype);
    const unsigned char *from = (const unsigned char *)t->data + row * d->values * size;
    if (t->dtype == d->spec.dtype) {
        memcpy(out, from, d->values * size);
        return;
    }
    float *to = out;
    for (size_t i = 0; i < d->values; i++) {
        int c = channel_of(d, i);
        to[i] = ((float)from[i] / 255 - d->mean[c]) / d->std[c];
    }
}

static clv_status read_file(const clv_dataset *d, const char *path, void *out, clv_error *err)
{
    clv_tensor t = {0};
    clv_status s;
    if (clv_dataset_ends(path, ".npy")) {
        s = clv_npy_read(path, d->spec.name, &t, err);
        if (s == CLV_OK) s = check_sample(d, &t, 0, path, err);
        if (s == CLV_OK) convert(d, &t, 0, out);
    } else {
        s = clv_picture_read(&d->picture, path, d->spec.name, &t, err);
        if (s == CLV_OK) memcpy(out, t.data, t.bytes); /* as many as the spec has: it made them */
    }
    clv_tensor_done(&t);
    return s;
}

static clv_status read_samples(void *arg, size_t first, size_t n, clv_tensor *out, clv_error *err)
{
    const clv_dataset *d = arg;
    clv_tensor t;
    clv_shape shape = d->spec.shape;
    shape.dim[0] = (int64_t)n;
    clv_status s = clv_tensor_new(&t, d->spec.name, d->spec.dtype, shape, err);
    if (s != CLV_OK) return s;
    size_t bytes = t.bytes / n;
    for (size_t i = 0; i < n && s == CLV_OK; i++) {
        char *to = (char *)t.data + i * bytes;
        size_t row = d->rows[first + i];
        if (d->files.images)
            convert(d, &d->images, row, to);
        else
            s = read_file(d, d->files.paths[row], to, err);
    }
    if (s == CLV_OK)
        *out = t;
    else
        clv_tensor_done(&t);
    return s;
}

/* ---- opening ---- */

static clv_status read_array(const char *path, clv_tensor *out, clv_error *err)
{
    if (clv_dataset_ends(path, ".npy")) return clv_npy_read(path, "data", out, err);
    return clv_idx_read(path, "data", out, err);
}

/* How bytes become reals, as of a picture with the same channels. */
static clv_status set_scale(clv_dataset *d, const clv_dataset_options *o, clv_error *err)
{
    static const clv_text_list none;
    const clv_shape *s = &d->spec.shape;
    bool four = s->rank == 4, grey = four && s->dim[1] == 1;
    d->channel_at = four && s->dim[1] == 3 ? 1 : four && !grey && s->dim[3] == 3 ? 3 : -1;
    d->channels = d->channel_at < 0 ? 1 : CHANNELS_MAX;
    clv_image_fit usual = clv_image_fit_imagenet(d->channels, 1, 1);
    memcpy(d->mean, usual.mean, sizeof d->mean);
    memcpy(d->std, usual.std, sizeof d->std);
    clv_status st =
        clv_picture_channels(o->mean ? o->mean : &none, "--mean", d->channels, false, d->mean, err);
    if (st != CLV_OK) return st;
    return clv_picture_channels(o->std ? o->std : &none, "--std", d->channels, true, d->std, err);
}

static clv_status label_of(const clv_tensor *labels, size_t row, const char *path, int *out,
                           clv_error *err)
{
    double x = clv_element(labels, row);
    if (!(x >= 0 && x <= INT32_MAX) || floor(x) < x)
        return clv_fail(err, CLV_EINVAL, "%s: label %zu is %g: classes are whole numbers from 0",
                        path, row, x);
    *out = (int)x;
    return CLV_OK;
}

/* `n` of `total` rows (below 2^31, as a sample has a byte or is a file), evenly, in an order that does not
 * follow the file's. */
static void choose_rows(clv_dataset *d, size_t total, size_t wanted)
{
    size_t n = wanted ? CLV_MIN(wanted, total) : total;
    clv_rng rng = clv_rng_seeded(1);
    d->samples.n = n;
    d->rows = clv_alloc_array(n, sizeof *d->rows);
    d->labels = clv_alloc_array(n, sizeof *d->labels);
    for (size_t i = 0; i < n; i++) d->rows[i] = i * total / n;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)clv_rng_below(&rng, i), row = d->rows[i - 1];
        d->rows[i - 1] = d->rows[k];
        d->rows[k] = row;
    }
}

static clv_status open_arrays(clv_dataset *d, const clv_dataset_options *o, clv_error *err)
{
    const char *path = d->files.images;
    CLV_AUTO(clv_tensor_done) clv_tensor labels = {0};
    clv_status s = read_array(path, &d->images, err);
    if (s == CLV_OK) s = read_array(d->files.labels, &labels, err);
    if (s != CLV_OK) return s;
    if (d->images.shape.rank < 1 || d->images.shape.dim[0] < 1)
        return clv_fail(err, CLV_EINVAL, "%s: %s has no samples", path,
                        clv_shape_show(&d->images.shape).s);
    s = check_sample(d, &d->images, 1, path, err);
    if (s != CLV_OK) return s;
    size_t total = (size_t)d->images.shape.dim[0];
    if (clv_element_floating(labels.dtype) || labels.dtype == CLV_TEXT ||
        clv_element_count(&labels) != total)
        return clv_fail(
            err, CLV_EINVAL, "%s: %s %s, a whole number for each of %zu samples is wanted",
            d->files.labels, clv_dtype_oip(labels.dtype), clv_shape_show(&labels.shape).s, total);
    choose_rows(d, total, o->samples);
    for (size_t i = 0; i < d->samples.n && s == CLV_OK; i++)
        s = label_of(&labels, d->rows[i], d->files.labels, &d->labels[i], err);
    return s;
}

static clv_status open_folders(clv_dataset *d, const clv_dataset_options *o, clv_error *err)
{
    static const clv_text_list none;
    choose_rows(d, d->files.n, o->samples);
    bool pictures = false;
    for (size_t i = 0; i < d->samples.n; i++) {
        d->labels[i] = d->files.classes[d->rows[i]];
        pictures = pictures || !clv_dataset_ends(d->files.paths[d->rows[i]], ".npy");
    }
    if (!pictures) return CLV_OK;
    return clv_picture_for(o->mean ? o->mean : &none, o->std ? o->std : &none, &d->spec,
                           &d->spec.shape, &d->picture, err);
}

clv_status clv_dataset_open(const clv_dataset_options *o, const clv_tensor_spec *spec,
                            clv_dataset **out, clv_error *err)
{
    if (spec->shape.rank < 1 || spec->shape.dim[0] != 1 || clv_dtype_bytes(spec->dtype) == 0)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "input '%s' is %s %s: data is for numbers whose first size is a batch of 1",
                        spec->name, clv_dtype_oip(spec->dtype), clv_shape_show(&spec->shape).s);
    CLV_AUTO(free_dataset) clv_dataset *d = clv_alloc(sizeof *d);
    d->spec = (clv_tensor_spec){clv_strdup(spec->name), spec->dtype, spec->shape};
    clv_status s = clv_shape_count(&spec->shape, &d->values, err);
    if (s == CLV_OK && d->values == 0)
        s = clv_fail(err, CLV_EUNSUPPORTED, "input '%s' is empty", spec->name);
    if (s == CLV_OK) s = set_scale(d, o, err);
    if (s == CLV_OK) s = clv_dataset_files_find(o, &d->files, err);
    if (s == CLV_OK) s = d->files.images ? open_arrays(d, o, err) : open_folders(d, o, err);
    if (s != CLV_OK) return s;
    snprintf(d->samples.name, sizeof d->samples.name, "%s", d->files.name);
    d->samples.labels = d->labels;
    d->samples.read = read_samples;
    d->samples.arg = d;
    *out = clv_steal(&d);
    return CLV_OK;
}
