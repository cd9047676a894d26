#include "base/digest.h"
#include "base/file.h"
#include "unit.h"
#include "zoo/proto.h"
#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

static char *dir;

static int make_dir(void **state)
{
    clv_error err = {0};
    (void)state;
    return clv_dir_temp("zoo", &dir, &err) != CLV_OK;
}

static int remove_dir(void **state)
{
    (void)state;
    clv_dir_remove(dir);
    clv_text_free(&dir);
    return 0;
}

static const clv_zoo_network *find(const char *name)
{
    clv_error err = {0};
    const clv_zoo_network *found = NULL;
    assert_ok(clv_zoo_find(name, &found, &err), err);
    return found;
}

/* torchvision's parameters; multiply-accumulates of convolutions and linear layers at 224 × 224. */
static void counts_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t params, macs;
    } rows[] = {
        {"lenet", 61706, 416520},           {"alexnet", 61100840, 714188480},
        {"vgg16", 138357544, 15470264320},  {"mobilenet_v2", 3504872, 300774272},
        {"resnet18", 11689512, 1814073344}, {"googlenet", 6624904, 1498376192},
    };
    size_t n;
    clv_zoo_networks(&n);
    assert_int_equal(n, CLV_COUNT(rows));
    for (size_t i = 0; i < n; i++) {
        clv_zoo_facts facts = clv_zoo_count(find(rows[i].name));
        assert_int_equal(facts.params, rows[i].params);
        assert_int_equal(facts.macs, rows[i].macs);
        assert_null(facts.path);
    }
}

static void an_unknown_name_lists_the_known(void **state)
{
    (void)state;
    clv_error err = {0};
    const clv_zoo_network *found = NULL;
    assert_int_equal(clv_zoo_find("alexnt", &found, &err), CLV_ENOTFOUND);
    assert_string_equal(err.text, "no network 'alexnt', there are lenet, alexnet, vgg16, "
                                  "mobilenet_v2, resnet18, googlenet");
}

static uint64_t varint(const unsigned char *data, size_t *at)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        v |= (uint64_t)(data[*at] & 0x7f) << shift;
        if (!(data[(*at)++] & 0x80)) return v;
    }
}

/* Walk the fields of a message; those of number `want` are counted, or, if `inner` is given, walked
 * for it in turn. Each one counted must start at a multiple of the alignment. */
static size_t walk(const unsigned char *data, size_t at, size_t end, const int *path)
{
    size_t found = 0;
    while (at < end) {
        uint64_t tag = varint(data, &at), length = 0;
        if (tag % 8 == 0)
            varint(data, &at);
        else if (tag % 8 == 2)
            length = varint(data, &at);
        else
            fail_msg("unexpected wire type");
        if (tag / 8 == (uint64_t)path[0] && tag % 8 == 2) {
            if (path[1])
                found += walk(data, at, at + length, path + 1);
            else if (++found && at % CLV_BUILDER_ALIGN)
                fail_msg("raw_data at %zu", at);
        }
        at += length;
    }
    assert_int_equal(at, end);
    return found;
}

static void check_model(const clv_map *map, uint64_t params)
{
    static const int raw_data[] = {7, 5, 9, 0};
    Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, map->bytes, map->data);
    assert_non_null(m);
    const Onnx__GraphProto *g = m->graph;
    assert_int_equal(m->opset_import[0]->version, CLV_PROTO_OPSET);
    assert_int_equal(walk(map->data, 0, map->bytes, raw_data), g->n_initializer);
    uint64_t elements = 0, statistics = 0;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        uint64_t n = 1;
        for (size_t k = 0; k < t->n_dims; k++) n *= (uint64_t)t->dims[k];
        assert_int_equal(t->raw_data.len, n * sizeof(float));
        bool learned = !strstr(t->name, ".running_") && strncmp(t->name, "relu6.", 6) != 0;
        *(learned ? &elements : &statistics) += n;
    }
    assert_int_equal(elements, params);
    const Onnx__ValueInfoProto *ends[] = {g->input[0], g->output[0]};
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(ends[i]->type->tensor_type->shape->dim[0]->dim_param, "batch");
    assert_string_equal(g->input[0]->name, "input");
    assert_string_equal(g->output[0]->name, "logits");
    onnx__model_proto__free_unpacked(m, NULL);
}

static void files_are_aligned_and_whole(void **state)
{
    (void)state;
    static const char *const names[] = {"lenet", "mobilenet_v2", "resnet18", "googlenet"};
    for (size_t i = 0; i < CLV_COUNT(names); i++) {
        clv_error err = {0};
        clv_zoo_facts facts = {0};
        clv_map map;
        assert_ok(clv_zoo_write(find(names[i]), 1, dir, &facts, &err), err);
        char *want = clv_format("%s/%s/1/model.onnx", dir, names[i]);
        assert_string_equal(facts.path, want);
        assert_ok(clv_map_open(facts.path, &map, &err), err);
        assert_int_equal(map.bytes, facts.file_bytes);
        check_model(&map, facts.params);
        clv_map_done(&map);
        clv_zoo_facts_done(&facts);
        free(want);
    }
}

static void write_and_digest(const char *name, uint64_t seed, char text[CLV_DIGEST_TEXT])
{
    clv_error err = {0};
    clv_zoo_facts facts = {0};
    clv_map map;
    assert_ok(clv_zoo_write(find(name), seed, dir, &facts, &err), err);
    assert_ok(clv_map_open(facts.path, &map, &err), err);
    clv_digest *d = clv_digest_new();
    clv_digest_add(d, map.data, map.bytes);
    clv_digest_end(d, text);
    clv_map_done(&map);
    clv_zoo_facts_done(&facts);
}

/* The digests are written down: a model that is pushed to a peer must be the peer's own. */
static void same_seed_same_bytes_on_every_machine(void **state)
{
    (void)state;
    char a[CLV_DIGEST_TEXT], b[CLV_DIGEST_TEXT];
    write_and_digest("lenet", 1, a);
    assert_string_equal(a, "4c58011a7e53b9a8962ffece51125399407f2ce50ee63eec1ff28cc57977019b");
    write_and_digest("lenet", 2, b);
    assert_string_not_equal(a, b);
    write_and_digest("mobilenet_v2", 1, a);
    assert_string_equal(a, "a259851d83c4f38be7b11ea2d286184ad463a15e7030632af4afd80b3d65e15c");
}

static void a_folder_that_cannot_be_made_is_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_zoo_facts facts = {0};
    assert_int_equal(clv_zoo_write(find("lenet"), 1, "/dev/null", &facts, &err), CLV_EIO);
    assert_non_null(strstr(err.text, "/dev/null"));
    assert_null(facts.path);
    clv_builder *b = clv_builder_new("x", 1);
    assert_int_equal(clv_builder_write(b, "/no/such/folder/x.onnx", NULL, &err), CLV_ENOTFOUND);
    clv_builder_free(b);
    clv_builder_free(NULL);
}

/* The last window of a pool in ceil mode must start within the image: PyTorch's rule. */
static void pools_have_the_shapes_of_pytorch(void **state)
{
    (void)state;
    static const struct {
        int size;
        clv_pool pool;
        int want;
    } rows[] = {
        {112, {3, 2, 0, true}, 56}, {112, {3, 2, 0, false}, 55}, {112, {3, 2, 1, false}, 56},
        {14, {2, 2, 0, true}, 7},   {14, {3, 1, 1, true}, 14},   {5, {2, 2, 0, true}, 3},
        {5, {1, 4, 0, true}, 2},    {4, {1, 4, 0, true}, 1},     {6, {2, 3, 1, true}, 3},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_builder *b = clv_builder_new("x", 1);
        clv_value x = clv_builder_input(b, "x", 3, rows[i].size, rows[i].size);
        clv_shape got = clv_builder_shape(b, clv_builder_max_pool(b, "p", x, rows[i].pool));
        clv_shape want = clv_shape_of(4, 1, 3, rows[i].want, rows[i].want);
        if (!clv_shape_equal(&got, &want)) fail_msg("row %zu: %s", i, clv_shape_show(&got).s);
        clv_builder_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_the_published_ones),
        cmocka_unit_test(an_unknown_name_lists_the_known),
        cmocka_unit_test(files_are_aligned_and_whole),
        cmocka_unit_test(same_seed_same_bytes_on_every_machine),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
        cmocka_unit_test(pools_have_the_shapes_of_pytorch),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
