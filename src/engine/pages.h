/* Large pages for the memory of the process.
 *
 * A network's weights are read from end to end in every run, megabytes that no first-level cache
 * holds. In pages of 4 KiB each run also looks up the address of every page anew; in huge pages of
 * 2 MiB it does so a few times. Linux makes such pages of itself only where its administrator chose
 * `always`, and there after minutes (khugepaged); here it is asked to, once what is to stay has been
 * written.
 *
 *     clv_session_run(s, inputs, n, &outputs, &err);  // so that the engine has what it works in
 *     size_t bytes = clv_pages_enlarge();             // the heap's, from now on
 *
 * Threads: any. Meanwhile others run on, but wait, about a millisecond for 2 MiB, when they touch what is
 * being moved: call it before requests come.
 *
 * Linux 6.1 or later (madvise MADV_COLLAPSE); elsewhere nothing happens.
 */
#ifndef CLV_ENGINE_PAGES_H
#define CLV_ENGINE_PAGES_H

#include <stddef.h>

/* Bytes of the process's own anonymous memory that are now in huge pages. A stretch of 2 MiB of
 * which less than half is in use stays as it is, as does all of it where Linux has none to give. */
size_t clv_pages_enlarge(void);

#endif
