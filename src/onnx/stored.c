#include "onnx/onnx_priv.h"

#include <stdlib.h>
#include <string.h>

bool clv_tensor_is_external(const Onnx__TensorProto *t)
{
    return t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

static bool read_number(const char *text, uint64_t *value)
{
    if (!*text || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text)) return false;
    *value = strtoull(text, NULL, 10);
    return true;
}

clv_status clv_tensor_reference(const Onnx__TensorProto *t, clv_reference *out, clv_error *err)
{
    *out = (clv_reference){0};
    const char *name = t->name ? t->name : "";
    for (size_t i = 0; i < t->n_external_data; i++) {
        const char *key = t->external_data[i]->key, *value = t->external_data[i]->value;
        if (!key || !value) continue;
        bool good = true;
        if (strcmp(key, "location") == 0) out->location = value;
        if (strcmp(key, "offset") == 0) good = read_number(value, &out->offset);
        if (strcmp(key, "length") == 0) good = out->has_length = read_number(value, &out->length);
        if (!good)
            return clv_fail(err, CLV_EINVAL, "stored tensor '%s': external %s '%s' is not a number",
                            name, key, value);
    }
    if (!out->location || !*out->location)
        return clv_fail(err, CLV_EINVAL, "stored tensor '%s': external data without a location",
                        name);
    return CLV_OK;
}

/* ---- external files ---- */

/* Relative, and no step upwards: checked as text before the file system is asked, and again after
 * links are followed. */
static bool stays_inside(const char *location)
{
    if (*location == '/' || strlen(location) > 4096) return false;
    for (const char *p = location; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2])) return false;
    return true;
}

static clv_status open_file(clv_onnx *m, const char *location, const clv_map **out, clv_error *err)
{
    for (size_t i = 0; i < m->n_files; i++)
        if (strcmp(m->files[i].location, location) == 0) {
            *out = &m->files[i].map;
            return CLV_OK;
        }
    if (!stays_inside(location))
        return clv_fail(err, CLV_EDENIED, "external data '%s' lies outside the model's folder",
                        location);
    if (m->n_files >= CLV_ONNX_FILES_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d files of external data", CLV_ONNX_FILES_MAX);
    CLV_AUTO(clv_text_free) char *path = clv_path_join(m->folder, location);
    CLV_AUTO(clv_text_free) char *real = realpath(path, NULL);
    if (!real) return clv_fail_errno(err, "external data '%s'", path);
    size_t n = strlen(m->folder);
    if (strncmp(real, m->folder, n) || (real[n] != '/' && n > 1))
        return clv_fail(err, CLV_EDENIED, "external data '%s' is a link out of the model's folder",
                        location);
    clv_map map;
    clv_status status = clv_map_open(real, &map, err);
    if (status) return status;
    clv_grow(&m->files, &m->cap_files, m->n_files + 1, sizeof *m->files);
    m->files[m->n_files] =
        (clv_onnx_file){.location = clv_strdup(location), .path = clv_steal(&real), .map = map};
    *out = &m->files[m->n_files++].map;
    return CLV_OK;
}

/* ---- one tensor ---- */

static clv_status read_shape(const Onnx__TensorProto *t, clv_shape *shape, clv_error *err)
{
    if (t->n_dims > CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "stored tensor '%s': rank %zu, the limit is %d", t->name,
                        t->n_dims, CLV_RANK_MAX);
    shape->rank = (int)t->n_dims;
    for (size_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] < 0)
            return clv_fail(err, CLV_EINVAL, "stored tensor '%s': dimension %zu is %lld", t->name,
                            i, (long long)t->dims[i]);
        shape->dim[i] = t->dims[i];
    }
    return CLV_OK;
}

static clv_status check_bytes(const Onnx__TensorProto *t, const clv_shape *shape, uint64_t bytes,
                              clv_error *err)
{
    size_t count, size = clv_dtype_bytes(clv_dtype_from_onnx(t->data_type));
    if (!size) return CLV_OK; /* text and types that cleave does not know: the engine checks */
    clv_error why = {0};
    if (clv_shape_count(shape, &count, &why) || count > SIZE_MAX / size)
        return clv_fail(err, CLV_ELIMIT, "stored tensor '%s': its shape %s is too large", t->name,
                        clv_shape_show(shape).s);
    if (count * size == bytes) return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "stored tensor '%s': %llu bytes, its shape %s needs %zu",
                    t->name, (unsigned long long)bytes, clv_shape_show(shape).s, count * size);
}

static clv_status read_external(clv_onnx *m, const Onnx__TensorProto *t, const clv_shape *shape,
                                clv_error *err)
{
    clv_reference ref;
    clv_status status = clv_tensor_reference(t, &ref, err);
    if (status) return status;
    const clv_map *map = NULL;
    if (open_file(m, ref.location, &map, err))
        return clv_within(err, "stored tensor '%s'", t->name);
    if (!ref.has_length) ref.length = ref.offset <= map->bytes ? map->bytes - ref.offset : 0;
    if (ref.offset > map->bytes || ref.length > map->bytes - ref.offset)
        return clv_fail(
            err, CLV_EINVAL,
            "stored tensor '%s': bytes %llu to %llu of '%s', which ends at %zu (cut short?)",
            t->name, (unsigned long long)ref.offset, (unsigned long long)(ref.offset + ref.length),
            ref.location, map->bytes);
    status = check_bytes(t, shape, ref.length, err);
    clv_dtype dtype = clv_dtype_from_onnx(t->data_type);
    if (status || !clv_dtype_bytes(dtype)) return status;
    m->stored[m->n_stored++] = (clv_stored){.name = t->name,
                                            .dtype = dtype,
                                            .shape = *shape,
                                            .data = map->data + ref.offset,
                                            .bytes = ref.length};
    return CLV_OK;
}

clv_status clv_onnx_read_stored(clv_onnx *m, clv_error *err)
{
    const Onnx__GraphProto *g = m->proto->graph;
    m->stored = clv_alloc_array(g->n_initializer, sizeof *m->stored);
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        clv_shape shape = {0};
        if (!t->name || !*t->name)
            return clv_fail(err, CLV_EINVAL, "stored tensor %zu has no name", i);
        clv_status status = read_shape(t, &shape, err);
        if (!status && clv_tensor_is_external(t))
            status = read_external(m, t, &shape, err);
        else if (!status && t->has_raw_data)
            status = check_bytes(t, &shape, t->raw_data.len, err);
        if (status) return status;
    }
    return CLV_OK;
}

const void *clv_onnx_external(const clv_onnx *m, const Onnx__TensorProto *t, size_t *bytes)
{
    clv_reference ref;
    if (clv_tensor_reference(t, &ref, NULL)) return NULL;
    for (size_t i = 0; i < m->n_files; i++) {
        if (strcmp(m->files[i].location, ref.location)) continue;
        *bytes = ref.has_length ? ref.length : m->files[i].map.bytes - ref.offset;
        return m->files[i].map.data + ref.offset;
    }
    return NULL;
}
