/* Memory moved into huge pages: what is in it stays, what is hardly used stays small. */
#include "engine/pages.h"
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, HUGE = 2 * MIB, SPAN = 16 * MIB, PAGE = 4096 };

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static unsigned char *map(size_t bytes)
{
    unsigned char *at =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

/* A map of SPAN bytes from a multiple of 2 MiB on; the rest is given back. */
static unsigned char *aligned(void)
{
    unsigned char *at = map(SPAN + HUGE);
    size_t skip = (HUGE - (uintptr_t)at % HUGE) % HUGE;
    if (skip) munmap(at, skip);
    if (HUGE - skip) munmap(at + skip + SPAN, HUGE - skip);
    return at + skip;
}

static size_t in_memory(unsigned char *at, size_t bytes)
{
    static unsigned char pages[SPAN / PAGE];
    size_t n = 0;
    assert_int_equal(mincore(at, bytes, pages), 0);
    for (size_t i = 0; i < bytes / PAGE; i++) n += pages[i] & 1;
    return n * PAGE;
}

/* Whether this kernel makes huge pages when asked. */
static bool can(void)
{
    unsigned char *at = aligned();
    memset(at, 1, SPAN);
    bool yes = madvise(at, SPAN, MADV_COLLAPSE) == 0;
    munmap(at, SPAN);
    return yes;
}

static void what_is_in_memory_stays(void **state)
{
    (void)state;
    unsigned char *at = aligned();
    for (size_t i = 0; i < SPAN; i++) at[i] = (unsigned char)(i * 2654435761u >> 13);
    size_t bytes = clv_pages_enlarge();
    size_t wrong = 0;
    for (size_t i = 0; i < SPAN; i++) wrong += at[i] != (unsigned char)(i * 2654435761u >> 13);
    assert_int_equal(wrong, 0);
    if (can()) assert_in_range(bytes, HUGE, SIZE_MAX); /* Linux may leave out some */
    munmap(at, SPAN);
}

/* Whether it makes them unasked, too: then nothing stays small. */
static bool does_always(void)
{
    char text[64] = "";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (!f) return false;
    bool yes = fgets(text, sizeof text, f) && strstr(text, "[always]");
    fclose(f);
    return yes;
}

/* SPAN bytes of which the first `used` of each 2 MiB are in memory, in small pages. */
static unsigned char *sparse(size_t used)
{
    if (does_always()) skip();
    unsigned char *at = aligned();
    for (size_t i = 0; i < SPAN; i += HUGE) memset(at + i, 1, used);
    return at;
}

static void what_is_hardly_used_stays_small(void **state)
{
    (void)state;
    unsigned char *quarter = sparse(HUGE / 4), *half = sparse(HUGE / 2);
    clv_pages_enlarge();
    assert_int_equal(in_memory(quarter, SPAN), SPAN / 4);
    if (can()) assert_in_range(in_memory(half, SPAN), SPAN / 2 + 1, SPAN);
    munmap(quarter, SPAN);
    munmap(half, SPAN);
}

static void what_cannot_be_written_is_left_alone(void **state)
{
    (void)state;
    unsigned char *fixed = sparse(HUGE / 2);
    mprotect(fixed, SPAN, PROT_READ);
    clv_pages_enlarge();
    assert_int_equal(in_memory(fixed, SPAN), SPAN / 2);
    munmap(fixed, SPAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_memory_stays),
        cmocka_unit_test(what_is_hardly_used_stays_small),
        cmocka_unit_test(what_cannot_be_written_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
