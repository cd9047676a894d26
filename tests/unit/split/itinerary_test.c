/* Ways and trips as text: each node reads what the one before it wrote, and nonsense is refused by name. */
#include "split/itinerary.h"

#include "split/edge.h"
#include "split/trip.h"

static struct {
    counting *engine;
    clv_network *network;
    char *folder;
    const clv_cuts *cuts;
    const clv_graph *graph;
    size_t last;
} net;

static int start(void **state)
{
    (void)state;
    clv_error err = {0};
    if (clv_dir_temp("itinerary", &net.folder, &err)) return -1;
    net.engine = counting_new();
    net.network = open_chain(net.folder, net.engine);
    net.cuts = clv_network_cuts(net.network);
    net.graph = clv_network_graph(net.network);
    net.last = net.cuts->n - 1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    clv_network_unref(net.network);
    clv_engine_free(&net.engine->base);
    clv_dir_remove(net.folder);
    free(net.folder);
    return 0;
}

static size_t at(const char *name)
{
    int cut = clv_cuts_find(net.cuts, net.graph, &name, 1);
    assert_true(cut > 0);
    return (size_t)cut;
}

static char *text_of(const clv_route *r)
{
    clv_error err = {0};
    char *text;
    assert_ok(clv_itinerary_text(r, net.cuts, net.graph, &text, &err), err);
    return text;
}

static void each_node_takes_its_own_stop_off(void **state)
{
    (void)state;
    clv_error err = {0};
    const clv_codec q8 = {CLV_QUANT_Q8, CLV_PACK_ZSTD};
    clv_route first = {.n = 4, .cut = {at("b"), at("b"), at("d"), net.last}, .codec = {q8, q8}};
    char *text = text_of(&first);
    assert_string_equal(text, "b@q8+zstd;d@raw");
    clv_route gateway, cloud;
    assert_ok(clv_itinerary_parse(text, at("b"), net.cuts, net.graph, &gateway, &err), err);
    assert_int_equal(gateway.n, 3);
    assert_int_equal(gateway.cut[0], at("b"));
    assert_int_equal(gateway.cut[1], at("d"));
    assert_int_equal(gateway.cut[2], net.last);
    assert_int_equal(gateway.codec[0].quant, CLV_QUANT_Q8);
    char *rest = text_of(&gateway);
    assert_string_equal(rest, "d@raw");
    assert_ok(clv_itinerary_parse(rest, at("b"), net.cuts, net.graph, &cloud, &err), err);
    assert_int_equal(cloud.n, 2);
    char *none = text_of(&cloud);
    assert_string_equal(none, "");
    assert_ok(clv_itinerary_parse(none, at("d"), net.cuts, net.graph, &cloud, &err), err);
    assert_int_equal(cloud.n, 1);
    free(text);
    free(rest);
    free(none);
}

static void other_ways_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } all[] = {
        {"d", "TENSOR,...@CODEC is right"},
        {"@raw", "is no name of a tensor"},
        {"d,@raw", "is no name of a tensor"},
        {"d%@raw", "is no name of a tensor"},
        {"d%00@raw", "is no name of a tensor"},
        {"d e@raw", "is no name of a tensor"},
        {"nobody@raw", "is no cut of this network"},
        {"x,d@raw", "is no cut of this network"},
        {"a@raw", "does not lie behind the one before"},
        {"d@raw;b@raw", "does not lie behind the one before"},
        {"d@gzip", "gzip"},
        {"d@raw;", "ends in ';'"},
        {";", "TENSOR,...@CODEC is right"},
        {"d@raw;d@raw;d@raw;d@raw;d@raw;d@raw;d@raw", "more than 6 stops"},
    };
    for (size_t i = 0; i < CLV_COUNT(all); i++) {
        clv_error err = {0};
        clv_route r;
        assert_int_not_equal(
            clv_itinerary_parse(all[i].text, at("b"), net.cuts, net.graph, &r, &err), CLV_OK);
        if (!strstr(err.text, all[i].part)) fail_msg("'%s', not '%s'", err.text, all[i].part);
    }
    clv_error err = {0};
    clv_route r;
    assert_ok(clv_itinerary_parse("%64@raw;d@raw;d@raw;d@raw;d@raw;d@raw", at("b"), net.cuts,
                                  net.graph, &r, &err),
              err);
    assert_int_equal(r.n, CLV_ITINERARY_STOPS_MAX + 1);
    char *text = clv_alloc(CLV_ITINERARY_MAX + 2);
    memset(text, 'd', CLV_ITINERARY_MAX + 1);
    assert_int_equal(clv_itinerary_parse(text, 0, net.cuts, net.graph, &r, &err), CLV_ELIMIT);
    free(text);
}

static void trips_are_read_as_they_were_written(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_trip behind = {.nodes = {{.wait_us = 1, .compute_us = 2}}, .n = 1}, back;
    clv_trip t = clv_trip_of(&(clv_trip_node){7, 6, 5, 4, 3, 2}, &behind);
    char *text = clv_trip_text(&t);
    assert_string_equal(text, "7,6,5,4,3,2;1,2,0,0,0,0");
    assert_ok(clv_trip_parse(text, &back, &err), err);
    assert_int_equal(back.n, 2);
    assert_int_equal(back.nodes[0].link_us, 4);
    assert_int_equal(back.nodes[1].compute_us, 2);
    assert_int_equal(clv_trip_us(&back), 30);
    free(text);
    assert_ok(clv_trip_parse("", &back, &err), err);
    assert_int_equal(back.n, 0);
    static const char *const bad[] = {"1,2",
                                      "-1,0,0,0,0,0",
                                      "1,2,3,4,5,6;",
                                      "1,2,3,4,5,6,7",
                                      "9999999999,0,0,0,0,0",
                                      "1,2,3,4,5,",
                                      "a",
                                      ";"};
    for (size_t i = 0; i < CLV_COUNT(bad); i++)
        assert_int_not_equal(clv_trip_parse(bad[i], &back, &err), CLV_OK);
    clv_trip full = {0};
    for (size_t k = 0; k < CLV_PLAN_DEVICES_MAX + 2; k++)
        full = clv_trip_of(&(clv_trip_node){.wait_us = CLV_TRIP_US_MAX}, &full);
    assert_int_equal(full.n, CLV_PLAN_DEVICES_MAX);
    text = clv_trip_text(&full);
    assert_true(strlen(text) < CLV_TRIP_TEXT_MAX);
    assert_ok(clv_trip_parse(text, &back, &err), err);
    char *more = clv_format("%s;1,1,1,1,1,1", text);
    assert_int_equal(clv_trip_parse(more, &back, &err), CLV_ELIMIT);
    free(more);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_node_takes_its_own_stop_off),
        cmocka_unit_test(other_ways_are_refused),
        cmocka_unit_test(trips_are_read_as_they_were_written),
    };
    return cmocka_run_group_tests_name("itinerary", tests, start, stop);
}
