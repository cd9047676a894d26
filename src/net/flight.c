#include "net/flight.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/text.h"

#include <stdlib.h>
#include <string.h>

clv_flight *clv_flight_new(const clv_call *call)
{
    clv_flight *f = clv_alloc(sizeof *f);
    f->start_us = clv_now_us();
    f->deadline_us = call->deadline_us;
    f->done = call->done;
    f->arg = call->arg;
    f->body = clv_outbody_new(call->body, call->n_body);
    f->reply = clv_body_new();
    return f;
}

void clv_flight_free(clv_flight *f)
{
    if (!f) return;
    clv_timer_free(f->deadline);
    clv_headers_done(&f->fields);
    clv_headers_done(&f->reply_fields);
    clv_outbody_unref(f->body);
    clv_body_unref(f->reply);
    free(f);
}

void clv_flight_fail(clv_flight *f, const clv_error *err)
{
    if (f->over) return;
    f->over = true;
    f->error = *err;
}

clv_status clv_flight_header(clv_flight *f, const char *name, size_t name_n, const char *value,
                             size_t value_n, clv_error *err)
{
    if (!f->first_byte_us) f->first_byte_us = clv_now_us();
    if (name_n == 7 && !memcmp(name, ":status", 7)) {
        f->status = (int)strtol(value, NULL, 10); /* nghttp2 has checked: three digits */
        return CLV_OK;
    }
    if (name_n && *name == ':') return CLV_OK;
    if (clv_headers_add(&f->reply_fields, name, name_n, value, value_n, err)) {
        return clv_within(err, "reply");
    }
    return CLV_OK;
}

void clv_flight_headers_end(clv_flight *f)
{
    if (f->has_headers) return;
    if (f->status < 200) { /* "100 Continue" and its like */
        clv_headers_clear(&f->reply_fields);
        return;
    }
    f->has_headers = true;
    const char *length = clv_headers_get(&f->reply_fields, "content-length");
    if (length && !clv_text_to_size(length, &f->content_length)) f->content_length = 0;
}

clv_status clv_flight_data(clv_flight *f, const void *data, size_t n, clv_error *err)
{
    const unsigned char *b = data;
    if (!f->content_length && !clv_body_bytes(f->reply) && n >= 5 &&
        clv_text_is_grpc(clv_headers_get(&f->reply_fields, "content-type"))) {
        f->content_length =
            5 + ((size_t)b[1] << 24 | (size_t)b[2] << 16 | (size_t)b[3] << 8 | b[4]);
    }
    if (clv_body_append(f->reply, b, n, f->content_length, f->reply_max, err)) {
        return clv_within(err, "reply");
    }
    return CLV_OK;
}

void clv_flight_end(clv_flight *f)
{
    if (f->over) return;
    f->over = true;
    f->end_us = clv_now_us();
}

void clv_flight_land(clv_flight *f)
{
    clv_header fields[CLV_HTTP_HEADERS_MAX];
    bool failed = f->error.status != CLV_OK;
    clv_headers_view(&f->reply_fields, fields);
    if (clv_outbody_sent_us(f->body)) f->sent_us = clv_outbody_sent_us(f->body);
    clv_reply reply = {.status = failed ? 0 : f->status,
                       .error = failed ? &f->error : NULL,
                       .body = f->reply,
                       .headers = fields,
                       .n_headers = f->reply_fields.n,
                       .start_us = f->start_us,
                       .sent_us = f->sent_us,
                       .first_byte_us = f->first_byte_us,
                       .end_us = f->end_us,
                       .connect_us = f->connect_us};
    f->done(f->arg, &reply);
}

const char *clv_reply_header(const clv_reply *r, const char *lower_case_name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!strcmp(r->headers[i].name, lower_case_name)) return r->headers[i].value;
    }
    return NULL;
}
