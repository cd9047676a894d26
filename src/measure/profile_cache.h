/* Profiles kept on disk: what was measured once on this machine is not measured again.
 *
 *     clv_profile_cache_get(dir, network, engine, &options, progress, arg, &profile, &err);
 *
 * One JSON file for each model digest, device and number of threads, below `dir`. It is used only
 * if it is of this engine's version and of these cuts; otherwise the network is profiled (which
 * takes a while) and the file is replaced. Files hold the times without the emulated slowdown; it
 * is applied on the way out and taken out on the way in. What was measured on data (bytes and
 * accuracy of codecs) is the network's: a file that is measured again because the engine has
 * changed keeps it.
 */
#ifndef CLV_MEASURE_PROFILE_CACHE_H
#define CLV_MEASURE_PROFILE_CACHE_H

#include "measure/profiler.h"

/* $XDG_CACHE_HOME/cleave/profiles or ~/.cache/cleave/profiles. Heap text. */
char *clv_profile_cache_dir(void);

/* A profile that cannot be stored is still returned: the cache is a convenience. */
CLV_MUST
clv_status clv_profile_cache_get(const char *dir, clv_network *network, const clv_engine *engine,
                                 const clv_profiler_options *options,
                                 clv_profiler_progress progress, void *arg, clv_profile **out,
                                 clv_error *err);

/* Puts a profile where clv_profile_cache_get() on this machine finds it: `cleave profile --data …
 * --keep` for the nodes here. */
CLV_MUST
clv_status clv_profile_cache_put(const char *dir, clv_profile *p, clv_error *err);
/* What is kept already; CLV_ENOTFOUND: nothing that fits. Measures nothing. */
CLV_MUST
clv_status clv_profile_cache_find(const char *dir, clv_network *network, const clv_engine *engine,
                                  const clv_profiler_options *options, clv_profile **out,
                                  clv_error *err);

#endif
