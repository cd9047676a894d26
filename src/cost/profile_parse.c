/* The reading half of cost/profile.h. A profile may come from a peer, so every field is checked,
 * and the error says which one is wrong by its path ("cuts[3].prefix.us"). Fields that are not
 * known are skipped: a later version may add some without a new schema number. */
#include "base/mem.h"
#include "cost/profile_priv.h"
#include "graph/cuts.h"

#include <string.h>

static void free_profile(clv_profile **p)
{
    clv_profile_free(*p);
}

static clv_status get_time(const clv_place *at, const char *key, clv_time *out, clv_error *err)
{
    clv_place here;
    int64_t n = 0;
    if (clv_field_object(at, key, &here, err) ||
        clv_field_real(&here, "us", 0, CLV_PROFILE_US_MAX, &out->us, err) ||
        clv_field_real(&here, "sigma_us", 0, CLV_PROFILE_US_MAX, &out->sigma_us, err) ||
        clv_field_count(&here, "n", 1000000000, &n, err))
        return CLV_EINVAL;
    out->n = (int)n;
    if (n == 0 && out->us > 0)
        return clv_field_bad(err, &here, "n", "is 0 (not measured), but 'us' is above 0");
    return CLV_OK;
}

static clv_status get_live(const clv_place *at, clv_profile_cut *cut, clv_error *err)
{
    const json_t *live;
    clv_status s = clv_field_array(at, "live", CLV_GRAPH_TENSORS_MAX, &live, err);
    if (s != CLV_OK) return s;
    cut->live = clv_alloc_array(json_array_size(live), sizeof *cut->live);
    for (size_t i = 0; i < json_array_size(live); i++) {
        const json_t *v = json_array_get(live, i);
        s = clv_field_check_text(v, CLV_NAME_MAX, at, "live", err);
        if (s != CLV_OK) return s;
        cut->live[cut->n_live++] = clv_strdup(json_string_value(v));
    }
    return CLV_OK;
}

/* The cut's tensors are the network's, each once, and what crosses is their bytes. */
static clv_status check_live(const clv_profile *p, const clv_tensor_names *names,
                             const clv_place *at, const clv_profile_cut *cut, int *seen, int mark,
                             clv_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < cut->n_live; i++) {
        int t = clv_tensor_names_find(names, cut->live[i]);
        if (t < 0 || seen[t] == mark)
            return clv_fail(err, CLV_EINVAL, "field '%slive': '%.200s' is %s", at->path,
                            cut->live[i], t < 0 ? "none of 'tensors'" : "there twice");
        seen[t] = mark;
        bytes += p->tensors[t].bytes;
    }
    if (bytes != cut->up_bytes)
        return clv_fail(err, CLV_EINVAL, "field '%sup_bytes': %zu, but its tensors have %zu",
                        at->path, cut->up_bytes, bytes);
    return CLV_OK;
}

/* A label joins the names of all live tensors, so its bound is looser than that of a name. */
enum { LABEL_MAX = 64 * CLV_NAME_MAX };

static clv_status get_cut(const clv_place *at, clv_profile_cut *cut, clv_error *err)
{
    int64_t up = 0, down = 0;
    if (clv_field_text(at, "label", LABEL_MAX, &cut->label, err) || get_live(at, cut, err) ||
        clv_field_count(at, "up_bytes", CLV_PROFILE_BYTES_MAX, &up, err) ||
        clv_field_count(at, "down_bytes", CLV_PROFILE_BYTES_MAX, &down, err) ||
        get_time(at, "prefix", &cut->prefix, err) || get_time(at, "suffix", &cut->suffix, err))
        return CLV_EINVAL;
    cut->up_bytes = (size_t)up;
    cut->down_bytes = (size_t)down;
    return CLV_OK;
}

static clv_status get_head(const clv_place *root, clv_profile *p, clv_error *err)
{
    int64_t schema = 0, threads = 0;
    if (clv_field_count(root, "schema", INT64_MAX, &schema, err)) return CLV_EINVAL;
    if (schema != CLV_PROFILE_SCHEMA)
        return clv_fail(err, CLV_EMISMATCH,
                        "schema %lld, this program reads %d: profile the model again",
                        (long long)schema, CLV_PROFILE_SCHEMA);
    if (clv_field_fixed_text(root, "model", p->model, sizeof p->model, err) ||
        clv_digest_field(root, "digest", p->digest, err) ||
        clv_field_fixed_text(root, "device", p->device, sizeof p->device, err) ||
        clv_field_fixed_text(root, "engine", p->engine, sizeof p->engine, err) ||
        clv_field_count(root, "threads", 65536, &threads, err) ||
        clv_field_real(root, "slowdown", 1e-3, 1e6, &p->slowdown, err))
        return CLV_EINVAL;
    p->threads = (int)threads;
    return CLV_OK;
}

/* Both may be missing: not known, no price. */
static clv_status get_power(const clv_place *root, clv_profile *p, clv_error *err)
{
    clv_place at;
    char source[16];
    int64_t cores = 0;
    if (json_object_get(root->object, "price_per_s") &&
        clv_field_real(root, "price_per_s", 0, CLV_POWER_PRICE_MAX, &p->price_per_s, err))
        return CLV_EINVAL;
    if (!json_object_get(root->object, "power")) return CLV_OK;
    clv_power power = {0};
    if (clv_field_object(root, "power", &at, err) ||
        clv_field_real(&at, "idle_w", 0, CLV_POWER_W_MAX, &power.idle_w, err) ||
        clv_field_real(&at, "active_w_per_core", 0, CLV_POWER_W_MAX, &power.active_w_per_core,
                       err) ||
        clv_field_count(&at, "cores", CLV_POWER_CORES_MAX, &cores, err) ||
        clv_field_fixed_text(&at, "source", source, sizeof source, err))
        return CLV_EINVAL;
    int known = clv_power_source_parse(source);
    if (known < 0) return clv_field_bad(err, &at, "source", "must be given, rapl or unknown");
    power.cores = (int)cores;
    power.source = (clv_power_source)known;
    if (cores < 1) return clv_field_bad(err, &at, "cores", "must be 1 or more");
    if (clv_power_active_w(&power) > CLV_POWER_W_MAX)
        return clv_field_bad(err, &at, "active_w_per_core", "all cores take more than 100 kW");
    if (known != CLV_POWER_UNKNOWN) p->power = power;
    return CLV_OK;
}

/* What every profile has: at least the cuts "all remote" and "all here"; at the latter nothing
 * crosses. */
static clv_status check_shape(const clv_profile *p, clv_error *err)
{
    if (p->n_cuts < 2) return clv_fail(err, CLV_EINVAL, "field 'cuts': needs at least two cuts");
    if (p->cuts[p->n_cuts - 1].n_live > 0)
        return clv_fail(err, CLV_EINVAL, "field 'cuts[%zu].live': must be empty at the last cut",
                        p->n_cuts - 1);
    return CLV_OK;
}

static clv_status get_cuts(const clv_place *root, clv_profile *p, clv_error *err)
{
    const json_t *cuts;
    clv_status s = clv_field_array(root, "cuts", CLV_CUTS_CAP + 2, &cuts, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_tensor_names_done) clv_tensor_names names = clv_tensor_names_of(p);
    CLV_AUTO(clv_free) int *seen = clv_alloc_array(p->n_tensors, sizeof *seen);
    p->cuts = clv_alloc_array(json_array_size(cuts), sizeof *p->cuts);
    for (size_t i = 0; i < json_array_size(cuts) && s == CLV_OK; i++) {
        clv_place at;
        clv_profile_cut *cut = &p->cuts[p->n_cuts++]; /* counted first: a half-read one is freed */
        s = clv_field_item(root, cuts, "cuts", i, &at, err);
        if (s == CLV_OK) s = get_cut(&at, cut, err);
        if (s == CLV_OK) s = check_live(p, &names, &at, cut, seen, (int)i + 1, err);
    }
    return s;
}

static clv_status get_profile(const json_t *document, clv_profile *p, clv_error *err)
{
    clv_place root = {.object = document};
    if (!json_is_object(document))
        return clv_fail(err, CLV_EINVAL, "the document must be an object");
    clv_status s = get_head(&root, p, err);
    if (s == CLV_OK) s = get_power(&root, p, err);
    if (s == CLV_OK) s = clv_speed_parse(&root, &p->reference, err);
    if (s == CLV_OK) s = clv_profile_parse_network(&root, p, err);
    if (s == CLV_OK) s = get_cuts(&root, p, err);
    if (s == CLV_OK) s = clv_profile_parse_codecs(&root, p, err);
    return s == CLV_OK ? check_shape(p, err) : s;
}

clv_status clv_profile_parse(const char *json, size_t bytes, clv_profile **out, clv_error *err)
{
    if (bytes > CLV_PROFILE_FILE_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes, at most %zu are allowed", bytes,
                        (size_t)CLV_PROFILE_FILE_MAX);
    json_error_t why;
    CLV_AUTO(clv_json_free)
    json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!document) return clv_fail(err, CLV_EINVAL, "not JSON: line %d: %s", why.line, why.text);
    CLV_AUTO(free_profile) clv_profile *p = clv_alloc(sizeof *p);
    clv_error local = {0};
    if (get_profile(document, p, &local)) return clv_fail(err, local.status, "%s", local.text);
    *out = clv_steal(&p);
    return CLV_OK;
}
