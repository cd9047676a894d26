/* The planner's question, as plain integers: a network's cuts, the devices in a row, the links
 * between them, what is wanted and what is forbidden.
 *
 *     clv_plan_problem p = {.graph = g, .cuts = cuts, .n_devices = 2, .codecs = &clv_plan_raw, .n_codecs = 1};
 *     p.devices[0] = (clv_plan_device){.name = "edge", .prefix = …, .suffix = …};
 *     p.hops[0] = (clv_plan_hop){.up = true, .up_ps_per_byte = 423729, …};
 *     clv_plan_solve(&p, &plan, &err);                           // plan/plan.h
 *
 * Device 0 holds the input and gets the answer; device k talks to k - 1 and k + 1 only. A placement
 * is a chain of order ideals {} = I[-1] <= I[0] <= ... <= I[n-1] = all: device k runs the units of
 * I[k] that are not in I[k-1], as one compiled segment, or nothing. Hop k lies between devices k and
 * k + 1 and is crossed when I[k] is not all: the live tensors of I[k] go up, each once, also those
 * that are only needed further on; the network's outputs that are not in I[k] come back down. So an
 * all-local placement pays nothing for links.
 *
 * What a placement costs is the sum of its parts, each an amount of time, variance, energy, price and
 * accuracy (clv_plan_amount):
 *   - a segment (I, J) of device d: prefix[J] when I is empty, else suffix[I] when J is all, else
 *     progress[J] - progress[I]; and the wait before it starts, once, when it is not empty;
 *   - a hop with a codec: encoding at the sender, overhead, round trip, bytes up, decoding at the
 *     receiver, bytes down. A device that runs nothing passes tensors on as they came: no decoding,
 *     no encoding, the codec of the hop before. Writing is also what costs accuracy.
 * Encoding and decoding are computing. Energy is that of all devices and radios whose watts are not 0:
 * active power while a device computes; device 0's idle power while another device computes or makes
 * the request wait, and during the whole of a crossing; the radio's power while bytes go up and while
 * they come down. Money is paid for computing and for bytes.
 *
 * All parts are rounded up, once, when they are made, so any planner adds the same integers, and equal
 * plans are equal: coded bytes, times in ns, the standard deviation of a time in ns and its square in
 * us^2, energy in nJ (the sum of a part's picojoules), money in pm. The variance of a crossing is that
 * of its round trip and of its time up and its time down, each rate being off by its `rel_ppm`. A
 * segment between two cuts in the middle is the difference of two amounts, that of progress[J] and
 * that of progress[I], each rounded by itself: so segments that follow each other add up exactly.
 *
 * As a pipeline, a placement's period is the longest of: each device's work (decoding, its segment,
 * encoding; the wait is not work), each crossed hop's bytes up, and each crossed hop's bytes down.
 * Round trips, overheads and waits pass while the next request is under way, and limit no rate.
 *
 * Privacy: a tensor that stays is neither read nor made by another device than 0.
 *
 * Units: _ns nanoseconds, _nj nanojoules, _pm 10^-12 of the money's unit, _mw milliwatts, bytes.
 * Everything is borrowed and read only. Threads: any.
 *
 * Source: order ideals as states: Tarnawski et al., NeurIPS 2020. Neurosurgeon (ASPLOS 2017) has the
 * two-device chain of this. Our differences: measured segments, not sums of layers; K devices;
 * the way back, the wait, the round trip and codecs are paid.
 */
#ifndef CLV_PLAN_PROBLEM_H
#define CLV_PLAN_PROBLEM_H

#include "graph/cuts.h"

enum { CLV_PLAN_DEVICES_MAX = 8, CLV_PLAN_CODECS_MAX = 16, CLV_PLAN_NAME_MAX = 64 };
#define CLV_PLAN_UNKNOWN  INT64_MAX /* a time: not measured */
#define CLV_PLAN_NO_LIMIT INT64_MAX

typedef struct clv_plan_amount {
    int64_t ns;
    int64_t var_us2; /* variance of ns, in square microseconds, rounded up */
    int64_t nj, pm;
    int64_t drop_ppm; /* accuracy lost, in millionths */
} clv_plan_amount;

/* A measured time of a segment. ns CLV_PLAN_UNKNOWN: none, and no stage may be that segment. */
typedef struct clv_plan_time {
    int64_t ns, var_us2;
} clv_plan_time;

typedef struct clv_plan_device {
    char name[CLV_PLAN_NAME_MAX];
    const clv_plan_time *prefix, *suffix; /* [cuts->n] from nothing to cut i; from cut i to all.
                                             prefix[0] and suffix[last] are 0; prefix[last] and
                                             suffix[0] are the whole */
    const clv_plan_time *progress; /* [cuts->n] how long until cut i is reached; for segments that
                                      neither begin at nothing nor end at all. Neither time nor
                                      variance falls from an ideal to one that holds it; where they
                                      do, 0 is counted. NULL: such segments are unknown */
    const int64_t *unit_ns; /* [graph->n_units] each unit's share, for planners that need sums:
                               min-cut and the peers' policies. NULL: they cannot plan */
    int64_t queue_ns;       /* wait before a segment starts: a measured quantile */
    int64_t active_mw, idle_mw;
    int64_t price_pm_per_s;   /* of computing */
    int64_t memory_bytes_max; /* weights + peak activations of its segment; CLV_PLAN_NO_LIMIT */
} clv_plan_device;

typedef struct clv_plan_hop {
    bool up;                                  /* false: it cannot be crossed */
    int64_t up_ps_per_byte, down_ps_per_byte; /* picoseconds; > 0 when up */
    int64_t rtt_ns, rtt_var_us2;
    int64_t up_rel_ppm, down_rel_ppm; /* standard deviation of the rates, in millionths of them */
    int64_t overhead_ns;  /* fixed cost of an exchange besides the link: framing, system calls */
    int64_t tx_mw, rx_mw; /* radio, while bytes go up and while they come down */
    int64_t up_pj_per_byte, down_pj_per_byte;
    int64_t up_pm_per_byte, down_pm_per_byte;
} clv_plan_hop;

/* How tensors are written for a hop. The answer always comes back raw. */
typedef struct clv_plan_codec {
    char name[16];
    int64_t bytes_per_kib; /* coded bytes of 1024 raw ones, where cut_bytes is NULL; and for min-cut
                              (planner D), which knows tensors and no cuts */
    /* [cuts->n] measured coded bytes of each cut's tensors; CLV_PLAN_UNKNOWN: this codec is not
     * offered there. NULL: bytes_per_kib */
    const int64_t *cut_bytes;
    /* [cuts->n] accuracy that it costs there, in millionths; NULL: none. Paid where tensors are
     * written, so once if they are passed on as they came. D counts the most of any cut where the
     * codec is offered */
    const int64_t *cut_drop_ppm;
    int64_t encode_ps_per_byte[CLV_PLAN_DEVICES_MAX]; /* of raw bytes, on each device; */
    int64_t decode_ps_per_byte[CLV_PLAN_DEVICES_MAX]; /* CLV_PLAN_UNKNOWN: the device cannot */
} clv_plan_codec;
extern const clv_plan_codec clv_plan_raw;

/* What is to be least. */
#define CLV_PLAN_GOAL_MAP(X)                                                                       \
    X(LATENCY, "latency", "time of one request, its mean or a quantile")                           \
    X(ENERGY, "energy", "joules of one request")                                                   \
    X(PRICE, "price", "money for one request")                                                     \
    X(THROUGHPUT, "throughput", "the longest stage of a pipeline: requests per second")            \
    X(WEIGHTED, "weighted", "a sum of seconds, joules and money with stated weights")
typedef enum clv_plan_goal {
#define X(name, text, about) CLV_GOAL_##name,
    CLV_PLAN_GOAL_MAP(X)
#undef X
        CLV_GOAL_COUNT
} clv_plan_goal;
const char *clv_plan_goal_name(clv_plan_goal g);

typedef struct clv_plan_objective {
    clv_plan_goal goal;
    int quantile_ppm; /* of the latency, also in the deadline: 0 the mean, else 500000 to 999999.
                         mean + z * sqrt(sum of variances), z of the normal distribution */
    int64_t second_weight, joule_weight, money_weight; /* WEIGHTED, in thousandths */
} clv_plan_objective;

/* What a plan must keep. Zeroed except for CLV_PLAN_NO_LIMITs: see clv_plan_no_limits. */
typedef struct clv_plan_limits {
    int64_t deadline_ns, energy_nj, price_pm;
    int64_t drop_ppm; /* accuracy lost to codecs, added up over the hops that tensors are written
                         for, in millionths */
    const uint8_t *unit_devices; /* [n_units] bit d: the unit may run on device d; NULL: all may */
    const bool *stays; /* [n_tensors] only device 0 may know them (graph/leakage.h); NULL: none */
} clv_plan_limits;
extern const clv_plan_limits clv_plan_no_limits;

/* Ranges that clv_plan_problem_check() holds a problem to, so that no sum of parts overflows. */
#define CLV_PLAN_NS_MAX     ((int64_t)1000000000000000)    /* of one time: eleven days */
#define CLV_PLAN_VAR_MAX    ((int64_t)1000000000000000000) /* of one time, us^2 */
#define CLV_PLAN_PS_MAX     ((int64_t)1000000000000)       /* a byte: a second */
#define CLV_PLAN_MW_MAX     ((int64_t)1000000000)
#define CLV_PLAN_PRICE_MAX  ((int64_t)1000000000000000) /* a second or a byte */
#define CLV_PLAN_WEIGHT_MAX ((int64_t)1000000000)
#define CLV_PLAN_BYTES_MAX  ((int64_t)1 << 50) /* coded, of a cut */
#define CLV_PLAN_DROP_MAX   ((int64_t)1000000) /* of a crossing: all accuracy */

typedef struct clv_plan_problem {
    const clv_graph *graph;
    const clv_cuts *cuts;              /* all order ideals, or (cuts->capped) some */
    const struct clv_lattice *lattice; /* of these cuts (plan/lattice.h), for planning often; NULL:
                                          made when it is needed */
    clv_plan_device devices[CLV_PLAN_DEVICES_MAX];
    size_t n_devices; /* 2 or more */
    clv_plan_hop hops[CLV_PLAN_DEVICES_MAX - 1];
    const clv_plan_codec *codecs; /* the first is raw */
    size_t n_codecs;
    clv_plan_objective objective;
    clv_plan_limits limits;
    bool may_return; /* two devices: later units may run on device 0 again, paid by the downlink */
} clv_plan_problem;

/* Everything in range and consistent: CLV_EINVAL names the field and the value. */
CLV_MUST
clv_status clv_plan_problem_check(const clv_plan_problem *p, clv_error *err);

/* ---- the parts, for planners. Cheap: a few multiplications each ---- */

/* Segment (from, to) on device d, without the wait. ns CLV_PLAN_UNKNOWN: not measured.
 * `from` must be within `to`; from == to is nothing. */
clv_plan_amount clv_plan_segment(const clv_plan_problem *p, size_t device, size_t from, size_t to);
/* The wait of device d before a segment. */
clv_plan_amount clv_plan_wait(const clv_plan_problem *p, size_t device);
/* Is the codec offered at this cut? */
bool clv_plan_offered(const clv_plan_problem *p, size_t cut, size_t codec);
/* Crossing hop k with the tensors of `cut` in `codec`: round trip, overhead, up and down. No codec
 * times. ns CLV_PLAN_UNKNOWN when the hop is down or the codec is not offered at the cut. */
clv_plan_amount clv_plan_cross(const clv_plan_problem *p, size_t hop, size_t cut, size_t codec);
/* The same crossing in pieces: bytes as they are on the wire, and the time of these bytes alone.
 * All 0 when it is unknown. */
typedef struct clv_plan_transfer {
    int64_t up_bytes, down_bytes, up_ns, down_ns;
} clv_plan_transfer;
clv_plan_transfer clv_plan_transfer_of(const clv_plan_problem *p, size_t hop, size_t cut,
                                       size_t codec);
/* One of its times. CLV_PLAN_UNKNOWN as the crossing is. */
int64_t clv_plan_up_ns(const clv_plan_problem *p, size_t hop, size_t cut, size_t codec);
int64_t clv_plan_down_ns(const clv_plan_problem *p, size_t hop, size_t cut);
/* Writing (reading) the tensors of `cut` in `codec` on a device; ns CLV_PLAN_UNKNOWN: it cannot. */
clv_plan_amount clv_plan_encode(const clv_plan_problem *p, size_t device, size_t cut, size_t codec);
clv_plan_amount clv_plan_decode(const clv_plan_problem *p, size_t device, size_t cut, size_t codec);
/* Bytes of the outputs that are made outside of the cut's ideal. */
size_t clv_plan_down_bytes(const clv_plan_problem *p, size_t cut);
/* The devices that may run a unit, as bits: pins and privacy. */
uint8_t clv_plan_unit_devices(const clv_plan_problem *p, size_t unit);
/* May device d run the units between these cuts: pins, privacy, memory? */
bool clv_plan_may_run(const clv_plan_problem *p, size_t device, size_t from, size_t to);
/* Weights and peak activations of a segment when its units run in order. */
int64_t clv_plan_memory(const clv_plan_problem *p, size_t from, size_t to);

/* a + b, UNKNOWN if either is; sums stay below INT64_MAX. */
clv_plan_amount clv_plan_add(clv_plan_amount a, clv_plan_amount b);
/* What the objective makes of a sum of parts: lower is better. LATENCY: ns of its quantile; ENERGY: nj;
 * PRICE: pm; WEIGHTED: second_weight * 1000 * ns + joule_weight * 1000 * nj + money_weight * pm, exactly,
 * of the quantile's ns. THROUGHPUT has none (CLV_PLAN_UNKNOWN): see clv_plan_weigh() in plan/plan.h. */
int64_t clv_plan_score(const clv_plan_objective *o, const clv_plan_amount *total);
/* ns of the objective's quantile (the mean when it has none). */
int64_t clv_plan_latency_ns(const clv_plan_objective *o, const clv_plan_amount *total);

#endif
