/* An emulated slower device: the same results, later.
 *
 * A decorator around another engine: after every run that took t it waits, so that the run takes
 * factor * t. That is an emulation and says so: the description ends in "slowed 4x (emulated)", the
 * profile keeps the factor. It is the stand-in for an edge box on a machine where both nodes run;
 * real profiles of a real device have factor 1.
 *
 *     clv_engine *fast, *edge;
 *     clv_ort_engine_new(&options, &fast, &err);
 *     clv_slow_engine_new(fast, 4.0, CLV_SLOW_AWAKE, &edge, &err);  // takes `fast`, also on failure
 *     clv_engine_free(edge);
 *
 * Awake, the wait keeps the lane and its processor busy, as a slower device would be: nodes that
 * share a machine should be pinned to processors of their own. Asleep, it leaves the processor to
 * others, so that one machine can stand for many slow devices at once. A processor that slept runs
 * the next thing slower, as does one that others use, so a run then takes factor * the least that a
 * run of this session with so many rows has taken, not what this one took: the device is steadier
 * than a real one. In the first waits it is run again, as often as that fits: that tells, too.
 *
 * Compiling is not slowed. Memory, caches and power are those of the real machine.
 */
#ifndef CLV_ENGINE_SLOW_H
#define CLV_ENGINE_SLOW_H

#include "engine/engine.h"

#define CLV_SLOW_FACTOR_MAX 1000.0
/* Where the description of the engine inside ends, in the description of a slowed one. */
#define CLV_SLOW_MARK ", slowed "

typedef enum clv_slow_wait { CLV_SLOW_AWAKE, CLV_SLOW_ASLEEP } clv_slow_wait;

/* 1 <= factor <= CLV_SLOW_FACTOR_MAX, else CLV_EINVAL. Factor 1 hands back `take` itself. */
CLV_MUST
clv_status clv_slow_engine_new(clv_engine *take, double factor, clv_slow_wait wait,
                               clv_engine **out, clv_error *err);
/* The stated factor of an engine; 1 for one that is not slowed. */
double clv_engine_slowdown(const clv_engine *e);

#endif
