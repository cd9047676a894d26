#include "net/service.h"

#include "base/mem.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void digest(const char *text, unsigned char out[SHA256_DIGEST_LENGTH])
{
    SHA256((const unsigned char *)text, strlen(text), out);
}

clv_service *clv_service_new(const clv_service_options *o)
{
    clv_service *s = clv_alloc(sizeof *s);
    s->refs = 1;
    s->loop = o->loop;
    s->handler = *o->handler;
    s->ctx = o->ctx;
    s->has_token = o->token != NULL;
    if (o->token) digest(o->token, s->token_digest);
    size_t n = 0;
    while (o->open_paths && o->open_paths[n]) n++;
    s->open_paths = clv_alloc_array(n + 1, sizeof *s->open_paths);
    for (size_t i = 0; i < n; i++) s->open_paths[i] = clv_strdup(o->open_paths[i]);
    s->body_max = o->body_max ? o->body_max : CLV_HTTP_BODY_MAX_DEFAULT;
    s->buffered_max = o->buffered_max ? o->buffered_max : CLV_HTTP_BUFFERED_MAX_DEFAULT;
    s->buffered_max = CLV_MAX(s->buffered_max, s->body_max);
    return s;
}

void clv_service_unref(clv_service *s)
{
    if (!s || --s->refs) return;
    for (char **path = s->open_paths; *path; path++) free(*path);
    free(s->open_paths);
    OPENSSL_cleanse(s->token_digest, sizeof s->token_digest);
    free(s);
}

void clv_service_enter(clv_service *s)
{
    s->refs++;
    s->active++;
}

void clv_service_leave(clv_service *s)
{
    if (--s->active == 0 && s->idle) s->idle(s->idle_arg);
    clv_service_unref(s);
}

static bool has_token(const clv_service *s, const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "bearer ", 7)) return false;
    authorization += 7;
    while (*authorization == ' ') authorization++;
    unsigned char got[SHA256_DIGEST_LENGTH];
    digest(authorization, got);
    return CRYPTO_memcmp(got, s->token_digest, sizeof got) == 0;
}

clv_status clv_service_admit(const clv_service *s, const char *path, const char *authorization,
                             clv_error *err)
{
    if (s->active > CLV_HTTP_EXCHANGES_MAX) {
        return clv_fail(err, CLV_EBUSY, "more than %d requests at once", CLV_HTTP_EXCHANGES_MAX);
    }
    if (!s->has_token || has_token(s, authorization)) return CLV_OK;
    for (char **open = s->open_paths; *open; open++) {
        if (!strcmp(*open, path)) return CLV_OK;
    }
    return clv_fail(err, CLV_EAUTH, "%s",
                    authorization ? "wrong bearer token" : "a bearer token is needed");
}

bool clv_service_buffer(clv_service *s, int64_t bytes)
{
    s->buffered = (size_t)((int64_t)s->buffered + bytes);
    return s->buffered <= s->buffered_max;
}
