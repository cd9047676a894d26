/* The small nouns of base: memory, buffers, digests, names, clock, random numbers, statistics. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/nearest.h"
#include "base/rng.h"
#include "base/stats.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void growing_zeroes_what_is_new(void **state)
{
    (void)state;
    CLV_AUTO(clv_free) int *items = NULL;
    size_t cap = 0;
    clv_grow(&items, &cap, 1, sizeof *items);
    assert_true(cap >= 1);
    for (size_t i = 0; i < cap; i++) items[i] = 7;
    size_t before = cap;
    clv_grow(&items, &cap, cap, sizeof *items);
    assert_int_equal(cap, before); /* enough is enough */
    clv_grow(&items, &cap, 1000, sizeof *items);
    assert_true(cap >= 1000 && items[before - 1] == 7);
    for (size_t i = before; i < cap; i++) assert_int_equal(items[i], 0);
    int *taken = clv_steal(&items);
    assert_null(items);
    free(taken);
}

static void tried_memory_is_aligned_or_null(void **state)
{
    (void)state;
    CLV_AUTO(clv_free) void *p = clv_try_alloc(1);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_null(clv_try_alloc(SIZE_MAX));
    assert_null(clv_strdup(NULL));
    CLV_AUTO(clv_text_free) char *cut = clv_strndup("abc", 2);
    assert_string_equal(cut, "ab");
}

static void a_buffer_builds_text_and_bytes(void **state)
{
    (void)state;
    clv_buf b = {0};
    clv_buf_printf(&b, "%s-%d", "x", 5);
    clv_buf_printf(&b, "%s", "");
    clv_buf_char(&b, '!');
    assert_string_equal(b.data, "x-5!");
    clv_buf_consume(&b, 2);
    assert_string_equal(b.data, "5!");
    clv_buf_consume(&b, 99);
    assert_true(b.len == 0 && b.data[0] == 0);
    for (int i = 0; i < 1000; i++) clv_buf_add(&b, "ab", 2);
    assert_true(b.len == 2000 && b.data[1999] == 'b' && b.data[2000] == 0);
    clv_buf_clear(&b);
    char *text = clv_buf_take(&b);
    assert_string_equal(text, "");
    assert_null(b.data);
    free(text);
    text = clv_buf_take(&b); /* even of an empty buffer */
    assert_string_equal(text, "");
    free(text);
}

/* FIPS 180-4's own examples. */
static void digests_are_sha256_however_they_are_fed(void **state)
{
    (void)state;
    char text[CLV_DIGEST_TEXT];
    clv_digest_end(clv_digest_new(), text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    clv_digest *d = clv_digest_new();
    clv_digest_add(d, "a", 1);
    clv_digest_add(d, "", 0);
    clv_digest_add(d, "bc", 2);
    clv_digest_end(d, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    clv_digest_free(clv_digest_new());
    clv_digest_free(NULL);
}

static void the_nearest_name_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"plan", "profile", "serve", "zoo"};
    static const struct {
        const char *word, *name;
    } rows[] = {
        {"profle", "profile"}, {"porfile", "profile"}, {"sreve", "serve"}, {"plans", "plan"},
        {"zo", "zoo"},         {"xyz", NULL},          {"", NULL},         {"q", NULL},
        {"frobnicate", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        clv_nearest n = clv_nearest_to(rows[i].word);
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) clv_nearest_try(&n, names[j]);
        if (rows[i].name)
            assert_string_equal(n.name, rows[i].name);
        else
            assert_null(n.name);
    }
    char word[CLV_NEAREST_NAME_MAX + 2];
    memset(word, 'a', sizeof word);
    word[CLV_NEAREST_NAME_MAX] = 0; /* at the limit */
    clv_nearest n = clv_nearest_to(word);
    clv_nearest_try(&n, word);
    assert_ptr_equal(n.name, word);
    word[CLV_NEAREST_NAME_MAX] = 'a';
    word[CLV_NEAREST_NAME_MAX + 1] = 0; /* one more */
    n = clv_nearest_to(word);
    clv_nearest_try(&n, word);
    assert_null(n.name);
}

static void clocks_move_forward(void **state)
{
    (void)state;
    int64_t before_us = clv_now_us(), before_ns = clv_now_ns();
    clv_sleep_us(1500);
    assert_true(clv_now_us() - before_us >= 1500);
    assert_true(clv_now_ns() - before_ns >= 1500000);
    assert_true(clv_wall_us() > 1600000000000000); /* after 2020 */
}

static void random_numbers_repeat_and_spread(void **state)
{
    (void)state;
    clv_rng a = clv_rng_seeded(7), b = clv_rng_seeded(7), other = clv_rng_seeded(8);
    int seen[3] = {0};
    double normal = 0, squares = 0, exponential = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t x = clv_rng_next(&a);
        assert_true(x == clv_rng_next(&b));
        assert_true(x != clv_rng_next(&other));
        seen[clv_rng_below(&a, 3)]++;
        double unit = clv_rng_unit(&a), gauss = clv_rng_normal(&a);
        assert_true(unit >= 0 && unit < 1);
        normal += gauss / 10000;
        squares += gauss * gauss / 10000;
        exponential += clv_rng_exponential(&a) / 10000;
        b = a;
    }
    for (int i = 0; i < 3; i++) assert_in_range(seen[i], 3100, 3600);
    assert_true(fabs(normal) < 0.05 && fabs(squares - 1) < 0.05 && fabs(exponential - 1) < 0.05);
}

static void order_statistics(void **state)
{
    (void)state;
    double x[] = {4, 1, 3, 2};
    assert_true(clv_median(x, 4) == 2.5);
    assert_true(clv_quantile(x, 4, 0) == 1 && clv_quantile(x, 4, 1) == 4);
    assert_true(clv_quantile(x, 4, 0.5) == 2.5 && clv_mean(x, 4) == 2.5);
    assert_true(clv_quantile(x, 0, 0.5) == 0 && clv_mean(x, 0) == 0);
    double y[] = {1, 1, 2, 2, 4, 6, 9};
    assert_true(fabs(clv_mad_sigma(y, 7) - 1.4826) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growing_zeroes_what_is_new),
        cmocka_unit_test(tried_memory_is_aligned_or_null),
        cmocka_unit_test(a_buffer_builds_text_and_bytes),
        cmocka_unit_test(digests_are_sha256_however_they_are_fed),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(clocks_move_forward),
        cmocka_unit_test(random_numbers_repeat_and_spread),
        cmocka_unit_test(order_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
