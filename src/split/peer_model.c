/* What two nodes say to each other about a model: has it, costs it, make this cut ready, take it. HTTP with JSON. */
#include "split/peer_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLV_ASK_PATIENCE_US     10000000
#define CLV_PROFILE_PATIENCE_US 600000000 /* the peer may have to measure first */
#define CLV_PUSH_PATIENCE_US    3600000000

/* One question and where its answer goes. */
typedef struct question {
    clv_peer_model_fn model;
    clv_peer_profile_fn profile;
    clv_peer_chain_fn chain;
    clv_peer_done_fn done;
    void *arg;
} question;

/* NULL if the reply is a good one; else `err` says what the peer said, or why it said nothing. */
static const clv_error *reply_error(const clv_reply *reply, clv_error *err)
{
    if (reply->error) return reply->error;
    if (reply->status >= 200 && reply->status < 300) return NULL;
    json_t *doc = json_loadb(clv_body_data(reply->body), clv_body_bytes(reply->body), 0, NULL);
    const char *text = json_string_value(json_object_get(doc, "error"));
    clv_fail(err, clv_status_from_http(reply->status), "%s",
             text ? text : "the peer gave no reason");
    if (reply->status == 413)
        err->status = CLV_EDENIED; /* too large for it: no use in asking again at once */
    json_decref(doc);
    return err;
}

static void on_model(void *arg, const clv_reply *reply)
{
    question *q = arg;
    clv_error err = {0};
    const clv_error *error = reply_error(reply, &err);
    clv_peer_model model = {0};
    if (!error) {
        json_t *doc = json_loadb(clv_body_data(reply->body), clv_body_bytes(reply->body), 0, NULL);
        const json_t *told = json_object_get(doc, "parameters");
        json_int_t protocol = json_integer_value(json_object_get(told, "cleave_protocol"));
        const char *digest = json_string_value(json_object_get(told, "digest"));
        model.protocol = protocol > 0 && protocol < INT_MAX ? (int)protocol : 0;
        if (digest && strlen(digest) == CLV_DIGEST_TEXT - 1)
            memcpy(model.digest, digest, CLV_DIGEST_TEXT);
        json_decref(doc);
    }
    q->model(q->arg, error ? NULL : &model, error);
    free(q);
}

static void on_profile(void *arg, const clv_reply *reply)
{
    question *q = arg;
    clv_error err = {0};
    const clv_error *error = reply_error(reply, &err);
    clv_profile *profile = NULL;
    if (!error && clv_profile_parse(clv_body_data(reply->body), clv_body_bytes(reply->body),
                                    &profile, &err)) {
        clv_within(&err, "the peer's profile");
        error = &err;
    }
    q->profile(q->arg, profile, error);
    free(q);
}

static void on_chain(void *arg, const clv_reply *reply)
{
    question *q = arg;
    clv_error err = {0};
    const clv_error *error = reply_error(reply, &err);
    clv_chain *chain = NULL;
    if (!error &&
        clv_chain_parse(clv_body_data(reply->body), clv_body_bytes(reply->body), &chain, &err)) {
        clv_within(&err, "the peer's chain");
        error = &err;
    }
    q->chain(q->arg, chain, error);
    free(q);
}

static void on_done(void *arg, const clv_reply *reply)
{
    question *q = arg;
    clv_error err = {0};
    q->done(q->arg, reply_error(reply, &err));
    free(q);
}

/* "/v2/models/M[/versions/V]" and what follows. Heap text. */
static char *model_path(const char *model, const char *version, const char *tail)
{
    return version && *version ? clv_format("/v2/models/%s/versions/%s%s", model, version, tail)
                               : clv_format("/v2/models/%s%s", model, tail);
}

static void ask(clv_peer *p, const char *method, char *take_path, const clv_slice *body,
                int64_t patience_us, void (*on_reply)(void *, const clv_reply *), question q)
{
    question *held = clv_alloc(sizeof *held);
    *held = q;
    clv_client_call(p->client, &(clv_call){.method = method,
                                           .path = take_path,
                                           .body = body,
                                           .n_body = body ? 1 : 0,
                                           .deadline_us = clv_now_us() + patience_us,
                                           .done = on_reply,
                                           .arg = held});
    free(take_path);
}

void clv_peer_get_model(clv_peer *p, const char *model, const char *version, clv_peer_model_fn done,
                        void *arg)
{
    ask(p, "GET", model_path(model, version, ""), NULL, CLV_ASK_PATIENCE_US, on_model,
        (question){.model = done, .arg = arg});
}

void clv_peer_get_profile(clv_peer *p, const char *model, const char *version,
                          clv_peer_profile_fn done, void *arg)
{
    ask(p, "GET", model_path(model, version, "/profile"), NULL, CLV_PROFILE_PATIENCE_US, on_profile,
        (question){.profile = done, .arg = arg});
}

void clv_peer_get_chain(clv_peer *p, const char *model, const char *version, bool profiles,
                        clv_peer_chain_fn done, void *arg)
{
    ask(p, "GET", model_path(model, version, profiles ? "/chain?profiles=true" : "/chain"), NULL,
        CLV_ASK_PATIENCE_US, on_chain, (question){.chain = done, .arg = arg});
}

void clv_peer_prepare(clv_peer *p, const char *model, const char *version, const char *const *names,
                      size_t n, const char *route, clv_peer_done_fn done, void *arg)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_string(names[i]));
    json_t *doc = json_pack("{s:o}", "inputs", list);
    if (route && *route) json_object_set_new(doc, "route", json_string(route));
    char *text = json_dumps(doc, JSON_COMPACT);
    json_decref(doc);
    clv_slice body = {.data = text, .bytes = strlen(text), .release = free, .owner = text};
    ask(p, "POST", model_path(model, version, "/prepare"), &body, CLV_PROFILE_PATIENCE_US, on_done,
        (question){.done = done, .arg = arg});
}

/* The files of a model go as one body: for each "NAME SIZE\n" and its bytes. */

static void unmap(void *owner)
{
    clv_map_done(owner);
    free(owner);
}

static clv_status bundle_add(clv_slice *slices, size_t *n, const char *path, clv_error *err)
{
    clv_map map;
    clv_status status = clv_map_open(path, &map, err);
    if (status) return status;
    const char *slash = strrchr(path, '/');
    char *head = clv_format("%s %zu\n", slash ? slash + 1 : path, map.bytes);
    clv_map *held = clv_alloc(sizeof *held);
    *held = map;
    slices[(*n)++] =
        (clv_slice){.data = head, .bytes = strlen(head), .release = free, .owner = head};
    slices[(*n)++] =
        (clv_slice){.data = map.data, .bytes = map.bytes, .release = unmap, .owner = held};
    return CLV_OK;
}

void clv_peer_push(clv_peer *p, const char *model, const char *version, const char *digest,
                   const char *const *files, size_t n, clv_peer_done_fn done, void *arg)
{
    clv_error err = {0};
    CLV_AUTO(clv_free) clv_slice *slices = clv_alloc_array(2 * n, sizeof *slices);
    size_t n_slices = 0;
    for (size_t i = 0; i < n; i++)
        if (bundle_add(slices, &n_slices, files[i], &err)) {
            for (size_t k = 0; k < n_slices; k++) slices[k].release(slices[k].owner);
            done(arg, &err);
            return;
        }
    question *q = clv_alloc(sizeof *q);
    *q = (question){.done = done, .arg = arg};
    CLV_AUTO(clv_text_free)
    char *path =
        clv_format("/v2/models/%s/versions/%s/file", model, version && *version ? version : "1");
    clv_header header = {"x-cleave-digest", digest};
    clv_client_call(p->client, &(clv_call){.method = "PUT",
                                           .path = path,
                                           .headers = &header,
                                           .n_headers = 1,
                                           .body = slices,
                                           .n_body = n_slices,
                                           .deadline_us = clv_now_us() + CLV_PUSH_PATIENCE_US,
                                           .done = on_done,
                                           .arg = q});
}
