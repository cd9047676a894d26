/* Models that peers send: taken when they are what was announced, and nothing is left behind otherwise. */
#include "onnx/onnx.h"
#include "serve/rig.h"

#include <dirent.h>

typedef struct body {
    char *head;
    clv_map file;
    char digest[CLV_DIGEST_TEXT];
} body;

/* The chain as it would be pushed. */
static body body_of_chain(rig *r)
{
    body b;
    clv_error err = {0};
    clv_model_info info;
    assert_ok(clv_server_model(r->server, "chain", "", &info, &err), err);
    snprintf(b.digest, sizeof b.digest, "%s", info.digest);
    assert_ok(clv_map_open(clv_network_path(info.network), &b.file, &err), err);
    b.head = clv_format("model.onnx %zu\n", b.file.bytes);
    clv_model_info_done(&info);
    return b;
}

static void body_done(body *b)
{
    clv_map_done(&b->file);
    free(b->head);
}

/* Push head and `bytes` of the file, in pieces; what came of it. */
static clv_error push(rig *r, const char *name, const char *version, const char *digest,
                      const char *head, const void *bytes, size_t n)
{
    clv_error err = {0};
    clv_model_push *p;
    if (clv_server_push_begin(r->server, name, version, digest, &p, &err)) return err;
    clv_status status = CLV_OK;
    for (const char *c = head; *c && !status; c++) status = clv_model_push_write(p, c, 1, &err);
    for (size_t at = 0; at < n && !status; at += 1000)
        status =
            clv_model_push_write(p, (const char *)bytes + at, CLV_MIN(n - at, (size_t)1000), &err);
    if (status) {
        clv_model_push_abort(p);
        return err;
    }
    edge_call end = {0};
    clv_model_push_end(p, edge_called, &end);
    await(atomic_load(&end.done) == 1);
    return end.error;
}

/* Nothing of a push is left beside the models. */
static void expect_folders(rig *r, int expected)
{
    int n = 0;
    DIR *d = opendir(r->models);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    assert_int_equal(n, expected);
}

static void expect(clv_error got, clv_status status, const char *part)
{
    if (got.status != status || !strstr(got.text, part))
        fail_msg("got %s '%s', not %s '%s'", clv_status_name(got.status), got.text,
                 clv_status_name(status), part);
}

static void serve_for_push(rig *r, body *b)
{
    serve(r, true);
    await(clv_server_ready(r->server));
    *b = body_of_chain(r);
}

static void a_good_model_answers_at_once(void **state)
{
    rig *r = *state;
    body b;
    serve_for_push(r, &b);
    expect(push(r, "new", "3", b.digest, b.head, b.file.data, b.file.bytes), CLV_OK, "");
    asked a;
    clv_request *q = question(&a, numbers("x", 1, 4));
    free(q->model);
    q->model = clv_strdup("new");
    clv_server_submit(r->server, q);
    q = answer_of(&a);
    assert_ok(q->error.status, q->error);
    assert_string_equal(q->version, "3");
    clv_request_free(q);
    expect_folders(r, 2);
    /* the same again is fine, another digest is not */
    expect(push(r, "new", "3", b.digest, b.head, b.file.data, b.file.bytes), CLV_OK, "");
    b.digest[0] = b.digest[0] == 'a' ? 'b' : 'a';
    expect(push(r, "new", "3", b.digest, b.head, b.file.data, b.file.bytes), CLV_EEXIST,
           "push it as another version");
    expect_folders(r, 2);
    body_done(&b);
}

static void a_push_must_be_allowed(void **state)
{
    rig *r = *state;
    serve(r, false);
    await(clv_server_ready(r->server));
    body b = body_of_chain(r);
    expect(push(r, "new", "1", b.digest, b.head, b.file.data, b.file.bytes), CLV_EDENIED,
           "--accept-push");
    body_done(&b);
}

static void bad_names_are_refused(void **state)
{
    rig *r = *state;
    body b;
    serve_for_push(r, &b);
    static const char *const names[] = {"..", "a/b", "../x", ".x", ""};
    for (size_t i = 0; i < CLV_COUNT(names); i++)
        expect(push(r, names[i], "1", b.digest, "", NULL, 0), CLV_EINVAL, "model name");
    expect(push(r, "new", "../1", b.digest, "", NULL, 0), CLV_EINVAL, "model version");
    expect(push(r, "new", "1", "short", "", NULL, 0), CLV_EINVAL, "x-cleave-digest");
    expect(push(r, "new", "1", NULL, "", NULL, 0), CLV_EINVAL, "x-cleave-digest");
    static const char *const heads[] = {"../../etc/x 5\n", ".hidden 5\n", "a/b 5\n", "x\n",
                                        "x -5\n",          "x 5 6\n",     "\n",      " \n",
                                        "x 99999999999\n", "x 1e3\n"};
    for (size_t i = 0; i < CLV_COUNT(heads); i++) {
        clv_error err = push(r, "new", "1", b.digest, heads[i], NULL, 0);
        if (err.status != CLV_EINVAL && err.status != CLV_ELIMIT)
            fail_msg("%s: %s", heads[i], clv_status_name(err.status));
    }
    char endless[500];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = 0;
    expect(push(r, "new", "1", b.digest, endless, NULL, 0), CLV_ELIMIT, "head longer");
    expect_folders(r, 1);
    body_done(&b);
}

static void other_bytes_than_announced_are_refused(void **state)
{
    rig *r = *state;
    body b;
    serve_for_push(r, &b);
    expect(push(r, "new", "1", b.digest, b.head, b.file.data, b.file.bytes - 1), CLV_EINVAL,
           "the body ended 1 bytes early");
    expect(push(r, "new", "1", b.digest, "", NULL, 0), CLV_EINVAL, "the body ended");
    expect(push(r, "new", "1", b.digest, "model.onnx 4\n", "junk", 4), CLV_EINVAL,
           "pushed model 'new'");
    b.digest[0] = b.digest[0] == 'a' ? 'b' : 'a';
    expect(push(r, "new", "1", b.digest, b.head, b.file.data, b.file.bytes), CLV_EMISMATCH,
           "do not have the digest");
    expect_folders(r, 1);
    body_done(&b);
}

static void two_pushes_of_one_model_do_not_mix(void **state)
{
    rig *r = *state;
    body b;
    clv_error err = {0};
    serve_for_push(r, &b);
    clv_model_push *p[2];
    for (int i = 0; i < 2; i++)
        assert_ok(clv_server_push_begin(r->server, "new", "1", b.digest, &p[i], &err), err);
    for (int i = 0; i < 2; i++)
        assert_ok(clv_model_push_write(p[i], b.head, strlen(b.head), &err), err);
    for (int i = 0; i < 2; i++)
        assert_ok(clv_model_push_write(p[i], b.file.data, b.file.bytes, &err), err);
    edge_call ends[2] = {0};
    for (int i = 0; i < 2; i++) clv_model_push_end(p[i], edge_called, &ends[i]);
    for (int i = 0; i < 2; i++) await(atomic_load(&ends[i].done) == 1);
    expect(ends[0].error, CLV_OK, "");
    expect(ends[1].error, CLV_EEXIST, "in the repository already");
    expect_folders(r, 2);
    body_done(&b);
}

static clv_request *ask_version(rig *r, asked *a, const char *version)
{
    clv_request *q = question(a, numbers("x", 1, 4));
    free(q->version);
    q->version = clv_strdup(version);
    clv_server_submit(r->server, q);
    return answer_of(a);
}

static void a_version_that_cannot_be_loaded_hides_none(void **state)
{
    rig *r = *state;
    body b;
    asked a;
    clv_error err = {0};
    clv_onnx *onnx;
    serve_for_push(r, &b);
    body_done(&b);
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_node(m, "Frobnicate", "x", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,4");
    CLV_AUTO(clv_text_free) char *path = clv_path_join(r->folder, "odd.onnx");
    model_write(m, path);
    model_free(m);
    assert_ok(clv_onnx_open(path, &onnx, &err), err);
    clv_onnx_digest(onnx, b.digest);
    clv_onnx_free(onnx);
    assert_ok(clv_map_open(path, &b.file, &err), err);
    b.head = clv_format("model.onnx %zu\n", b.file.bytes);
    clv_error got = push(r, "chain", "2", b.digest, b.head, b.file.data, b.file.bytes);
    if (!got.status) fail_msg("a network of unknown operators was loaded");
    clv_request *q = ask_version(r, &a, "2");
    expect(q->error, CLV_EUNAVAIL, "could not be loaded");
    clv_request_free(q);
    q = ask_version(r, &a, "");
    assert_ok(q->error.status, q->error);
    assert_string_equal(q->version, "1");
    clv_request_free(q);
    body_done(&b);
}

static void an_end_during_pushes_is_clean(void **state)
{
    rig *r = *state;
    body b;
    clv_error err = {0};
    serve_for_push(r, &b);
    clv_model_push *p;
    assert_ok(clv_server_push_begin(r->server, "new", "1", b.digest, &p, &err), err);
    assert_ok(clv_model_push_write(p, b.head, strlen(b.head), &err), err);
    assert_ok(clv_model_push_write(p, b.file.data, b.file.bytes, &err), err);
    edge_call end = {0};
    clv_model_push_end(p, edge_called, &end);
    unserve(r);
    assert_int_equal(end.done, 1);
    body_done(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_good_model_answers_at_once),
        TEST(a_push_must_be_allowed),
        TEST(bad_names_are_refused),
        TEST(other_bytes_than_announced_are_refused),
        TEST(two_pushes_of_one_model_do_not_mix),
        TEST(a_version_that_cannot_be_loaded_hides_none),
        TEST(an_end_during_pushes_is_clean),
    };
#undef TEST
    return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
