/* The device profiler: times every legal prefix and suffix of a network on this machine.
 *
 *     clv_profile *profile;
 *     clv_profiler_options o = {.model = "resnet18", .threads = 1, .slowdown = 1};
 *     clv_profiler_run(network, engine, &o, show_progress, bar, &profile, &err);
 *     clv_profile_write("edge.json", profile, &err);
 *     clv_profile_free(profile);
 *
 * What is timed is what will run: compiled segments, on real activations (zeros or denormals would
 * run at another speed): the network's inputs are seeded random numbers, the tensors at a cut are
 * what its prefix made of them.
 *
 * How: the cuts are taken in the order of measure/cut_choice.h, in blocks whose segments are
 * resident together (bounded by CLV_PROFILER_RESIDENT_MAX segments and an estimate of their
 * memory). Within a block the runs are interleaved: one visit to each segment, then again, so that a
 * change of the machine's speed meets all cuts alike. A visit first runs the segment once untimed
 * (it warms the caches that the segment before it has filled; not for runs so long that it makes no
 * difference), then a few times timed. Rounds go on until every segment was visited
 * CLV_PROFILER_ROUNDS_MIN times and its median has a relative standard error below `precision`, or the
 * block's share of the budget is spent; a segment that is precise enough is not visited again. The whole network stays resident and is timed in every
 * round: if a block saw it run slower or faster than all blocks did together, by more than the noise
 * of its median, the block's times are scaled by that ratio.
 *
 * On a machine with neighbours, speed changes by tens of percent within seconds: a median of a few runs in a
 * row says how fast the machine was just then, however little they vary: hence the visits. A steady run
 * (`steady`) visits all segments evenly over the whole budget, which leaves 2 to 4 % where a burst leaves 5 to 12 %.
 *
 * Runs that the kernel interrupted for another process are left out where there are enough others; what a run has
 * in common with the runs of other segments just before and after it is taken off (measure/mood.h). At last both
 * sides of each cut are held against the whole (measure/complement.h).
 *
 * With a speedometer (measure/speedometer.h) the reference network is one of the segments that are timed in turns, and
 * its time is kept in the profile: at which speed of the machine this was measured.
 *
 * Beside that, codecs write and read the tensors at each cut (measure/codec_meter.h): what they take here,
 * and the coded bytes of those that need no data to be offered.
 *
 * A budget that ends early leaves cuts without a time (n = 0), which are no candidates for plans.
 * Nothing is interpolated. The whole is always measured.
 *
 * Threads: runs in the caller's thread; the progress is called from it. Other work on the machine
 * makes the times longer: profile an idle machine.
 */
#ifndef CLV_MEASURE_PROFILER_H
#define CLV_MEASURE_PROFILER_H

#include "cost/profile.h"
#include "measure/speedometer.h"
#include "repo/network.h"

#define CLV_PROFILER_BUDGET_US    ((int64_t)30000000)
#define CLV_PROFILER_PRECISION    0.015
#define CLV_PROFILER_RESIDENT_MAX 64
#define CLV_PROFILER_MEMORY_MAX   ((size_t)512 << 20)
enum {
    CLV_PROFILER_ROUNDS_MIN = 9,
    CLV_PROFILER_ROUNDS_MAX = 100,
    CLV_PROFILER_STEADY_CUTS = 48,  /* resident together for a yardstick */
    CLV_PROFILER_STEADY_ROUNDS = 40 /* of it, when the budget allows */
};

typedef struct clv_profiler_options {
    const char *model; /* its name in the profile; NULL: the network's path */
    int threads;       /* recorded in the profile, as the engine knows them */
    double slowdown;   /* recorded; 0: 1 */
    int64_t budget_us; /* wall time to stay about within; 0: CLV_PROFILER_BUDGET_US */
    double precision;  /* 0: CLV_PROFILER_PRECISION */
    size_t max_cuts;   /* time at most this many besides the whole; 0: no limit */
    bool all;          /* time every cut (of max_cuts), however long it takes */
    bool steady;       /* a yardstick: at most CLV_PROFILER_STEADY_CUTS cuts, all resident together
                          whatever the memory, and every one visited in every round */
    bool no_prefixes;  /* a node that is only ever the cloud needs suffixes, … */
    bool no_suffixes;  /* … one that is only ever the edge needs prefixes */
    uint64_t seed;     /* of the inputs */
    clv_speedometer *speedometer; /* looked at all along, for the profile's `reference`; NULL: none.
                                     Not owned */
} clv_profiler_options;

/* How many steps a run with these options reports, for a progress bar. */
size_t clv_profiler_steps(const clv_network *network, const clv_profiler_options *options);
/* `done` of `total` steps; total does not change during a run. */
typedef void (*clv_profiler_progress)(void *arg, size_t done, size_t total);

/* `engine` is the one that the network was opened with; its device and description go into the
 * profile. Segments that were resident before stay so, the others are evicted. Errors are those of
 * compiling and running, with the cut's label before them. */
CLV_MUST
clv_status clv_profiler_run(clv_network *network, const clv_engine *engine,
                            const clv_profiler_options *options, clv_profiler_progress progress,
                            void *arg, clv_profile **out, clv_error *err);

/* The profile of a network with all times 0: its cuts and units, what `inspect` shows. */
clv_profile *clv_profiler_blank(const clv_network *network);

#endif
