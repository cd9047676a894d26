#include "api/rest_reply.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const clv_header content_type = {"content-type", "application/json"};

static void respond(clv_exchange *x, int status, const clv_header *more, char *take_json)
{
    const clv_header headers[] = {content_type, more ? *more : content_type};
    clv_slice body = {take_json, strlen(take_json), free, take_json};
    clv_exchange_respond(x, &(clv_response){.status = status,
                                            .headers = headers,
                                            .n_headers = more ? 2 : 1,
                                            .body = &body,
                                            .n_body = 1});
}

void clv_rest_reply_text(clv_exchange *x, int status, char *take_json)
{
    respond(x, status, NULL, take_json);
}

void clv_rest_reply(clv_exchange *x, int status, json_t *take)
{
    char *text = json_dumps(take, JSON_COMPACT);
    json_decref(take);
    respond(x, status, NULL, text ? text : clv_strdup("{}"));
}

/* Text that came from outside may hold anything; jansson takes UTF-8 only. */
static json_t *error_document(const char *text)
{
    json_t *value = json_string(text);
    if (!value) value = json_string("the request is malformed and not UTF-8");
    return json_pack("{s:o}", "error", value);
}

void clv_rest_reply_error(clv_exchange *x, const clv_error *err)
{
    clv_rest_reply(x, clv_status_http(err->status), error_document(err->text));
}

void clv_rest_refuse(clv_exchange *x, int status, const char *allow, const char *text)
{
    json_t *document = error_document(text);
    char *json = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    const clv_header header = {"allow", allow};
    respond(x, status, allow ? &header : NULL, json);
}

clv_status clv_rest_parse(const char *text, size_t n, json_t **out, clv_error *err)
{
    json_error_t why;
    json_t *document = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!document)
        return clv_fail(err, CLV_EINVAL, "request JSON, line %d, column %d: %s", why.line,
                        why.column, why.text);
    if (!json_is_object(document)) {
        json_decref(document);
        return clv_fail(err, CLV_EINVAL, "request JSON: not an object");
    }
    *out = document;
    return CLV_OK;
}
