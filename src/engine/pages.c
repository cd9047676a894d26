#include "engine/pages.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE /* newer than Debian 12's C library */
#define MADV_COLLAPSE 25
#endif

enum {
    HUGE_BYTES = 2 << 20,
    PAGES_MAX = HUGE_BYTES / 4096, /* no machine has smaller pages */
    LINE_MAX_BYTES = 4608          /* of /proc/self/maps: a path and some numbers */
};

/* One line of /proc/self/maps: memory of no file, private, to read and write; the heap, not a stack. */
static bool parse_own(const char *line, uintptr_t *from, uintptr_t *to)
{
    char rights[5], name[16] = "";
    unsigned long inode;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu %15s", from, to, rights, &inode,
               name) < 4)
        return false;
    return strcmp(rights, "rw-p") == 0 && inode == 0 && (!name[0] || strcmp(name, "[heap]") == 0);
}

static bool half_used(uintptr_t at, size_t page_bytes)
{
    unsigned char in_memory[PAGES_MAX];
    size_t n = HUGE_BYTES / page_bytes, used = 0;
    if (n > PAGES_MAX || mincore((void *)at, HUGE_BYTES, in_memory)) return false;
    for (size_t i = 0; i < n; i++) used += in_memory[i] & 1;
    return 2 * used >= n;
}

static size_t enlarge(uintptr_t from, uintptr_t to, size_t page_bytes)
{
    size_t bytes = 0;
    uintptr_t at = (from + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1);
    for (; at < to && to - at >= HUGE_BYTES; at += HUGE_BYTES)
        if (half_used(at, page_bytes) && madvise((void *)at, HUGE_BYTES, MADV_COLLAPSE) == 0)
            bytes += HUGE_BYTES;
    return bytes;
}

size_t clv_pages_enlarge(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return 0;
    size_t bytes = 0, page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t memory = page_bytes * (size_t)sysconf(_SC_PHYS_PAGES);
    char line[LINE_MAX_BYTES];
    uintptr_t from, to;
    /* More than the machine has: a sanitizer's map of all addresses. */
    while (fgets(line, sizeof line, maps))
        if (parse_own(line, &from, &to) && to - from <= memory)
            bytes += enlarge(from, to, page_bytes);
    fclose(maps);
    return bytes;
}
