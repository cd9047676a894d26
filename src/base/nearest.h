/* The known name nearest to what somebody typed, for "did you mean".
 *
 *     clv_nearest n = clv_nearest_to("profle");
 *     for (each name) clv_nearest_try(&n, name);
 *     if (n.name) ... "did you mean 'profile'?"
 *
 * Distance: Damerau's, restricted to one edit a place (insert, delete, replace, swap neighbours).
 * A name is near when at most a third of its letters, and always one, would have to change. */
#ifndef CLV_BASE_NEAREST_H
#define CLV_BASE_NEAREST_H

#include <stddef.h>

#define CLV_NEAREST_NAME_MAX 64 /* longer words and names are never near */

/* Plain value; `word` and `name` point to the caller's texts. */
typedef struct clv_nearest {
    const char *word;
    const char *name; /* the nearest name tried so far, or NULL when none is near */
    size_t distance;
} clv_nearest;

clv_nearest clv_nearest_to(const char *word);
void clv_nearest_try(clv_nearest *n, const char *name);

#endif
