#include "cost/profile.h"

#include "../graph/graph_maker.h"
#include "base/file.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define HEAD                                                                                       \
    "\"schema\":3,\"model\":\"m\",\"digest\":\"" DIGEST "\",\"device\":\"cpu\",\"engine\":\"e\","  \
    "\"threads\":1,\"slowdown\":1.0"
#define NO_TIME "{\"us\":0,\"sigma_us\":0,\"n\":0}"
#define TIME    "{\"us\":20.5,\"sigma_us\":0.25,\"n\":9}"
#define CUT0                                                                                       \
    "{\"label\":\"input\",\"live\":[\"x\"],\"up_bytes\":400,\"down_bytes\":40,\"prefix\":" NO_TIME \
    ",\"suffix\":" TIME "}"
#define CUT1                                                                                       \
    "{\"label\":\"output\",\"live\":[],\"up_bytes\":0,\"down_bytes\":0,\"prefix\":" TIME           \
    ",\"suffix\":" NO_TIME "}"
#define FEATURES                                                                                   \
    "{\"kind\":\"conv\",\"in_channels\":1,\"in_h\":10,\"in_w\":10,\"out_channels\":8,"             \
    "\"out_h\":4,\"out_w\":4,\"kernel_h\":3,\"kernel_w\":3,\"stride\":2,\"groups\":1,"             \
    "\"steps\":1,\"smooth\":0,"                                                                    \
    "\"macs\":123456789012,\"weight_bytes\":320,\"in_bytes\":400,\"out_bytes\":512}"
#define UNIT                                                                                       \
    "{\"name\":\"conv1\",\"op\":\"Conv+Relu\",\"shape\":\"[1,8,4,4]\",\"output_bytes\":512,"       \
    "\"macs\":123456789012,\"params\":80,\"weight_bytes\":320,\"inputs\":[\"x\"],"                 \
    "\"outputs\":[\"y\"],\"features\":" FEATURES ",\"us\":20.5}"
#define TENSOR_X                                                                                   \
    "{\"name\":\"x\",\"dtype\":\"FP32\",\"shape\":[1,1,10,10],\"bytes\":400,\"input\":true,"       \
    "\"output\":false}"
#define TENSOR_Y                                                                                   \
    "{\"name\":\"y\",\"dtype\":\"FP32\",\"shape\":[1,8,4,4],\"bytes\":512,\"input\":false,"        \
    "\"output\":true}"
#define GOOD                                                                                       \
    "{" HEAD ",\"cuts\":[" CUT0 "," CUT1 "],\"units\":[" UNIT "],\"tensors\":[" TENSOR_X           \
    "," TENSOR_Y "]}"

static clv_profile *parse(const char *text)
{
    clv_error err = {0};
    clv_profile *p = NULL;
    assert_ok(clv_profile_parse(text, strlen(text), &p, &err), err);
    return p;
}

static void text_becomes_the_value(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    assert_string_equal(p->digest, DIGEST);
    assert_int_equal(p->n_cuts, 2);
    assert_string_equal(p->cuts[0].live[0], "x");
    assert_int_equal(p->cuts[0].up_bytes, 400);
    assert_float_equal(p->cuts[0].suffix.us, 20.5, 0);
    assert_float_equal(p->cuts[0].suffix.sigma_us, 0.25, 0);
    assert_int_equal(p->cuts[0].suffix.n, 9);
    assert_int_equal(p->units[0].macs, 123456789012);
    assert_int_equal(p->units[0].weight_bytes, 320);
    assert_int_equal(p->units[0].features.kind, CLV_UNIT_CONV);
    assert_int_equal(p->units[0].features.stride, 2);
    assert_int_equal(p->units[0].features.out_bytes, 512);
    assert_true(p->tensors[p->units[0].outputs[0]].is_output);
    assert_int_equal(p->tensors[0].shape.dim[3], 10);
    assert_true(clv_profile_has_prefix(p, 0) && clv_profile_has_suffix(p, 0));
    assert_true(clv_profile_has_prefix(p, 1) && clv_profile_has_suffix(p, 1));
    p->cuts[0].suffix.n = p->cuts[1].prefix.n = 0;
    assert_false(clv_profile_has_suffix(p, 0));
    assert_false(clv_profile_has_prefix(p, 1));
    clv_profile_free(p);
}

static void a_written_profile_reads_back_the_same(void **state)
{
    (void)state;
    clv_error err = {0};
    char *dir = NULL;
    assert_ok(clv_dir_temp("profile", &dir, &err), err);
    char *path = clv_path_join(dir, "p.json");
    clv_profile *first = parse(GOOD), *second = NULL;
    assert_ok(clv_profile_write(path, first, &err), err);
    assert_ok(clv_profile_read(path, &second, &err), err);
    char *a = clv_profile_json(first), *b = clv_profile_json(second);
    assert_string_equal(a, b);
    assert_string_equal(second->cuts[1].label, "output");
    free(a);
    free(b);
    clv_profile_free(first);
    clv_profile_free(second);
    clv_dir_remove(dir);
    free(path);
    free(dir);
}

/* GOOD with the first `from` replaced by `to` must fail, and the error must say `says`. */
static void refused(const char *from, const char *to, const char *says)
{
    const char *at = strstr(GOOD, from);
    assert_non_null(at);
    char *text = clv_format("%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    clv_error err = {0};
    clv_profile *p = NULL;
    if (clv_profile_parse(text, strlen(text), &p, &err) == CLV_OK) fail_msg("accepted: %s", text);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
    assert_null(p);
    free(text);
}

static void every_wrong_field_is_named(void **state)
{
    (void)state;
    refused("\"schema\":3", "\"schema\":2",
            "schema 2, this program reads 3: profile the model again");
    refused("\"schema\":3", "\"scheme\":3", "schema");
    refused(DIGEST, "abc", "digest");
    refused("\"threads\":1", "\"threads\":-1", "'threads': -1");
    refused("\"slowdown\":1.0", "\"slowdown\":0", "slowdown");
    refused("\"us\":20.5", "\"us\":-1", "'cuts[0].suffix.us': -1");
    refused("\"us\":20.5", "\"us\":3.7e9", "cuts[0].suffix.us");
    refused("\"us\":20.5", "\"us\":\"fast\"", "must be a number");
    refused("\"n\":9", "\"n\":0", "cuts[0].suffix.n");
    refused("\"n\":9", "\"n\":1.5", "must be an integer");
    refused("\"up_bytes\":400", "\"up_bytes\":-4", "cuts[0].up_bytes");
    refused("\"live\":[\"x\"]", "\"live\":[7]", "cuts[0].live");
    refused("\"live\":[],\"up_bytes\":0", "\"live\":[\"y\"],\"up_bytes\":512",
            "'cuts[1].live': must be empty");
    refused("\"op\":\"Conv+Relu\"", "\"op\":null", "units[0].op");
    refused("," CUT1, "", "two cuts");
    refused("\"units\":[", "\"units\":[3,", "units[0]");
    refused("\"model\":\"m\"", "\"model\":\"m\",\"model\":\"n\"", "not JSON");
    refused("{", "[", "not JSON");
}

/* GOOD with `field` put in before the cuts. */
static char *with_field(const char *field)
{
    const char *at = strstr(GOOD, "\"slowdown\"");
    return clv_format("%.*s%s,%s", (int)(at - GOOD), GOOD, field, at);
}

static void power_and_price_survive_and_may_be_missing(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    assert_false(clv_power_known(&p->power));
    assert_true(p->price_per_s == 0);
    char *json = clv_profile_json(p);
    assert_null(strstr(json, "power"));
    assert_null(strstr(json, "price"));
    free(json);
    p->power = clv_power_measured(2.5, 7, 3);
    p->price_per_s = 1.25e-4;
    json = clv_profile_json(p);
    clv_profile_free(p);
    p = parse(json);
    assert_int_equal(p->power.source, CLV_POWER_RAPL);
    assert_int_equal(p->power.cores, 3);
    assert_true(p->power.idle_w == 2.5 && p->power.active_w_per_core == 1.5);
    assert_true(p->price_per_s == 1.25e-4);
    clv_profile_free(p);
    free(json);
}

static void the_reference_survives_and_may_be_missing(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    assert_int_equal(p->reference.n, 0);
    char *json = clv_profile_json(p);
    assert_null(strstr(json, "reference"));
    free(json);
    p->reference = (clv_speed){DIGEST, 2703.25, 31.5, 140};
    json = clv_profile_json(p);
    clv_profile_free(p);
    p = parse(json);
    assert_string_equal(p->reference.network, DIGEST);
    assert_true(p->reference.us == 2703.25 && p->reference.sigma_us == 31.5);
    assert_int_equal(p->reference.n, 140);
    clv_profile_free(p);
    free(json);
}

static void scaling_takes_all_times_and_no_codec(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    clv_profile_codec_add(p, "f16")->encode_us_per_mb = 8;
    clv_profile_scale(p, 2);
    assert_true(p->cuts[0].suffix.us == 41 && p->cuts[0].suffix.sigma_us == 0.5);
    assert_true(p->cuts[1].prefix.us == 41 && p->units[0].us == 41);
    assert_true(p->cuts[0].suffix.n == 9 && p->cuts[0].prefix.us == 0);
    assert_true(p->codecs[0].encode_us_per_mb == 8);
    clv_profile_free(p);
}

static void wrong_power_and_reference_are_named(void **state)
{
    (void)state;
#define POWER(idle, core, cores, source)                                                           \
    "\"power\":{\"idle_w\":" idle ",\"active_w_per_core\":" core ",\"cores\":" cores               \
    ",\"source\":" source "}"
#define REFERENCE(network, us, sigma, n)                                                           \
    "\"reference\":{\"network\":\"" network "\",\"us\":" us ",\"sigma_us\":" sigma ",\"n\":" n "}"
    static const struct {
        const char *field, *says;
    } rows[] = {
        {"\"price_per_s\":-1", "'price_per_s': -1"},
        {"\"price_per_s\":1.5", "'price_per_s': 1.5"},
        {"\"price_per_s\":\"free\"", "'price_per_s': must be a number"},
        {"\"power\":5", "'power': must be an object"},
        {POWER("-1", "2", "1", "\"given\""), "'power.idle_w': -1"},
        {POWER("1e6", "2", "1", "\"given\""), "'power.idle_w': 1e+06"},
        {POWER("1", "-2", "1", "\"given\""), "'power.active_w_per_core': -2"},
        {POWER("1", "2", "0", "\"given\""), "'power.cores': must be 1 or more"},
        {POWER("1", "2", "1.5", "\"given\""), "'power.cores': must be an integer"},
        {POWER("1", "2", "65537", "\"given\""), "'power.cores': 65537"},
        {POWER("1", "2", "60000", "\"given\""), "'power.active_w_per_core': all cores"},
        {POWER("1", "2", "1", "\"guessed\""), "'power.source': must be"},
        {POWER("1", "2", "1", "7"), "'power.source': must be a string"},
        {"\"reference\":2700", "'reference': must be an object"},
        {REFERENCE("abc", "1", "1", "1"), "'reference.network': must be 64 hexadecimal digits"},
        {REFERENCE(DIGEST, "-1", "1", "1"), "'reference.us': -1"},
        {REFERENCE(DIGEST, "0.9", "1", "1"), "'reference.us': 0.9"},
        {REFERENCE(DIGEST, "6.1e7", "1", "1"), "'reference.us': 6.1e+07"},
        {REFERENCE(DIGEST, "null", "1", "1"), "'reference.us': must be a number"},
        {REFERENCE(DIGEST, "2700", "-1", "1"), "'reference.sigma_us': -1"},
        {REFERENCE(DIGEST, "2700", "1", "0"), "'reference.n': must be 1 or more"},
        {REFERENCE(DIGEST, "2700", "1", "-3"), "'reference.n': -3"},
        {REFERENCE(DIGEST, "NaN", "1", "1"), "not JSON"},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_profile *p = NULL;
        char *text = with_field(rows[i].field);
        assert_int_equal(clv_profile_parse(text, strlen(text), &p, &err), CLV_EINVAL);
        if (!strstr(err.text, rows[i].says))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].says);
        free(text);
    }
}

#define CODECS                                                                                     \
    "\"data\":\"Fashion-MNIST\",\"samples\":1000,\"accuracy\":0.9048,\"codecs\":["                 \
    "{\"name\":\"zstd\",\"encode_us_per_mb\":1500.5,\"decode_us_per_mb\":700,"                     \
    "\"cut_bytes\":[300.5,0]},"                                                                    \
    "{\"name\":\"q8\",\"encode_us_per_mb\":250,\"decode_us_per_mb\":125,\"cut_bytes\":[100,0],"    \
    "\"cut_drop\":[0.0015,0],\"cut_accuracy\":[0.904,0.9048]},"                                    \
    "{\"name\":\"q4\",\"encode_us_per_mb\":260,\"decode_us_per_mb\":135}]"

static void codecs_survive_and_may_be_missing(void **state)
{
    (void)state;
    clv_profile *p = parse(GOOD);
    assert_int_equal(p->n_codecs + (size_t)p->samples, 0);
    char *json = clv_profile_json(p);
    assert_null(strstr(json, "codecs"));
    assert_null(strstr(json, "samples"));
    free(json);
    clv_profile_free(p);
    char *text = with_field(CODECS);
    p = parse(text);
    json = clv_profile_json(p);
    clv_profile *again = parse(json);
    clv_profile *both[] = {p, again};
    for (size_t i = 0; i < CLV_COUNT(both); i++) {
        const clv_profile *x = both[i];
        assert_string_equal(x->data, "Fashion-MNIST");
        assert_int_equal(x->samples, 1000);
        assert_float_equal(x->accuracy, 0.9048, 1e-9);
        assert_int_equal(x->n_codecs, 3);
        const clv_profile_codec *zstd = clv_profile_codec_find(x, "zstd");
        const clv_profile_codec *q8 = clv_profile_codec_find(x, "q8");
        const clv_profile_codec *q4 = clv_profile_codec_find(x, "q4");
        assert_float_equal(zstd->encode_us_per_mb, 1500.5, 1e-9);
        assert_float_equal(zstd->decode_us_per_mb, 700, 1e-9);
        assert_float_equal(zstd->cut_bytes[0], 300.5, 1e-9);
        assert_null(zstd->cut_drop);
        assert_float_equal(q8->cut_drop[0], 0.0015, 1e-9);
        assert_float_equal(q8->cut_accuracy[1], 0.9048, 1e-9);
        assert_float_equal(q4->cut_bytes[0] + q4->cut_bytes[1], 0,
                           0); /* only its times are known */
        assert_null(q4->cut_drop);
        assert_null(clv_profile_codec_find(x, "q8c"));
    }
    assert_non_null(
        strstr(json, "{\"name\":\"q4\",\"encode_us_per_mb\":260.0,\"decode_us_per_mb\":135.0}"));
    free(json);
    free(text);
    clv_profile_free(again);
    clv_profile_free(p);
}

static void wrong_codecs_are_named(void **state)
{
    (void)state;
#define CODEC(fields) "\"codecs\":[{\"encode_us_per_mb\":1,\"decode_us_per_mb\":1," fields "}]"
#define DATA          "\"data\":\"d\",\"samples\":5,\"accuracy\":0.5,"
    static const struct {
        const char *field, *says;
    } rows[] = {
        {"\"codecs\":7", "'codecs': must be an array"},
        {"\"codecs\":[7]", "codecs[0]"},
        {CODEC("\"name\":\"\""), "'codecs[0].name': must be that of a codec"},
        {CODEC("\"name\":\"raw\""), "'codecs[0].name': must be that of a codec"},
        {CODEC("\"name\":\"a name of sixteen\""), "codecs[0].name"},
        {CODEC("\"nome\":\"q8\""), "codecs[0].name"},
        {"\"codecs\":[{\"name\":\"q8\",\"encode_us_per_mb\":-1,\"decode_us_per_mb\":1}]",
         "'codecs[0].encode_us_per_mb': -1"},
        {"\"codecs\":[{\"name\":\"q8\",\"encode_us_per_mb\":1}]", "codecs[0].decode_us_per_mb"},
        {CODEC("\"name\":\"q8\"},{\"name\":\"q8\""), "'codecs[1].name': is there twice"},
        {CODEC("\"name\":\"q8\",\"cut_bytes\":[1]"),
         "'codecs[0].cut_bytes': 1 numbers, 2 are wanted"},
        {CODEC("\"name\":\"q8\",\"cut_bytes\":[1,2,3]"), "codecs[0].cut_bytes"},
        {CODEC("\"name\":\"q8\",\"cut_bytes\":[1,-2]"), "'codecs[0].cut_bytes[1]': -2"},
        {CODEC("\"name\":\"q8\",\"cut_bytes\":[1,\"2\"]"), "cut_bytes[1]': must be a number"},
        {CODEC("\"name\":\"q8\",\"cut_drop\":[0,0],\"cut_accuracy\":[1,1]"),
         "'samples' is missing"},
        {DATA CODEC("\"name\":\"q8\",\"cut_drop\":[0,0]"), "come together"},
        {DATA CODEC("\"name\":\"q8\",\"cut_drop\":[0,1.5],\"cut_accuracy\":[1,1]"),
         "'codecs[0].cut_drop[1]': 1.5"},
        {"\"samples\":5", "data"},
        {"\"data\":\"\",\"samples\":5,\"accuracy\":0.5", "'data': must not be empty"},
        {"\"data\":\"d\",\"samples\":0,\"accuracy\":0.5", "'samples': must not be empty"},
        {"\"data\":\"d\",\"samples\":5,\"accuracy\":1.5", "'accuracy': 1.5"},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_profile *p = NULL;
        char *text = with_field(rows[i].field);
        if (!clv_profile_parse(text, strlen(text), &p, &err)) fail_msg("accepted: %s", text);
        if (!strstr(err.text, rows[i].says))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].says);
        free(text);
    }
}

static void at_most_so_many_codecs(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        clv_error err = {0};
        clv_profile *p = NULL;
        CLV_AUTO(clv_buf_done) clv_buf field = {0};
        clv_buf_text(&field, "\"codecs\":[");
        for (int i = 0; i < CLV_PROFILE_CODECS_MAX + over; i++)
            clv_buf_printf(&field,
                           "%s{\"name\":\"c%d\",\"encode_us_per_mb\":1,\"decode_us_per_mb\":1}",
                           i ? "," : "", i);
        clv_buf_char(&field, ']');
        char *text = with_field(field.data);
        clv_status s = clv_profile_parse(text, strlen(text), &p, &err);
        assert_int_equal(s, over ? CLV_ELIMIT : CLV_OK);
        if (!over) assert_int_equal(p->n_codecs, CLV_PROFILE_CODECS_MAX);
        clv_profile_free(p);
        free(text);
    }
}

static void data_is_taken_from_a_profile_of_the_same_network(void **state)
{
    (void)state;
    char *text = with_field(CODECS);
    clv_profile *from = parse(text), *to = parse(GOOD), *other = parse(GOOD);
    clv_profile_codec *mine = clv_profile_codec_add(to, "q8");
    mine->encode_us_per_mb = 17;
    mine->cut_bytes[0] = 1;
    other->digest[0] = 'f';
    clv_profile_take_data(to, from);
    clv_profile_take_data(other, from);
    assert_int_equal(other->n_codecs + (size_t)other->samples, 0);
    assert_int_equal(to->samples, 1000);
    assert_string_equal(to->data, "Fashion-MNIST");
    assert_int_equal(to->n_codecs, 3);
    mine = clv_profile_codec_find(to, "q8");
    assert_float_equal(mine->encode_us_per_mb, 17, 0); /* its own time */
    assert_float_equal(mine->cut_bytes[0], 100, 0);
    assert_float_equal(mine->cut_drop[0], 0.0015, 1e-9);
    clv_profile_take_data(from, other); /* has none: nothing changes */
    assert_int_equal(from->samples, 1000);
    clv_profile_free(from);
    clv_profile_free(to);
    clv_profile_free(other);
    free(text);
}

static void every_wrong_part_of_the_network_is_named(void **state)
{
    (void)state;
    refused("\"tensors\":", "\"tensor\":", "'tensors': must be an array");
    refused("\"inputs\":[\"x\"]", "\"inputs\":[\"z\"]", "'units[0].inputs': 'z' is none");
    refused("\"inputs\":[\"x\"]", "\"inputs\":[3]", "units[0].inputs");
    refused("\"inputs\":[\"x\"]", "\"inputs\":[\"y\"]", "'conv1' needs 'y', which is made later");
    refused("\"outputs\":[\"y\"]", "\"outputs\":[\"x\"]", "needs 'x', which is made later");
    refused("\"outputs\":[\"y\"]", "\"outputs\":[]", "'y' is made by nobody");
    refused("\"outputs\":[\"y\"]", "\"outputs\":[\"y\",\"y\"]", "is made by 'conv1' and by");
    refused("\"weight_bytes\":320,\"inputs", "\"weight_bytes\":-320,\"inputs",
            "'units[0].weight_bytes': -320");
    refused("\"kind\":\"conv\"", "\"kind\":\"cow\"", "units[0].features.kind");
    refused("\"stride\":2", "\"stride\":-2", "'units[0].features.stride': -2");
    refused("\"groups\":1,", "", "units[0].features.groups");
    refused("\"dtype\":\"FP32\"", "\"dtype\":\"FP33\"", "tensors[0].dtype");
    refused("[1,1,10,10]", "[1,1,10,-10]", "tensors[0].shape");
    refused("[1,1,10,10]", "[1,1,10,11]", "'tensors[0].bytes': 400, by dtype and shape it is 440");
    refused("[1,1,10,10]", "null", "by dtype and shape it is 0");
    refused("\"output\":true", "\"output\":1", "tensors[1].output");
    refused("\"name\":\"y\"", "\"name\":\"x\"", "units[0].outputs");
    refused("\"live\":[\"x\"]", "\"live\":[\"w\"]", "'cuts[0].live': 'w' is none");
    refused("\"live\":[\"x\"]", "\"live\":[\"x\",\"x\"]", "'x' is there twice");
    refused("\"up_bytes\":400", "\"up_bytes\":401",
            "'cuts[0].up_bytes': 401, but its tensors have 400");
}

static void one_tensor_more_than_allowed_is_too_many(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_profile *p = parse(GOOD), *again = NULL;
    p->units[0].n_inputs = CLV_GRAPH_TENSORS_MAX + 1;
    free(p->units[0].inputs);
    p->units[0].inputs = clv_alloc_array(p->units[0].n_inputs, sizeof(int)); /* all "x" */
    char *text = clv_profile_json(p);
    assert_int_equal(clv_profile_parse(text, strlen(text), &again, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "'units[0].inputs': 16385 items, at most 16384"));
    free(text);
    clv_profile_free(p);
}

/* Graphs of tests/unit/graph become profiles, text, profiles and graphs again. */
static void a_graph_survives_the_file(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_graph *g = graph_new(), *back = NULL;
    int x = add_input(g, "x"), a = add_next(g, &x, 1), b = add_next(g, &a, 1);
    int y = add_next(g, (int[]){a, b, a}, 3), z = add_output(g, g->tensors[y].producer);
    g->tensors[y].is_output = g->tensors[z].is_output = true;
    g->units[1].features = (clv_unit_features){.kind = CLV_UNIT_NORM, .in_h = 7, .macs = 9};
    g->units[1].weight_bytes = 12;
    clv_profile *p = clv_alloc(sizeof *p), *again = NULL;
    memcpy(p->digest, DIGEST, sizeof DIGEST);
    p->slowdown = 1;
    p->n_cuts = 2;
    p->cuts = clv_alloc_array(2, sizeof *p->cuts);
    p->cuts[0].label = clv_strdup("input");
    p->cuts[1].label = clv_strdup("output");
    clv_profile_describe(p, g);
    char *text = clv_profile_json(p);
    assert_ok(clv_profile_parse(text, strlen(text), &again, &err), err);
    assert_ok(clv_profile_graph(again, &back, &err), err);
    assert_int_equal(back->n_units, g->n_units);
    assert_int_equal(back->n_tensors, g->n_tensors);
    for (size_t u = 0; u < g->n_units; u++) {
        const clv_unit *m = &g->units[u], *n = &back->units[u];
        assert_string_equal(m->name, n->name);
        assert_int_equal(m->n_inputs, n->n_inputs);
        assert_memory_equal(m->inputs, n->inputs, m->n_inputs * sizeof(int));
        assert_memory_equal(m->outputs, n->outputs, m->n_outputs * sizeof(int));
        assert_memory_equal(&m->features, &n->features, sizeof m->features);
        assert_int_equal(m->weight_bytes, n->weight_bytes);
    }
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *m = &g->tensors[t], *n = &back->tensors[t];
        assert_int_equal(m->producer, n->producer);
        assert_int_equal(m->n_consumers, n->n_consumers);
        assert_memory_equal(m->consumers, n->consumers, m->n_consumers * sizeof(int));
        assert_int_equal(m->is_output, n->is_output);
        assert_true(clv_shape_equal(&m->shape, &n->shape) && m->bytes == n->bytes);
    }
    free(text);
    clv_graph_free(back);
    clv_graph_free(g);
    clv_profile_free(again);
    clv_profile_free(p);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_profile *p = NULL;
    assert_int_equal(clv_profile_read("/nonexistent/p.json", &p, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nonexistent/p.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_the_value),
        cmocka_unit_test(a_written_profile_reads_back_the_same),
        cmocka_unit_test(every_wrong_field_is_named),
        cmocka_unit_test(power_and_price_survive_and_may_be_missing),
        cmocka_unit_test(the_reference_survives_and_may_be_missing),
        cmocka_unit_test(scaling_takes_all_times_and_no_codec),
        cmocka_unit_test(wrong_power_and_reference_are_named),
        cmocka_unit_test(codecs_survive_and_may_be_missing),
        cmocka_unit_test(wrong_codecs_are_named),
        cmocka_unit_test(at_most_so_many_codecs),
        cmocka_unit_test(data_is_taken_from_a_profile_of_the_same_network),
        cmocka_unit_test(every_wrong_part_of_the_network_is_named),
        cmocka_unit_test(one_tensor_more_than_allowed_is_too_many),
        cmocka_unit_test(a_graph_survives_the_file),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
