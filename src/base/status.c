#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct status_row {
    const char *name, *text;
    int http, grpc;
} status_row;

static const status_row status_rows[CLV_STATUS_COUNT] = {
#define X(name, http, grpc, text) [CLV_##name] = {"CLV_" #name, text, http, grpc},
    CLV_STATUS_MAP(X)
#undef X
};

static const status_row *row_of(clv_status status)
{
    return &status_rows[(unsigned)status < CLV_STATUS_COUNT ? status : CLV_EINTERNAL];
}

static void one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

clv_status clv_vfail(clv_error *err, clv_status status, const char *fmt, va_list ap)
{
    if (!err) return status;
    char text[CLV_ERROR_TEXT_MAX]; /* the arguments may point into *err */
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n >= (int)sizeof text) memcpy(text + sizeof text - 4, "...", 4);
    one_line(text);
    err->status = status;
    memcpy(err->text, text, sizeof text);
    return status;
}

clv_status clv_fail(clv_error *err, clv_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    clv_vfail(err, status, fmt, ap);
    va_end(ap);
    return status;
}

clv_status clv_fail_errno(clv_error *err, const char *fmt, ...)
{
    int code = errno;
    clv_error place = {0};
    va_list ap;
    va_start(ap, fmt);
    clv_vfail(&place, CLV_EIO, fmt, ap);
    va_end(ap);
    const char *reason = strerrordesc_np(code);
    return clv_fail(err, code == ENOENT ? CLV_ENOTFOUND : CLV_EIO, "%s: %s", place.text,
                    reason ? reason : "unknown error");
}

clv_status clv_within(clv_error *err, const char *fmt, ...)
{
    if (!err) return CLV_EINTERNAL;
    clv_error place = {0};
    va_list ap;
    va_start(ap, fmt);
    clv_vfail(&place, err->status, fmt, ap);
    va_end(ap);
    return clv_fail(err, err->status, "%s: %s", place.text, err->text);
}

const char *clv_status_name(clv_status status)
{
    return row_of(status)->name;
}
const char *clv_status_text(clv_status status)
{
    return row_of(status)->text;
}
int clv_status_http(clv_status status)
{
    return row_of(status)->http;
}
int clv_status_grpc(clv_status status)
{
    return row_of(status)->grpc;
}

clv_status clv_status_from_http(int http)
{
    if (http >= 200 && http < 300) return CLV_OK;
    for (int i = CLV_EINVAL; i < CLV_STATUS_COUNT; i++)
        if (status_rows[i].http == http) return (clv_status)i;
    return CLV_EPROTO;
}

clv_status clv_status_from_grpc(int grpc)
{
    if (grpc == 0) return CLV_OK;
    for (int i = CLV_EINVAL; i < CLV_STATUS_COUNT; i++)
        if (status_rows[i].grpc == grpc) return (clv_status)i;
    return CLV_EPROTO;
}
