#include "split/node_load.h"

#include <jansson.h>

static clv_status count_of(const json_t *doc, const char *key, int64_t *out, clv_error *err)
{
    const json_t *value = json_object_get(doc, key);
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > CLV_NODE_LOAD_US_MAX)
        return clv_fail(err, CLV_EPROTO, "the peer's load: '%s' is not a number between 0 and %lld",
                        key, (long long)CLV_NODE_LOAD_US_MAX);
    *out = n;
    return CLV_OK;
}

clv_status clv_node_load_parse(const char *text, size_t n, clv_node_load *out, clv_error *err)
{
    clv_node_load load = {0};
    if (n > CLV_NODE_LOAD_TEXT_MAX)
        return clv_fail(err, CLV_EPROTO, "the peer's load: %zu bytes, at most %d are right", n,
                        CLV_NODE_LOAD_TEXT_MAX);
    json_t *doc = json_loadb(text ? text : "", n, JSON_REJECT_DUPLICATES, NULL);
    clv_status status = doc ? CLV_OK : clv_fail(err, CLV_EPROTO, "the peer's load is not JSON");
    if (!status) status = count_of(doc, "queue", &load.queue, err);
    if (!status) status = count_of(doc, "ahead_us", &load.ahead_us, err);
    if (!status) status = count_of(doc, "wait_us", &load.wait_us, err);
    json_decref(doc);
    if (!status) *out = load;
    return status;
}
