/* Chains: what a node publishes reads back as the same, loops end, and nonsense is refused by the name of its field. */
#include "split/chain.h"

#include "split/edge.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID_A   "00000000000000000000000000000001"
#define ID_B   "00000000000000000000000000000002"
#define ID_C   "00000000000000000000000000000003"
#define RADIO                                                                                      \
    "{\"tx_w\":1.5,\"rx_w\":0,\"up_j_per_byte\":0,\"down_j_per_byte\":0,\"up_price_per_byte\":0,"  \
    "\"down_price_per_byte\":0,\"source\":\"given\"}"
#define LINK                                                                                       \
    "{\"up_bytes_per_s\":1e6,\"down_bytes_per_s\":2e6,\"rtt_us\":5000,\"up_sigma\":0.1,"           \
    "\"down_sigma\":0.2,\"rtt_sigma_us\":30,\"radio\":" RADIO "}"
#define NODE(id, url, link)                                                                        \
    "{\"id\":\"" id "\",\"url\":\"" url "\",\"wait_us\":7,\"link\":" link ",\"profile\":null}"
#define CHAIN(nodes)                                                                               \
    "{\"cleave_chain\":1,\"digest\":\"" DIGEST "\",\"pending\":false,\"nodes\":[" nodes "]}"
#define TWO CHAIN(NODE(ID_B, "", "null") "," NODE(ID_C, "http://c:1", LINK))

static clv_chain *parse(const char *text)
{
    clv_error err = {0};
    clv_chain *c = NULL;
    assert_ok(clv_chain_parse(text, strlen(text), &c, &err), err);
    return c;
}

static clv_chain alone(const char *id)
{
    clv_chain c = {.n = 1};
    snprintf(c.digest, sizeof c.digest, "%s", DIGEST);
    snprintf(c.nodes[0].id, sizeof c.nodes[0].id, "%s", id);
    return c;
}

static void text_becomes_the_value_and_text_again(void **state)
{
    (void)state;
    clv_chain *c = parse(TWO);
    assert_int_equal(c->n, 2);
    assert_false(c->nodes[0].link.up);
    assert_string_equal(c->nodes[1].url, "http://c:1");
    assert_true(c->nodes[1].link.up);
    assert_float_equal(c->nodes[1].link.up_bytes_per_s, 1e6, 0);
    assert_float_equal(c->nodes[1].link.radio.tx_w, 1.5, 0);
    assert_int_equal(c->nodes[1].wait_us, 7);
    char *text = clv_chain_json(c, true);
    clv_chain *again = parse(text);
    assert_true(clv_chain_same_nodes(c, again));
    assert_memory_equal(&c->nodes[1].link, &again->nodes[1].link, sizeof(clv_link));
    free(text);
    clv_chain_free(again);
    clv_chain_free(c);
}

static void a_node_stands_before_its_peers(void **state)
{
    (void)state;
    clv_chain mine = alone(ID_A), *peers = parse(TWO);
    clv_chain_hop to = {.link = {.up_bytes_per_s = 5, .up = true}, .url = "http://b", .wait_us = 3};
    clv_chain_extend(&mine, &to, peers);
    assert_int_equal(mine.n, 3);
    assert_string_equal(mine.nodes[1].id, ID_B);
    assert_string_equal(mine.nodes[1].url, "http://b");
    assert_true(mine.nodes[1].link.up);
    assert_int_equal(mine.nodes[1].wait_us, 3);
    assert_string_equal(mine.nodes[2].id, ID_C);
    assert_int_equal(mine.nodes[2].wait_us, 7);
    clv_chain_free(peers);
    clv_chain_done(&mine);
}

/* A gateway whose peer is the edge: the edge is not behind itself. */
static void a_loop_ends_the_chain(void **state)
{
    (void)state;
    clv_chain mine = alone(ID_C), *peers = parse(TWO);
    clv_chain_extend(&mine, &(clv_chain_hop){.url = "http://b"}, peers);
    assert_int_equal(mine.n, 2);
    assert_int_equal(clv_chain_find(peers, ID_C), 1);
    assert_int_equal(clv_chain_find(peers, ID_A), -1);
    clv_chain_shorten(peers, 1);
    assert_int_equal(peers->n, 1);
    clv_chain_free(peers);
    clv_chain_done(&mine);
}

static void a_chain_is_as_long_as_a_plan(void **state)
{
    (void)state;
    clv_chain whole = alone("ffffffffffffffffffffffffffffffff");
    for (int k = 0; k < CLV_CHAIN_NODES_MAX + 3; k++) {
        clv_chain one = alone(ID_A);
        snprintf(one.nodes[0].id, sizeof one.nodes[0].id, "%032x", k);
        clv_chain_extend(&whole, &(clv_chain_hop){.url = "u"}, &one);
    }
    assert_int_equal(whole.n, CLV_CHAIN_NODES_MAX);
    char *text = clv_chain_json(&whole, false);
    clv_chain_free(parse(text));
    free(text);
    clv_chain_done(&whole);
}

/* Profiles go along as they are, checked, and only if asked for. */
static void profiles_travel_along(void **state)
{
    (void)state;
    clv_error err = {0};
    char *folder;
    assert_ok(clv_dir_temp("chain", &folder, &err), err);
    counting *engine = counting_new();
    clv_network *network = open_chain(folder, engine);
    clv_profile *p = profile_for(network, false, 2);
    clv_chain *c = parse(TWO);
    c->nodes[1].profile = clv_profile_json(p);
    char *other = clv_chain_json(c, true); /* of another model than the chain's */
    clv_chain *got = NULL;
    assert_int_equal(clv_chain_parse(other, strlen(other), &got, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "of another model"));
    snprintf(c->digest, sizeof c->digest, "%s", clv_network_digest(network));
    char *text = clv_chain_json(c, true), *plain = clv_chain_json(c, false);
    clv_chain *with = parse(text), *without = parse(plain);
    assert_true(clv_chain_has_profiles(with));
    assert_false(clv_chain_has_profiles(without));
    clv_chain_move_profiles(without, with);
    assert_true(clv_chain_has_profiles(without));
    clv_profile *back;
    assert_ok(clv_profile_parse(without->nodes[1].profile, strlen(without->nodes[1].profile), &back,
                                &err),
              err);
    assert_int_equal(back->n_cuts, p->n_cuts);
    clv_profile_free(back);
    free(text);
    free(plain);
    free(other);
    clv_chain_free(c);
    clv_chain_free(with);
    clv_chain_free(without);
    clv_profile_free(p);
    clv_network_unref(network);
    clv_engine_free(&engine->base);
    clv_dir_remove(folder);
    free(folder);
}

static void nonsense_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
        clv_status status;
    } all[] = {
        {"[]", "must be an object", CLV_EINVAL},
        {"{", "not JSON", CLV_EINVAL},
        {"{\"cleave_chain\":2}", "'cleave_chain': 2, this node reads 1", CLV_EMISMATCH},
        {CHAIN(""), "must have the node itself", CLV_EINVAL},
        {CHAIN(NODE("xyz", "", "null")), "nodes[0].id': must be 32", CLV_EINVAL},
        {CHAIN(NODE(ID_A, "", "null") "," NODE(ID_A, "", "null")), "a loop", CLV_EINVAL},
        {CHAIN(NODE(ID_A, "a\\nb", "null")), "url': must be printable", CLV_EINVAL},
        {CHAIN(NODE(ID_A, "", "{\"up_bytes_per_s\":-1}")), "up_bytes_per_s': -1", CLV_EINVAL},
        {CHAIN(NODE(ID_A, "", "{\"up_bytes_per_s\":1e300}")), "1e+300", CLV_EINVAL},
        {CHAIN(NODE(ID_A, "", "7")), "link': must be an object", CLV_EINVAL},
    };
    for (size_t i = 0; i < CLV_COUNT(all); i++) {
        clv_error err = {0};
        clv_chain *c = NULL;
        assert_int_equal(clv_chain_parse(all[i].text, strlen(all[i].text), &c, &err),
                         all[i].status);
        if (!strstr(err.text, all[i].part)) fail_msg("'%s', not '%s'", err.text, all[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_the_value_and_text_again),
        cmocka_unit_test(a_node_stands_before_its_peers),
        cmocka_unit_test(a_loop_ends_the_chain),
        cmocka_unit_test(a_chain_is_as_long_as_a_plan),
        cmocka_unit_test(profiles_travel_along),
        cmocka_unit_test(nonsense_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
