/* The wire format: round trips, limits and limit + 1, cuts. */
#include "base/wire.h"

#include "base/mem.h"
#include "unit.h"

#include <string.h>

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, INT64_MAX, UINT64_MAX};
    clv_buf b = {0};
    for (size_t i = 0; i < CLV_COUNT(numbers); i++) {
        size_t before = b.len;
        clv_wire_put_varint(&b, numbers[i]);
        assert_int_equal(b.len - before, clv_wire_varint_size(numbers[i]));
        clv_buf_clear(&b);
        clv_wire_put_number(&b, 536870911, numbers[i]);
        clv_wire_put_text(&b, 7, "ab");
        clv_wire_put_text(&b, 7, "");
        clv_wire w = clv_wire_of(b.data, b.len);
        clv_wire_field f;
        clv_error err = {0};
        assert_ok(clv_wire_read(&w, &f, &err), err);
        assert_int_equal(f.number, 536870911);
        assert_true(f.value == numbers[i]);
        assert_true(clv_wire_next(&w, &f));
        assert_int_equal(f.type, CLV_WIRE_BYTES);
        assert_int_equal(f.bytes, 2);
        assert_memory_equal(f.body, "ab", 2);
        assert_false(clv_wire_next(&w, &f));
        assert_ptr_equal(w.at, w.end);
        clv_buf_clear(&b);
    }
    clv_buf_done(&b);
}

static void broken_fields_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\x00\x01", 2},                                         /* field 0 */
        {"\x80\x80\x80\x80\x10\x01", 6},                         /* field 2^29 */
        {"\x0b", 1},                                             /* a group */
        {"\x0e", 1},                                             /* no such type */
        {"\x0a\x02m", 3},                                        /* longer than what is left */
        {"\x0d\1\2\3", 4},                                       /* fixed32 cut */
        {"\x09\1\2\3\4\5\6\7", 8},                               /* fixed64 cut */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11},    /* more than 64 bits */
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12} /* eleven bytes */
    };
    for (size_t i = 0; i < CLV_COUNT(cases); i++) {
        clv_wire w = clv_wire_of(cases[i].bytes, cases[i].n);
        clv_wire_field f;
        clv_error err = {0};
        assert_int_equal(clv_wire_read(&w, &f, &err), CLV_EINVAL);
        assert_ptr_equal(w.at, cases[i].bytes); /* stays where it went wrong */
    }
}

static void packed_elements(void **state)
{
    (void)state;
    clv_wire w = clv_wire_of("\1\0\0\0\2\0\0\0\3\0", 10);
    uint64_t value;
    assert_true(clv_wire_element(&w, CLV_WIRE_FIXED32, &value));
    assert_int_equal(value, 1);
    assert_true(clv_wire_element(&w, CLV_WIRE_FIXED32, &value));
    assert_false(clv_wire_element(&w, CLV_WIRE_FIXED32, &value));
    assert_false(clv_wire_element(&w, CLV_WIRE_BYTES, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(broken_fields_are_refused),
        cmocka_unit_test(packed_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
