#include "split/chain.h"

#include "base/mem.h"
#include "cost/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX  1e12 /* bytes a second */
#define RTT_MAX   3.6e9
#define SIGMA_MAX 1e3
#define WAIT_MAX  INT64_C(3600000000)

static void node_done(clv_chain_node *n)
{
    free(n->profile);
    *n = (clv_chain_node){0};
}

void clv_chain_done(clv_chain *c)
{
    clv_chain_shorten(c, 0);
    *c = (clv_chain){0};
}

void clv_chain_free(clv_chain *c)
{
    if (!c) return;
    clv_chain_done(c);
    free(c);
}

static void free_chain(clv_chain **c)
{
    clv_chain_free(*c);
}

int clv_chain_find(const clv_chain *c, const char *id)
{
    for (size_t k = 0; k < c->n; k++)
        if (strcmp(c->nodes[k].id, id) == 0) return (int)k;
    return -1;
}

void clv_chain_shorten(clv_chain *c, size_t n)
{
    while (c->n > n) node_done(&c->nodes[--c->n]);
}

void clv_chain_extend(clv_chain *c, const clv_chain_hop *to, const clv_chain *peers)
{
    for (size_t k = 0; k < peers->n && c->n < CLV_CHAIN_NODES_MAX; k++) {
        if (clv_chain_find(c, peers->nodes[k].id) >= 0) return;
        clv_chain_node *n = &c->nodes[c->n++];
        *n = peers->nodes[k];
        n->profile = n->profile ? clv_strdup(n->profile) : NULL;
        if (k > 0) continue;
        n->link = to->link;
        n->wait_us = to->wait_us;
        snprintf(n->url, sizeof n->url, "%s", to->url);
    }
    c->pending |= peers->pending;
}

bool clv_chain_same_nodes(const clv_chain *a, const clv_chain *b)
{
    bool same = a->n == b->n;
    for (size_t k = 0; k < a->n && same; k++) same = strcmp(a->nodes[k].id, b->nodes[k].id) == 0;
    return same;
}

bool clv_chain_has_profiles(const clv_chain *c)
{
    for (size_t k = 1; k < c->n; k++)
        if (!c->nodes[k].profile) return false;
    return true;
}

void clv_chain_move_profiles(clv_chain *to, clv_chain *from)
{
    for (size_t k = 0; k < to->n; k++)
        if (!to->nodes[k].profile) to->nodes[k].profile = clv_steal(&from->nodes[k].profile);
}

/* ---- as JSON ---- */

/* The numbers of a link: name, field of clv_link, least, greatest. */
#define LINK_MAP(X)                                                                                \
    X(up_bytes_per_s, 1, RATE_MAX)                                                                 \
    X(down_bytes_per_s, 1, RATE_MAX)                                                               \
    X(rtt_us, 0, RTT_MAX)                                                                          \
    X(up_sigma, 0, SIGMA_MAX)                                                                      \
    X(down_sigma, 0, SIGMA_MAX)                                                                    \
    X(rtt_sigma_us, 0, RTT_MAX)

#define RADIO_MAP(X)                                                                               \
    X(tx_w, 0, CLV_POWER_W_MAX)                                                                    \
    X(rx_w, 0, CLV_POWER_W_MAX)                                                                    \
    X(up_j_per_byte, 0, CLV_RADIO_J_PER_BYTE_MAX)                                                  \
    X(down_j_per_byte, 0, CLV_RADIO_J_PER_BYTE_MAX)                                                \
    X(up_price_per_byte, 0, CLV_RADIO_PRICE_MAX)                                                   \
    X(down_price_per_byte, 0, CLV_RADIO_PRICE_MAX)

static json_t *link_json(const clv_link *l)
{
    if (!l->up) return json_null();
    json_t *radio = json_object(), *link = json_object();
#define X(field, min, max) json_object_set_new(link, #field, json_real(l->field));
    LINK_MAP(X)
#undef X
#define X(field, min, max) json_object_set_new(radio, #field, json_real(l->radio.field));
    RADIO_MAP(X)
#undef X
    json_object_set_new(radio, "source", json_string(clv_power_source_name(l->radio.source)));
    json_object_set_new(link, "radio", radio);
    return link;
}

static json_t *node_json(const clv_chain_node *n, bool profiles)
{
    json_t *profile = profiles && n->profile ? json_loads(n->profile, 0, NULL) : NULL;
    return json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", n->id, "url", n->url, "wait_us",
                     (json_int_t)n->wait_us, "link", link_json(&n->link), "profile",
                     profile ? profile : json_null());
}

char *clv_chain_json(const clv_chain *c, bool profiles)
{
    json_t *nodes = json_array();
    for (size_t k = 0; k < c->n; k++)
        json_array_append_new(nodes, node_json(&c->nodes[k], profiles));
    CLV_AUTO(clv_json_free)
    json_t *doc = json_pack("{s:i, s:s, s:b, s:o}", "cleave_chain", CLV_CHAIN_SCHEMA, "digest",
                            c->digest, "pending", c->pending, "nodes", nodes);
    return json_dumps(doc, JSON_COMPACT);
}

static clv_status get_radio(const clv_place *link, clv_radio *out, clv_error *err)
{
    clv_place at;
    char source[16];
    if (clv_field_object(link, "radio", &at, err)) return CLV_EINVAL;
#define X(field, min, max)                                                                         \
    if (clv_field_real(&at, #field, min, max, &out->field, err)) return CLV_EINVAL;
    RADIO_MAP(X)
#undef X
    if (clv_field_fixed_text(&at, "source", source, sizeof source, err)) return CLV_EINVAL;
    int known = clv_power_source_parse(source);
    if (known < 0) return clv_field_bad(err, &at, "source", "must be given, rapl or unknown");
    out->source = (clv_power_source)known;
    return CLV_OK;
}

/* null: the link is down. */
static clv_status get_link(const clv_place *node, clv_link *out, clv_error *err)
{
    clv_place at;
    *out = (clv_link){0};
    if (json_is_null(json_object_get(node->object, "link"))) return CLV_OK;
    if (clv_field_object(node, "link", &at, err)) return CLV_EINVAL;
#define X(field, min, max)                                                                         \
    if (clv_field_real(&at, #field, min, max, &out->field, err)) return CLV_EINVAL;
    LINK_MAP(X)
#undef X
    out->up = true;
    return get_radio(&at, &out->radio, err);
}

/* Null, or a sound profile of this model, as text. */
static clv_status get_profile(const clv_place *node, const clv_chain *c, char **out, clv_error *err)
{
    const json_t *doc = json_object_get(node->object, "profile");
    if (!doc || json_is_null(doc)) return CLV_OK;
    CLV_AUTO(clv_text_free) char *text = json_dumps(doc, JSON_COMPACT);
    if (!text) return clv_field_bad(err, node, "profile", "must be an object");
    clv_profile *p;
    clv_status s = clv_profile_parse(text, strlen(text), &p, err);
    if (s) return clv_within(err, "field '%sprofile'", node->path);
    bool same = strcmp(p->digest, c->digest) == 0;
    clv_profile_free(p);
    if (!same) return clv_field_bad(err, node, "profile", "is of another model than the chain");
    *out = clv_steal(&text);
    return CLV_OK;
}

static bool is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

static clv_status get_node(const clv_place *at, clv_chain *c, clv_error *err)
{
    clv_chain_node *n = &c->nodes[c->n];
    if (clv_field_fixed_text(at, "id", n->id, sizeof n->id, err) ||
        clv_field_fixed_text(at, "url", n->url, sizeof n->url, err) ||
        clv_field_count(at, "wait_us", WAIT_MAX, &n->wait_us, err))
        return err->status;
    if (!is_hex(n->id, CLV_NODE_ID_TEXT - 1))
        return clv_field_bad(err, at, "id", "must be 32 hexadecimal digits");
    if (clv_chain_find(c, n->id) >= 0)
        return clv_field_bad(err, at, "id", "is there twice: a chain with a loop");
    for (const char *u = n->url; *u; u++)
        if ((unsigned char)*u <= ' ' || *u == 127)
            return clv_field_bad(err, at, "url", "must be printable");
    clv_status s = get_link(at, &n->link, err);
    c->n++; /* from here on it is freed */
    return s ? s : get_profile(at, c, &n->profile, err);
}

static clv_status get_chain(const json_t *document, clv_chain *c, clv_error *err)
{
    clv_place root = {.object = document}, at;
    int64_t schema;
    const json_t *nodes;
    if (!json_is_object(document))
        return clv_fail(err, CLV_EINVAL, "the document must be an object");
    if (clv_field_count(&root, "cleave_chain", INT64_MAX, &schema, err)) return err->status;
    if (schema != CLV_CHAIN_SCHEMA)
        return clv_fail(err, CLV_EMISMATCH, "field 'cleave_chain': %lld, this node reads %d",
                        (long long)schema, CLV_CHAIN_SCHEMA);
    if (clv_field_fixed_text(&root, "digest", c->digest, sizeof c->digest, err) ||
        clv_field_bool(&root, "pending", &c->pending, err) ||
        clv_field_array(&root, "nodes", CLV_CHAIN_NODES_MAX, &nodes, err))
        return err->status;
    if (!is_hex(c->digest, CLV_DIGEST_TEXT - 1))
        return clv_field_bad(err, &root, "digest", "must be 64 hexadecimal digits");
    if (json_array_size(nodes) == 0)
        return clv_field_bad(err, &root, "nodes", "must have the node itself");
    clv_status s = CLV_OK;
    for (size_t i = 0; i < json_array_size(nodes) && s == CLV_OK; i++) {
        s = clv_field_item(&root, nodes, "nodes", i, &at, err);
        if (s == CLV_OK) s = get_node(&at, c, err);
    }
    return s;
}

clv_status clv_chain_parse(const char *json, size_t bytes, clv_chain **out, clv_error *err)
{
    if (bytes > CLV_CHAIN_TEXT_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes, at most %zu are allowed", bytes,
                        CLV_CHAIN_TEXT_MAX);
    json_error_t why;
    CLV_AUTO(clv_json_free)
    json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!document) return clv_fail(err, CLV_EINVAL, "not JSON: line %d: %s", why.line, why.text);
    CLV_AUTO(free_chain) clv_chain *c = clv_alloc(sizeof *c);
    clv_error local = {0};
    if (get_chain(document, c, &local)) return clv_fail(err, local.status, "%s", local.text);
    *out = clv_steal(&c);
    return CLV_OK;
}
