/* What stands behind the peer: asked until it is told, and a question that was lost on its way is asked again. */
#include "split/chain.h"

#include "split/rig.h"

static int start(void **state)
{
    *state = rig_new();
    return 0;
}

static void follow(rig *r)
{
    edge_start(&r->e, r->folder, r->s.n.url, EDGE_WAIT_US);
}

typedef struct told {
    clv_splitter *splitter;
    char *text;
    atomic_bool done;
} told;

static void tell(void *arg)
{
    told *t = arg;
    t->text = clv_splitter_chain(t->splitter, false);
    atomic_store(&t->done, true);
}

/* The nodes that the edge tells of, itself among them; 0: there is one that it does not know enough of. */
static size_t nodes_told(rig *r)
{
    clv_error err = {0};
    clv_chain *c;
    told t = {.splitter = r->e.splitter};
    clv_loop_post(r->e.loop, tell, &t);
    await(atomic_load(&t.done));
    assert_ok(clv_chain_parse(t.text, strlen(t.text), &c, &err), err);
    size_t n = c->pending ? 0 : c->n;
    clv_chain_free(c);
    free(t.text);
    return n;
}

static void a_peer_stands_behind_this_node(void **state)
{
    rig *r = *state;
    r->s.tells_chain = true;
    follow(r);
    await(nodes_told(r) == 2);
}

/* The connection broke while it was asked, and was back before anybody missed it: nothing else would ask again. */
static void a_question_that_failed_is_asked_again(void **state)
{
    rig *r = *state;
    r->s.tells_chain = true;
    r->s.fail_chains = 3;
    follow(r);
    await(nodes_told(r) == 2);
    assert_true(r->s.chains >= 4);
}

static void a_peer_that_tells_no_chain_is_not_asked_on_and_on(void **state)
{
    rig *r = *state;
    follow(r);
    await(r->s.chains > 0);
    clv_sleep_us(100000); /* five looks at the link */
    assert_int_equal(r->s.chains, 1);
    assert_int_equal(nodes_told(r), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_peer_stands_behind_this_node, start, stop),
        cmocka_unit_test_setup_teardown(a_question_that_failed_is_asked_again, start, stop),
        cmocka_unit_test_setup_teardown(a_peer_that_tells_no_chain_is_not_asked_on_and_on, start,
                                        stop),
    };
    return cmocka_run_group_tests_name("way_chain", tests, NULL, NULL);
}
