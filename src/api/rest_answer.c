/* The answer: a request's outputs into JSON, with raw tensors behind it where asked for. */
#include "api/json_data.h"
#include "api/json_string.h"
#include "api/rest_infer.h"
#include "api/rest_reply.h"
#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the slices share: it dies with the last of them. */
typedef struct sent {
    atomic_size_t slices;
    clv_buf json;
    clv_request *r;
} sent;

static void sent_release(void *arg)
{
    sent *s = arg;
    if (atomic_fetch_sub(&s->slices, 1) != 1) return;
    clv_request_free(s->r);
    clv_buf_done(&s->json);
    free(s);
}

static void asker_free(clv_rest_asker *asker)
{
    free(asker->binary);
    free(asker);
}

static bool is_binary(const clv_rest_asker *asker, const clv_request *r, const char *output)
{
    for (size_t i = 0; i < r->wanted.n; i++)
        if (strcmp(r->wanted.items[i], output) == 0)
            return asker->binary[i] < 0 ? asker->all_binary : asker->binary[i] > 0;
    return asker->all_binary;
}

/* `"key":"text"`, or nothing if there is no text. A name that is not UTF-8 becomes "?". */
static void put_text(clv_buf *b, const char *before, const char *key, const char *text)
{
    if (!text) return;
    clv_buf_printf(b, "%s\"%s\":", before, key);
    if (!clv_json_string_write(b, text, strlen(text))) clv_buf_text(b, "\"?\"");
}

static clv_status put_output(clv_buf *b, const clv_tensor *t, bool binary, clv_error *err)
{
    put_text(b, "{", "name", t->name);
    clv_buf_printf(b, ",\"datatype\":\"%s\",\"shape\":[", clv_dtype_oip(t->dtype));
    for (int d = 0; d < t->shape.rank; d++)
        clv_buf_printf(b, "%s%" PRId64, d ? "," : "", t->shape.dim[d]);
    clv_buf_text(b, "],");
    clv_status st = CLV_OK;
    if (binary) {
        clv_buf_printf(b, "\"parameters\":{\"binary_data_size\":%zu}", t->bytes);
    } else {
        clv_buf_text(b, "\"data\":");
        st = clv_json_data_write(b, t, err);
    }
    clv_buf_char(b, '}');
    return st;
}

/* What was predicted, for who asked to be told. */
static void put_prediction(clv_buf *b, const clv_request *r)
{
    if (!r->explain || !r->predicted.known) return;
#define X(name, about)                                                                             \
    clv_buf_printf(b, ",\"cleave_predicted_" #name "\":%" PRId64, r->predicted.us.name);           \
    clv_buf_printf(b, ",\"cleave_predicted_" #name "_sigma\":%" PRId64, r->predicted.sigma_us.name);
    CLV_TIMING_MAP(X)
#undef X
}

/* Last in the document, so that the time to write the outputs is in it. */
static void put_parameters(clv_buf *b, clv_request *r, int64_t start_us)
{
    int64_t encode_us = clv_now_us() - start_us;
    r->timing.encode_us += encode_us;
    r->timing.total_us += encode_us;
    clv_buf_text(b, ",\"parameters\":{");
    const char *before = "";
#define X(name, about)                                                                             \
    clv_buf_printf(b, "%s\"cleave_" #name "\":%" PRId64, before, r->timing.name);                  \
    before = ",";
    CLV_TIMING_MAP(X)
#undef X
    const clv_trip trip = clv_request_trip(r);
    CLV_AUTO(clv_text_free) char *nodes = clv_trip_text(&trip);
    put_text(b, before, "cleave_trip", nodes);
    CLV_AUTO(clv_text_free) char *crossed = clv_crossings_text(&r->crossed);
    if (r->crossed.n) put_text(b, before, "cleave_crossed", crossed);
    if (r->plan[0]) put_text(b, before, "cleave_plan", r->plan);
    if (r->recovered[0]) put_text(b, before, "cleave_recovered", r->recovered);
    if (r->shared) clv_buf_text(b, ",\"cleave_shared\":true");
    put_prediction(b, r);
    if (r->hedged[0]) put_text(b, before, "cleave_hedged", r->hedged);
    clv_buf_char(b, '}');
}

static clv_status put_answer(clv_buf *b, const clv_rest_asker *asker, clv_request *r,
                             clv_error *err)
{
    int64_t start_us = clv_now_us();
    put_text(b, "{", "model_name", r->model);
    if (r->version && *r->version) put_text(b, ",", "model_version", r->version);
    put_text(b, ",", "id", r->id);
    clv_buf_text(b, ",\"outputs\":[");
    for (size_t i = 0; i < r->outputs.n; i++) {
        const clv_tensor *t = &r->outputs.items[i];
        if (i) clv_buf_char(b, ',');
        clv_status st = put_output(b, t, is_binary(asker, r, t->name), err);
        if (st) return st;
    }
    clv_buf_char(b, ']');
    put_parameters(b, r, start_us);
    clv_buf_char(b, '}');
    return CLV_OK;
}

enum { LENGTH_ROOM = 24 };

static void respond(const clv_rest_asker *asker, clv_request *take, clv_buf *take_json)
{
    sent *s = clv_alloc(sizeof *s);
    *s = (sent){.json = *take_json, .r = take};
    clv_slice *slices = clv_alloc_array(1 + take->outputs.n, sizeof *slices);
    size_t n = 0;
    bool raw = false;
    slices[n++] = (clv_slice){s->json.data, s->json.len, sent_release, s};
    for (size_t i = 0; i < take->outputs.n; i++) {
        const clv_tensor *t = &take->outputs.items[i];
        if (!is_binary(asker, take, t->name)) continue;
        raw = true;
        if (t->bytes) slices[n++] = (clv_slice){t->data, t->bytes, sent_release, s};
    }
    atomic_store(&s->slices, n);
    char length[LENGTH_ROOM];
    snprintf(length, sizeof length, "%zu", s->json.len);
    const clv_header headers[] = {
        {"content-type", raw ? "application/octet-stream" : "application/json"},
        {"inference-header-content-length", length}};
    clv_exchange_respond(asker->x, &(clv_response){.status = 200,
                                                   .headers = headers,
                                                   .n_headers = raw ? 2 : 1,
                                                   .body = slices,
                                                   .n_body = n});
    free(slices);
}

void clv_rest_answer(clv_request *take)
{
    clv_rest_asker *asker = take->asker;
    clv_buf json = {0};
    clv_error err = take->error;
    if (!err.status && put_answer(&json, asker, take, &err) == CLV_OK) {
        respond(asker, take, &json);
    } else {
        clv_rest_reply_error(asker->x, &err);
        clv_buf_done(&json);
        clv_request_free(take);
    }
    asker_free(asker);
}
