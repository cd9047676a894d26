/* A model that a peer sends: a stream of "NAME SIZE\n" and bytes for each file, the .onnx first. */
#include "serve/served.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "onnx/onnx.h"
#include "repo/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLV_PUSH_FILES_MAX = 1000, CLV_PUSH_HEAD_MAX = 200 };
#define CLV_PUSH_BYTES_MAX ((uint64_t)16 << 30)

struct clv_model_push {
    clv_server *s;
    char *name, *version, *dir;
    char digest[CLV_DIGEST_TEXT];
    char head[CLV_PUSH_HEAD_MAX]; /* of the next file, as far as it has come */
    size_t head_len, n_files;
    int fd;               /* of the file that is being written; -1: a head is next */
    uint64_t left, total; /* bytes of this file still to come, and of all */
    bool known;           /* the same model is here already: the bytes are only counted */
    clv_server_done_fn done;
    void *arg;
};

static void push_free(clv_model_push *p)
{
    if (p->fd >= 0) close(p->fd);
    if (p->dir) clv_dir_remove(p->dir);
    free(p->dir);
    free(p->name);
    free(p->version);
    free(p);
}

static clv_status check_place(clv_model_push *p, clv_error *err)
{
    clv_served *m = clv_server_find(p->s, p->name, p->version);
    if (!m) return CLV_OK;
    switch (atomic_load(&m->state)) {
    case CLV_SERVED_FAILED: return CLV_OK;
    case CLV_SERVED_LOADING:
        return clv_fail(err, CLV_EBUSY, "model '%s' version %s is being loaded; ask again later",
                        p->name, p->version);
    case CLV_SERVED_READY:
        p->known = strcmp(clv_network_digest(m->network), p->digest) == 0;
        if (p->known) return CLV_OK;
    }
    return clv_fail(err, CLV_EEXIST,
                    "model '%s' version %s is here with another digest; push it as another version",
                    p->name, p->version);
}

clv_status clv_server_push_begin(clv_server *s, const char *model, const char *version,
                                 const char *digest, clv_model_push **out, clv_error *err)
{
    if (!s->o.accept_push)
        return clv_fail(
            err, CLV_EDENIED,
            "model '%.128s': this node takes no models from peers; start it with --accept-push",
            model);
    if (clv_repository_check_name(model, err) || clv_repository_check_version(version, err))
        return err->status;
    if (!digest || strlen(digest) != CLV_DIGEST_TEXT - 1)
        return clv_fail(err, CLV_EINVAL,
                        "model '%s': header x-cleave-digest with 64 hexadecimal digits is missing",
                        model);
    clv_model_push *p = clv_alloc(sizeof *p);
    *p = (clv_model_push){
        .s = s, .name = clv_strdup(model), .version = clv_strdup(version), .fd = -1};
    memcpy(p->digest, digest, CLV_DIGEST_TEXT);
    clv_status status = check_place(p, err);
    if (!status && !p->known) {
        p->dir = clv_format("%s/.incoming-%s-%s-%d-%d", s->models_dir, model, version,
                            (int)getpid(), atomic_fetch_add(&s->pushes, 1));
        clv_dir_remove(p->dir); /* of a process of this number that was killed */
        status = clv_dir_make(p->dir, err);
    }
    if (status) {
        push_free(p);
        return status;
    }
    *out = p;
    return CLV_OK;
}

/* A head is complete: "NAME SIZE". */
static clv_status begin_file(clv_model_push *p, clv_error *err)
{
    char file[CLV_PUSH_HEAD_MAX];
    unsigned long long bytes;
    int end = 0;
    p->head[p->head_len] = 0;
    if (sscanf(p->head, "%150s %15llu%n", file, &bytes, &end) != 2 || p->head[end] != 0 ||
        !clv_repository_file_ok(file))
        return clv_fail(err, CLV_EINVAL, "pushed file head '%.100s': 'NAME SIZE' is right",
                        p->head);
    if (++p->n_files > CLV_PUSH_FILES_MAX)
        return clv_fail(err, CLV_ELIMIT, "more than %d pushed files", CLV_PUSH_FILES_MAX);
    p->total += bytes;
    if (p->total > CLV_PUSH_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "pushed file '%s': more than 16 GiB in all", file);
    p->left = bytes;
    p->head_len = 0;
    if (p->known) return CLV_OK;
    CLV_AUTO(clv_text_free)
    char *path = clv_path_join(p->dir, p->n_files == 1 ? "model.onnx" : file);
    p->fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    return p->fd < 0 ? clv_fail_errno(err, "pushed file '%s'", file) : CLV_OK;
}

static clv_status end_file(clv_model_push *p, clv_error *err)
{
    if (p->fd < 0) return CLV_OK;
    int fd = p->fd;
    p->fd = -1;
    return close(fd) ? clv_fail_errno(err, "pushed model '%s'", p->name) : CLV_OK;
}

static clv_status store(clv_model_push *p, const char *bytes, size_t n, clv_error *err)
{
    while (!p->known && n > 0) {
        ssize_t done = write(p->fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return clv_fail_errno(err, "pushed model '%s'", p->name);
        bytes += done;
        n -= (size_t)done;
    }
    return CLV_OK;
}

clv_status clv_model_push_write(clv_model_push *p, const void *bytes, size_t n, clv_error *err)
{
    for (const char *at = bytes, *end = at + n; at < end;) {
        if (p->left > 0) {
            size_t take = (size_t)CLV_MIN(p->left, (uint64_t)(end - at));
            if (store(p, at, take, err)) return err->status;
            p->left -= take;
            at += take;
            if (p->left == 0 && end_file(p, err)) return err->status;
        } else if (*at == '\n') {
            at++;
            if (begin_file(p, err)) return err->status;
            if (p->left == 0 && end_file(p, err)) return err->status;
        } else if (p->head_len + 1 < sizeof p->head) {
            p->head[p->head_len++] = *at++;
        } else {
            return clv_fail(err, CLV_ELIMIT, "pushed file head longer than %d bytes",
                            CLV_PUSH_HEAD_MAX - 1);
        }
    }
    return CLV_OK;
}

/* The files are here: do they make the model that was announced? Then into place with them. */
static clv_status accept(clv_model_push *p, char **path, clv_error *err)
{
    if (p->left > 0 || p->head_len > 0 || p->n_files == 0)
        return clv_fail(err, CLV_EINVAL, "pushed model '%s': the body ended %llu bytes early",
                        p->name, (unsigned long long)p->left);
    CLV_AUTO(clv_text_free) char *incoming = clv_path_join(p->dir, "model.onnx");
    clv_onnx *model;
    if (clv_onnx_open(incoming, &model, err)) return clv_within(err, "pushed model '%s'", p->name);
    char digest[CLV_DIGEST_TEXT];
    clv_onnx_digest(model, digest);
    clv_onnx_free(model);
    bool same = strcmp(digest, p->digest) == 0;
    if (!same)
        return clv_fail(err, CLV_EMISMATCH,
                        "pushed model '%s': the bytes do not have the digest that was announced",
                        p->name);
    CLV_AUTO(clv_text_free) char *folder = clv_path_join(p->s->models_dir, p->name);
    CLV_AUTO(clv_text_free) char *place = clv_path_join(folder, p->version);
    if (clv_dir_make(folder, err)) return err->status;
    if (rename(p->dir, place)) {
        if (errno == EEXIST || errno == ENOTEMPTY)
            return clv_fail(err, CLV_EEXIST,
                            "model '%s': version %s is in the repository already; push it as "
                            "another version",
                            p->name, p->version);
        return clv_fail_errno(err, "pushed model '%s' into '%s'", p->name, place);
    }
    clv_free(&p->dir);
    *path = clv_path_join(place, "model.onnx");
    return CLV_OK;
}

static void push_run(void *arg, int64_t queue_us)
{
    (void)queue_us;
    clv_model_push *p = arg;
    CLV_AUTO(clv_text_free) char *path = NULL;
    clv_error err = {0};
    if (accept(p, &path, &err)) {
        clv_dir_remove(p->dir); /* before the answer: whoever has it finds nothing left behind */
        clv_free(&p->dir);
        p->done(p->arg, &err);
    } else {
        clv_log(CLV_LOG_INFO, "serve", "model pushed", "model=%s version=%s", p->name, p->version);
        clv_server_add(p->s, p->name, p->version, path, p->done, p->arg);
    }
    atomic_fetch_sub(&p->s->loading, 1);
    push_free(p);
}

void clv_model_push_end(clv_model_push *take, clv_server_done_fn done, void *arg)
{
    clv_error err = {0};
    take->done = done;
    take->arg = arg;
    if (take->known) {
        done(arg, NULL);
        push_free(take);
        return;
    }
    atomic_fetch_add(&take->s->loading, 1);
    if (clv_lane_submit(take->s->build, &(clv_job){.run = push_run, .arg = take}, &err)) {
        atomic_fetch_sub(&take->s->loading, 1);
        done(arg, &err);
        push_free(take);
    }
}

void clv_model_push_abort(clv_model_push *take)
{
    if (take) push_free(take);
}
