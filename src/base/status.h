/* Status codes and errors: the one error convention of cleave.
 *
 * A function that can fail returns a `clv_status` and takes a caller-owned `clv_error *err` as its
 * last parameter. On failure `*err` says in one line which thing was wrong, its value, and what
 * would be right; outputs are left untouched. On success `*err` is untouched. `err` may be NULL.
 *
 *     clv_error err = {0};
 *     if (clv_file_map(path, &map, &err)) return clv_within(&err, "model '%s'", name);
 *     ...
 *     return clv_fail(err, CLV_EINVAL, "tensor '%s': %zu bytes, its shape needs %zu", n, got,
 * want);
 *
 * Where it is detected, an error is set once with clv_fail(); callers only add place with
 * clv_within(). Library code returns errors and never logs them; the program logs once. Threads: an
 * error belongs to one thread at a time, it holds no pointers and may be copied.
 */
#ifndef CLV_BASE_STATUS_H
#define CLV_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

/* name, HTTP status, gRPC status, text */
#define CLV_STATUS_MAP(X)                                                                          \
    X(OK, 200, 0, "ok")                                                                            \
    X(EUSAGE, 400, 3, "usage")                                                                     \
    X(EINVAL, 400, 3, "invalid argument")                                                          \
    X(ENOTFOUND, 404, 5, "not found")                                                              \
    X(EEXIST, 409, 6, "already exists")                                                            \
    X(EAUTH, 401, 16, "not authenticated")                                                         \
    X(EDENIED, 403, 7, "permission denied")                                                        \
    X(EMISMATCH, 412, 9, "precondition failed")                                                    \
    X(ELIMIT, 413, 8, "over a limit")                                                              \
    X(EBUSY, 429, 8, "too busy")                                                                   \
    X(EINFEASIBLE, 422, 9, "infeasible")                                                           \
    X(EUNSUPPORTED, 501, 12, "not supported")                                                      \
    X(EUNAVAIL, 503, 14, "unavailable")                                                            \
    X(ETIMEOUT, 504, 4, "deadline exceeded")                                                       \
    X(ECANCELED, 499, 1, "cancelled")                                                              \
    X(EPROTO, 502, 13, "protocol error")                                                           \
    X(EIO, 500, 13, "input/output error")                                                          \
    X(EENGINE, 500, 13, "engine error")                                                            \
    X(EINTERNAL, 500, 13, "internal error")

typedef enum clv_status {
#define X(name, http, grpc, text) CLV_##name,
    CLV_STATUS_MAP(X)
#undef X
        CLV_STATUS_COUNT
} clv_status;

#define CLV_ERROR_TEXT_MAX 512

typedef struct clv_error {
    clv_status status;
    char text[CLV_ERROR_TEXT_MAX]; /* one line, no trailing newline, always terminated */
} clv_error;

/* The result of the function must be looked at. */
#define CLV_MUST              __attribute__((warn_unused_result))
#define CLV_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Set `*err` and return `status`, so that `return clv_fail(...)` is the whole error path.
 * A text that does not fit is cut and ends in "...". Control characters become spaces. */
clv_status clv_fail(clv_error *err, clv_status status, const char *fmt, ...) CLV_PRINTF(3, 4);
clv_status clv_vfail(clv_error *err, clv_status status, const char *fmt, va_list ap);

/* As clv_fail(CLV_EIO, ...) with ": <text of errno>" behind; ENOENT becomes CLV_ENOTFOUND. */
clv_status clv_fail_errno(clv_error *err, const char *fmt, ...) CLV_PRINTF(2, 3);

/* Put "<place>: " before the text of an error that is already set; returns its status. */
clv_status clv_within(clv_error *err, const char *fmt, ...) CLV_PRINTF(2, 3);

/* Constant names and codes of a status: "CLV_EINVAL", "invalid argument", 400, 3. */
const char *clv_status_name(clv_status status);
const char *clv_status_text(clv_status status);
int clv_status_http(clv_status status);
int clv_status_grpc(clv_status status);

/* The status that best matches what a peer sent; unknown codes become CLV_EPROTO. */
clv_status clv_status_from_http(int http);
clv_status clv_status_from_grpc(int grpc);

#endif
