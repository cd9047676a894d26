#include "cli/config.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { CLV_CONFIG_BYTES_MAX = 1 << 20 };

typedef struct reader {
    clv_config *config;
    const char *path;
    yaml_document_t *doc;
    const clv_opt_set *sets;
    size_t n_sets;
} reader;

static size_t line_of(const yaml_node_t *node)
{
    return node->start_mark.line + 1;
}
static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static clv_status set(reader *r, const yaml_node_t *key, const char *value, size_t n,
                      clv_error *err)
{
    clv_text_list_add(&r->config->texts, value, n);
    const char *kept = r->config->texts.items[r->config->texts.n - 1];
    clv_error bad = {0};
    if (!clv_opt_set_value(r->sets, r->n_sets, text_of(key), kept, &bad)) return CLV_OK;
    return clv_fail(err, CLV_EUSAGE, "%s:%zu: %s", r->path, line_of(key), bad.text);
}

static bool is_list(const reader *r, const char *name)
{
    for (size_t i = 0; i < r->n_sets; i++)
        for (size_t j = 0; j < r->sets[i].n; j++)
            if (strcmp(r->sets[i].opts[j].name, name) == 0)
                return r->sets[i].opts[j].type == CLV_OPT_LIST;
    return true; /* set() says what is wrong */
}

static clv_status no_plain_value(const reader *r, const yaml_node_t *key, const yaml_node_t *value,
                                 clv_error *err)
{
    return clv_fail(err, CLV_EUSAGE, "%s:%zu: '%s' wants a plain value", r->path, line_of(value),
                    text_of(key));
}

/* A sequence becomes the text with commas that the flag would take. */
static clv_status set_list(reader *r, const yaml_node_t *key, const yaml_node_t *list,
                           clv_error *err)
{
    clv_buf text = {0};
    clv_status status = is_list(r, text_of(key)) ? CLV_OK : no_plain_value(r, key, list, err);
    for (const yaml_node_item_t *i = list->data.sequence.items.start;
         !status && i < list->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        if (item->type != YAML_SCALAR_NODE)
            status = no_plain_value(r, key, item, err);
        else
            clv_buf_printf(&text, "%s%s", text.len ? "," : "", text_of(item));
    }
    if (!status) status = set(r, key, text.data ? text.data : "", text.len, err);
    clv_buf_done(&text);
    return status;
}

static clv_status set_pair(reader *r, const yaml_node_pair_t *pair, clv_error *err)
{
    const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key),
                      *value = yaml_document_get_node(r->doc, pair->value);
    if (key->type != YAML_SCALAR_NODE)
        return clv_fail(err, CLV_EUSAGE, "%s:%zu: a key must be a plain word", r->path,
                        line_of(key));
    if (value->type == YAML_SEQUENCE_NODE) return set_list(r, key, value, err);
    if (value->type != YAML_SCALAR_NODE) return no_plain_value(r, key, value, err);
    return set(r, key, text_of(value), strlen(text_of(value)), err);
}

/* Is the key not among those before it? Every one of them is known, so that they are few. */
static clv_status check_new(const reader *r, const yaml_node_pair_t *first,
                            const yaml_node_pair_t *pair, clv_error *err)
{
    const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
    for (const yaml_node_pair_t *p = first; key->type == YAML_SCALAR_NODE && p < pair; p++) {
        const yaml_node_t *other = yaml_document_get_node(r->doc, p->key);
        if (strcmp(text_of(key), text_of(other)) == 0)
            return clv_fail(err, CLV_EUSAGE, "%s:%zu: '%s' stands here and in line %zu", r->path,
                            line_of(key), text_of(key), line_of(other));
    }
    return CLV_OK;
}

static clv_status set_all(reader *r, clv_error *err)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->doc);
    if (!root) return CLV_OK; /* an empty file sets nothing */
    if (root->type != YAML_MAPPING_NODE)
        return clv_fail(err, CLV_EUSAGE, "%s:%zu: 'option: value' lines are right", r->path,
                        line_of(root));
    const yaml_node_pair_t *first = root->data.mapping.pairs.start;
    clv_status status = CLV_OK;
    for (const yaml_node_pair_t *p = first; !status && p < root->data.mapping.pairs.top; p++) {
        status = check_new(r, first, p, err);
        if (!status) status = set_pair(r, p, err);
    }
    return status;
}

clv_status clv_config_parse(clv_config *config, const char *path, const char *text, size_t n,
                            const clv_opt_set *sets, size_t n_sets, clv_error *err)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    clv_status status;
    if (!yaml_parser_initialize(&parser)) abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    if (yaml_parser_load(&parser, &doc)) {
        status = set_all(&(reader){config, path, &doc, sets, n_sets}, err);
        yaml_document_delete(&doc);
    } else {
        status = clv_fail(err, CLV_EUSAGE, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                          parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    return status;
}

clv_status clv_config_read(clv_config *config, const char *path, const clv_opt_set *sets,
                           size_t n_sets, clv_error *err)
{
    clv_buf text = {0};
    clv_status status = clv_file_read(path, CLV_CONFIG_BYTES_MAX, &text, err);
    if (status) return clv_within(err, "configuration");
    status =
        clv_config_parse(config, path, text.data ? text.data : "", text.len, sets, n_sets, err);
    clv_buf_done(&text);
    return status;
}

clv_status clv_config_begin(clv_config *config, const clv_cli_about *about, const clv_opt_set *sets,
                            size_t n_sets, const char *const *file, clv_args *args, bool *help,
                            clv_error *err)
{
    size_t n = (size_t)args->argc;
    CLV_AUTO(clv_free) char **again = clv_alloc_array(n + 1, sizeof *again);
    for (size_t i = 0; i < n; i++) again[i] = args->argv[i];
    clv_status status = clv_cli_begin(about, sets, n_sets, args, help, err);
    if (status || *help || !*file) return status;
    const char *path = *file;
    clv_opt_done(sets, n_sets);
    if (clv_opt_defaults(sets, n_sets, err) || clv_config_read(config, path, sets, n_sets, err)) {
        clv_opt_done(sets, n_sets);
        return err->status;
    }
    for (size_t i = 0; i < n; i++) args->argv[i] = again[i];
    args->argc = (int)n;
    status = clv_opt_parse(sets, n_sets, args, about->stop_at_first, err);
    if (status) clv_opt_done(sets, n_sets);
    return status;
}

void clv_config_done(clv_config *config)
{
    clv_text_list_done(&config->texts);
}
