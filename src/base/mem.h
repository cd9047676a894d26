/* Memory: the two classes of allocation and scoped cleanup.
 *
 * Bounded control-plane memory (names, tables, plans) comes from clv_alloc() and friends, which
 * abort when the machine is out of memory. Sizes that come from a file or the wire are checked
 * against a named limit first and then come from clv_try_alloc(), whose NULL becomes CLV_ELIMIT.
 *
 *     CLV_AUTO(clv_text_free) char *path = clv_format("%s/%s", dir, name);   // freed at scope end
 *     *out = clv_steal(&path);                                               // or handed out
 *
 * CLV_AUTO(fn) calls `fn(T *)` on the address of the variable; `fn` must accept a pointer to NULL.
 */
#ifndef CLV_BASE_MEM_H
#define CLV_BASE_MEM_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define CLV_AUTO(fn) __attribute__((cleanup(fn)))

/* Zeroed; never NULL (aborts). `n * size` is checked for overflow (aborts). Free with free(). */
void *clv_alloc(size_t size);
void *clv_alloc_array(size_t n, size_t size);
/* Grow `*items` (capacity `*cap`, in items) so that it holds at least `need`; new items are zeroed.
 */
void clv_grow(void *items, size_t *cap, size_t need, size_t item_size);
/* NULL when there is no memory. Not zeroed. 64-byte aligned. Free with free(). */
void *clv_try_alloc(size_t bytes);

char *clv_strdup(const char *text);                      /* NULL stays NULL */
char *clv_strndup(const char *text, size_t n);           /* always terminated */
char *clv_format(const char *fmt, ...) CLV_PRINTF(1, 2); /* heap text */

void clv_text_free(char **text);         /* for CLV_AUTO */
void clv_free(void *pointer_to_pointer); /* free *(void **)p and set it to NULL; for CLV_AUTO on any
                                            heap pointer */

static inline void *clv_steal_pointer(void *pp)
{
    void *value;
    __builtin_memcpy(&value, pp, sizeof value);
    __builtin_memset(pp, 0, sizeof value);
    return value;
}
/* Take the pointer out of `*pp`, leaving NULL. */
#define clv_steal(pp) ((__typeof__(*(pp)))clv_steal_pointer(pp))

#define CLV_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLV_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define CLV_MAX(a, b)    ((a) > (b) ? (a) : (b))

#endif
