/* REST over real sockets: routes, inference in JSON and raw, errors that say what would be right. */
#include "api/double.h"

#include <math.h>

#include <jansson.h>

/* One exchange; the body as text (the caller frees). `headers` ends with a NULL name. */
typedef struct answer_text {
    int status;
    char *text;
    size_t bytes;
} answer_text;

static answer_text ask(fixture *f, const char *method, const char *path, const clv_header *headers,
                       const void *body, size_t n)
{
    clv_slice slice = {body, n, NULL, NULL};
    size_t n_headers = 0;
    while (headers && headers[n_headers].name) n_headers++;
    outcome o = call_and_wait(f->loop, f->client,
                              (clv_call){.method = method,
                                         .path = path,
                                         .headers = headers,
                                         .n_headers = n_headers,
                                         .body = &slice,
                                         .n_body = n ? 1 : 0});
    if (o.error.status) fail_msg("%s %s: %s", method, path, o.error.text);
    answer_text a = {.status = o.status, .bytes = clv_body_bytes(o.body)};
    a.text = clv_strndup(clv_body_data(o.body), a.bytes);
    clv_body_unref(o.body);
    return a;
}

static void expect(fixture *f, const char *method, const char *path, const char *body, int status,
                   const char *part)
{
    answer_text a = ask(f, method, path, NULL, body, body ? strlen(body) : 0);
    if (a.status != status || !strstr(a.text, part))
        fail_msg("%s %s: %d %s; wanted %d with %s", method, path, a.status, a.text, status, part);
    json_t *document = json_loadb(a.text, a.bytes, 0, NULL);
    if (!document) fail_msg("%s %s: not JSON: %s", method, path, a.text);
    json_decref(document);
    free(a.text);
}

static void paths_answer(void **state)
{
    fixture *f = *state;
    expect(f, "GET", "/v2", NULL, 200, "\"binary_tensor_data\"");
    expect(f, "GET", "/v2/health/live", NULL, 200, "{\"live\":true}");
    expect(
        f, "GET", "/v2/load", NULL, 200,
        "{\"queue\":3,\"ahead_us\":7000,\"wait_us\":5000,\"ran\":40,\"together\":8,\"dropped\":3}");
    expect(f, "GET", "/v2/health/ready", NULL, 200, "{\"ready\":true}");
    expect(
        f, "GET", "/v2/models/m", NULL, 200,
        "{\"name\":\"m\",\"versions\":[\"1\"],\"platform\":\"onnx_onnxv1\",\"inputs\":[{\"name\":"
        "\"x\",\"datatype\":\"FP32\",\"shape\":[-1,3]}]");
    expect(f, "GET", "/v2/models/m/versions/1", NULL, 200, "\"digest\":\"d1\"");
    expect(f, "GET", "/v2/models/m/ready", NULL, 200, "\"ready\":true");
    expect(f, "GET", "/v2/models/slow/ready", NULL, 503, "\"ready\":false");
    expect(f, "GET", "/v2/models/slow", NULL, 503, "loading");
    expect(f, "GET", "/v2/models/m/versions/1/profile", NULL, 200, "schema");
    expect(f, "POST", "/v2/repository/index", NULL, 200, "\"LOADING\"");
    expect(f, "POST", "/v2/models/m/prepare", "{\"inputs\":[\"a\",\"b\"]}", 200, "ready");
    assert_string_equal(f->server.prepared, "a+b");
    expect(f, "POST", "/v2/models/m/prepare", "{\"inputs\":[\"a\",\"b\"],\"route\":\"c@raw\"}", 200,
           "ready");
    assert_string_equal(f->server.prepared, "a+bc@raw");
    expect(f, "POST", "/v2/models/m/prepare", "{\"inputs\":[\"a\"],\"route\":7}", 400,
           "is not a text");
    expect(f, "GET", "/v2/models/m/chain", NULL, 200, "{\"cleave_chain\":1}");
    expect(f, "GET", "/v2/models/m/chain?profiles=true", NULL, 200, "profiles");
    expect(f, "GET", "/v2/models/none/chain", NULL, 404, "none");
    answer_text a = ask(f, "POST", "/v2/repository/index", NULL, "{\"ready\":true}", 14);
    assert_string_equal(a.text,
                        "[{\"name\":\"m\",\"version\":\"1\",\"state\":\"READY\",\"reason\":\"\"}]");
    free(a.text);
}

static void wrong_paths_and_methods_are_named(void **state)
{
    fixture *f = *state;
    expect(f, "GET", "/v3", NULL, 404, "GET /v3: no such path");
    expect(f, "GET", "/v2/models/", NULL, 404, "no such path");
    expect(f, "GET", "/v2/models/m/versions/", NULL, 404, "no such path");
    expect(f, "GET", "/v2/models/m/infer", NULL, 405, "POST");
    expect(f, "POST", "/v2/health/live", NULL, 405, "GET");
    expect(f, "GET", "/v2/models/absent", NULL, 404, "there are: m");
    expect(f, "GET", "/v2/models/m/versions/9/ready", NULL, 404, "'9'");
    expect(f, "GET", "/v2/models/absent/profile", NULL, 404, "absent");
    expect(f, "POST", "/v2/models/m/prepare", "{\"inputs\":[1]}", 400, "[0] is not a tensor name");
    expect(f, "POST", "/v2/models/m/prepare", "{", 400, "line 1");
    f->server.ready = false;
    expect(f, "GET", "/v2/health/ready", NULL, 503, "{\"ready\":false}");
    f->server.ready = true;
}

static void json_inference(void **state)
{
    fixture *f = *state;
    static const char question[] =
        "{\"id\":\"q\\\"1\",\"parameters\":{\"timeout\":60000000,\"cleave_digest\":\"d1\","
        "\"cleave_local_only\":true},\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":"
        "[1,3],\"data\":[[1,2.5,-3]]}],\"outputs\":[{\"name\":\"y\"}]}";
    expect(f, "POST", "/v2/models/m/infer", question, 200,
           "{\"model_name\":\"m\",\"id\":\"q\\\"1\",\"outputs\":[{\"name\":\"y\",\"datatype\":"
           "\"FP32\","
           "\"shape\":[1,3],\"data\":[1,2.5,-3]}],\"parameters\":{\"cleave_wait_us\":0");
    assert_true(f->server.local_only);
    assert_true(f->server.deadline_us > clv_now_us());
    expect(f, "POST", "/v2/models/m/versions/1/infer", question, 200, "\"cleave_plan\":\"local\"");
    expect(f, "POST", "/v2/models/m/infer",
           "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"a\",\"\"]"
           "}]}",
           200, "\"data\":[\"a\",\"\"]");
}

static void wrong_questions_are_named(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *body;
        int status;
        const char *part;
    } cases[] = {
        {"", 400, "empty"},
        {"{\n\n\"inputs\":[}", 400, "line 3"},
        {"{\"inputs\":[{\"name\":\"x\",\n\"data\":[1,\n2x]}]}", 400, "not a list"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[3],\n\"data\":[1,\n2x,3]}]"
         "}",
         400, "line 3"},
        {"[]", 400, "not an object"},
        {"{}", 400, "inputs"},
        {"{\"inputs\":[{\"datatype\":\"FP32\"}]}", 400, "name"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP31\",\"shape\":[1],\"data\":[1]}]}", 400,
         "FP31"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[-1],\"data\":[1]}]}", 400,
         "shape"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[1]}]}", 400,
         "fewer elements"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1]}]}", 400, "neither"},
        {"{\"inputs\":[],\"inputs\":[]}", 400, "duplicate"},
        {"{\"inputs\":[]}", 400, "no input 'x'"},
        {"{\"parameters\":{\"cleave_digest\":\"no\"},\"inputs\":[]}", 412, "digest"},
        {"{\"parameters\":{\"timeout\":-1},\"inputs\":[]}", 400, "timeout"},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":{"
         "\"binary_data_size\":4}}]}",
         400, "0 bytes are left"},
        {"{\"inputs\":[],\"id\":\"\xff\"}", 400, "unable to decode"},
    };
    for (size_t i = 0; i < CLV_COUNT(cases); i++)
        expect(f, "POST", "/v2/models/m/infer", cases[i].body, cases[i].status, cases[i].part);
    expect(f, "POST", "/v2/models/absent/infer", "{\"inputs\":[]}", 404, "absent");
}

static void raw_tensors_both_ways(void **state)
{
    fixture *f = *state;
    char body[256];
    int n = snprintf(
        body, sizeof body,
        "{\"parameters\":{\"binary_data_output\":true},\"inputs\":[{\"name\":\"x\","
        "\"datatype\":\"FP32\",\"shape\":[1,3],\"parameters\":{\"binary_data_size\":12}}]}");
    const float values[3] = {1, NAN, 3}; /* NaN passes raw */
    memcpy(body + n, values, sizeof values);
    char length[16];
    snprintf(length, sizeof length, "%d", n);
    clv_header headers[] = {{"inference-header-content-length", length}, {0}};
    answer_text a = ask(f, "POST", "/v2/models/m/infer", headers, body, (size_t)n + 12);
    assert_int_equal(a.status, 200);
    assert_memory_equal(a.text + a.bytes - 12, values, 12);
    assert_non_null(strstr(a.text, "\"binary_data_size\":12"));
    free(a.text);
    headers[0].value = "0"; /* a raw body: two rows are not batch 1 */
    a = ask(f, "POST", "/v2/models/m/infer", headers, values, sizeof values);
    assert_int_equal(a.status, 200);
    assert_memory_equal(a.text + a.bytes - 12, values, 12);
    free(a.text);
    static const char *const wrong[] = {"-1", "9999", "x", ""};
    for (size_t i = 0; i < CLV_COUNT(wrong); i++) {
        headers[0].value = wrong[i];
        a = ask(f, "POST", "/v2/models/m/infer", headers, body, (size_t)n + 12);
        assert_int_equal(a.status, 400);
        assert_non_null(strstr(a.text, "inference-header-content-length"));
        free(a.text);
    }
    headers[0].value = "0";
    a = ask(f, "POST", "/v2/models/m/infer", headers, values, 8);
    assert_int_equal(a.status, 400);
    free(a.text);
}

static void json_cannot_carry_nan(void **state)
{
    fixture *f = *state;
    char body[256];
    int n =
        snprintf(body, sizeof body,
                 "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":{"
                 "\"binary_data_size\":4}}]}");
    const float value = NAN;
    memcpy(body + n, &value, sizeof value);
    char length[16];
    snprintf(length, sizeof length, "%d", n);
    clv_header headers[] = {{"inference-header-content-length", length}, {0}};
    answer_text a = ask(f, "POST", "/v2/models/m/infer", headers, body, (size_t)n + 4);
    assert_int_equal(a.status, 501);
    assert_non_null(strstr(a.text, "ask for binary data"));
    free(a.text);
}

static void a_model_is_pushed_as_it_arrives(void **state)
{
    fixture *f = *state;
    size_t n = 3 << 20;
    char *bytes = clv_alloc(n);
    char digest[CLV_DIGEST_TEXT];
    memset(digest, 'a', sizeof digest - 1);
    digest[sizeof digest - 1] = 0;
    clv_header headers[] = {{"x-cleave-digest", digest}, {0}};
    answer_text a = ask(f, "PUT", "/v2/models/m/versions/1/file", headers, bytes, n);
    assert_int_equal(a.status, 200);
    free(a.text);
    assert_int_equal(f->server.pushed_bytes, n);
    assert_string_equal(f->server.digest, digest);
    assert_int_equal(f->server.aborts, 0);
    bytes[n / 2] = '!'; /* the double's disk is full there */
    a = ask(f, "PUT", "/v2/models/m/versions/1/file", headers, bytes, n);
    assert_int_equal(a.status, 500);
    assert_non_null(strstr(a.text, "disk full"));
    free(a.text);
    assert_int_equal(f->server.aborts, 1);
    free(bytes);
    expect(f, "PUT", "/v2/models/m/versions/1/file", "x", 400, "x-cleave-digest is missing");
    a = ask(f, "PUT", "/v2/models/other/versions/1/file", headers, "x", 1);
    assert_int_equal(a.status, 403);
    free(a.text);
}

static void a_probe_is_counted_and_answered(void **state)
{
    fixture *f = *state;
    char *bytes = clv_alloc(300000);
    answer_text a = ask(f, "POST", "/v2/link/probe?reply=200000", NULL, bytes, 300000);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.bytes, strlen("{\"received\":300000}") + 200000);
    assert_memory_equal(a.text, "{\"received\":300000} ", 20);
    free(a.text);
    a = ask(f, "POST", "/v2/link/probe", NULL, NULL, 0);
    assert_string_equal(a.text, "{\"received\":0}");
    free(a.text);
    expect(f, "POST", "/v2/link/probe?reply=999999999999", NULL, 413, "reply=");
    expect(f, "POST", "/v2/link/probe?reply=x", NULL, 400, "reply");
    free(bytes);
}

static int start(void **state)
{
    static fixture f;
    fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    fixture_stop(*state);
    return 0;
}

/* Shares are a client's, not a connection's: more connections give no more. */
static void a_client_has_one_account_on_all_connections(void **state)
{
    fixture *f = *state;
    const char *question = "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,3],"
                           "\"data\":[1,2,3]}]}";
    expect(f, "POST", "/v2/models/m/infer", question, 200, "outputs");
    uint64_t first = f->server.account;
    assert_int_not_equal(first, 0); /* that is the node itself */
    clv_client *before = f->client;
    f->client = client_of(f->loop, (clv_client_options){.url = f->node.url});
    f->server.account = 0;
    expect(f, "POST", "/v2/models/m/infer", question, 200, "outputs");
    clv_client_free(f->client);
    f->client = before;
    assert_int_equal(f->server.account, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_answer),
        cmocka_unit_test(wrong_paths_and_methods_are_named),
        cmocka_unit_test(json_inference),
        cmocka_unit_test(a_client_has_one_account_on_all_connections),
        cmocka_unit_test(wrong_questions_are_named),
        cmocka_unit_test(raw_tensors_both_ways),
        cmocka_unit_test(json_cannot_carry_nan),
        cmocka_unit_test(a_model_is_pushed_as_it_arrives),
        cmocka_unit_test(a_probe_is_counted_and_answered),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
