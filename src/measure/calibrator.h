/* The calibrator: what units of every kind and of many shapes take on this machine.
 *
 *     clv_calibration *c = clv_calibrator_begin(engine, &options);   // or one that was read, to go on
 *     clv_calibrator_run(engine, &options, c, watch, arg, &err);
 *     clv_calibration_write("edge.json", c, &err);
 *     clv_calibration_free(c);
 *
 * A unit alone runs at another speed than among others: the engine keeps images in a blocked layout
 * between convolutions, merges additions into them, and the caches hold what the unit before has left
 * there. So units are timed inside small random networks in the style of real ones (zoo/random.h): the
 * engine tells what each operator of a run took (clv_engine_trace), which gives some tens of samples a
 * second. The whole network is timed untraced before and after, and the samples are scaled to it, so
 * that tracing does not count. A few prefixes and suffixes of each network, run alone, tell what a
 * segment costs beyond its units.
 *
 * Adaptive: first all families in turn; then, every CLV_CALIBRATOR_LEARN_EVERY networks, a predictor is
 * fitted to what is there, and a family is drawn more often the worse its networks are predicted
 * (each before it is learnt from; a network's mood aside).
 *
 * With a speedometer, the reference network is timed before and after each network: so the calibration knows at which
 * speed of the machine it was made (cost/speed.h), and what was measured at another can be held against it.
 *
 * Threads: runs in the caller's. Other work on the machine is noise: what slows a whole network alike is
 * found and taken out (cost/calibration.h, mood), what comes and goes within one is not.
 */
#ifndef CLV_MEASURE_CALIBRATOR_H
#define CLV_MEASURE_CALIBRATOR_H

#include "cost/predictor.h"
#include "engine/engine.h"
#include "measure/speedometer.h"

enum {
    CLV_CALIBRATOR_NETWORKS = 140,
    CLV_CALIBRATOR_NETWORKS_QUICK = 32,
    CLV_CALIBRATOR_LEARN_EVERY = 40
};
/* A slow device looks at fewer: that leaves time to learn within a minute. */
#define CLV_CALIBRATOR_QUICK_US INT64_C(36000000)

typedef struct clv_calibrator_options {
    int threads;       /* recorded, as the engine knows them */
    double slowdown;   /* of the engine; 0: 1 */
    int64_t budget_us; /* of wall time for measuring; 0: no limit */
    int networks;      /* 0: CLV_CALIBRATOR_NETWORKS */
    uint64_t seed;
    clv_speedometer *speedometer; /* visited around each network; NULL: the speed stays unknown. Not
                                     owned */
} clv_calibrator_options;

/* Called after each network, and while learning. `c` may be stored: it can be gone on with. */
typedef void (*clv_calibrator_watch)(void *arg, const clv_calibration *c, size_t done,
                                     size_t total);
size_t clv_calibrator_steps(const clv_calibrator_options *o);

clv_calibration *clv_calibrator_begin(const clv_engine *engine, const clv_calibrator_options *o);
/* Measures what is missing of o->networks (or until the budget is spent, but at least one of each
 * family), then learns; afterwards c->complete. CLV_EMISMATCH: `c` is of another device, engine, number
 * of threads or slowdown. A run that was interrupted and goes on looks at the same networks. */
CLV_MUST
clv_status clv_calibrator_run(clv_engine *engine, const clv_calibrator_options *o,
                              clv_calibration *c, clv_calibrator_watch watch, void *arg,
                              clv_error *err);

#endif
