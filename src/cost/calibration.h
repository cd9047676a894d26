/* A calibration: what units of many kinds and shapes take on one device, measured. A device may exist
 * only as this file: cost/predictor.h makes a profile of any network from it.
 *
 * A value, made by measure/calibrator.h, kept as JSON (docs/json.md). Samples are taken in networks;
 * each network has a mood, the logarithm of how much slower the machine was while it was looked at,
 * which clv_predictor_settle() finds, with all else that it learns (`kinds`).
 *
 *     clv_calibration *c;
 *     clv_calibration_read("edge.json", &c, &err);
 *     clv_predictor *p;
 *     clv_predictor_new(c, &p, &err);
 *     clv_calibration_free(c);
 *
 * Threads: read by any, changed by one.
 */
#ifndef CLV_COST_CALIBRATION_H
#define CLV_COST_CALIBRATION_H

#include "cost/gaussian.h"
#include "cost/place.h"
#include "cost/speed.h"

enum { CLV_CALIBRATION_SCHEMA = 2 };
enum { CLV_CALIBRATION_NETWORKS_MAX = 10000, CLV_CALIBRATION_ROWS_MAX = 1000000 };
#define CLV_CALIBRATION_FILE_MAX ((size_t)256 << 20)
#define CLV_CALIBRATION_US_MIN   0.5
#define CLV_CALIBRATION_US_MAX   3.6e9 /* an hour: nothing takes longer */

/* A unit's time inside its network. */
typedef struct clv_calibration_row {
    clv_unit_place place;
    double us; /* below CLV_CALIBRATION_US_MIN: the engine has merged it into another */
} clv_calibration_row;

/* A segment of the network, run alone. */
typedef struct clv_calibration_segment {
    double us;                  /* median of its runs */
    double in_bytes, out_bytes; /* of tensors between units that it begins and ends with */
    bool *has;                  /* owned, [rows of its network] */
} clv_calibration_segment;

typedef struct clv_calibration_network {
    char family[16];
    int64_t seed;
    double mood;
    double reference_us; /* of the reference network just before and after; 0: not known */
    clv_calibration_row *rows;
    size_t n_rows;
    clv_calibration_segment *segments;
    size_t n_segments;
} clv_calibration_network;

/* The share of each cause in a unit's time when nothing more is known: never below 0. */
enum {
    CLV_CAUSES = 4
}; /* us for: an operator, 10^6 multiply-accumulates, 10^6 bytes of tensors,
                            10^6 bytes of weights */

/* What was learnt of a kind: us = (1 - merged) * causes * exp(level + Gaussian process). */
typedef struct clv_calibration_kind {
    bool known;
    double cause_us[CLV_CAUSES];
    double level;
    double merged[CLV_PLACE_MARKS]; /* share of units that the engine merges into others, by
                                       clv_unit_place_mark(); the rest holds for those it does not */
    clv_gaussian_settings settings;
    double error; /* median of |ln(predicted / measured)|, each sample predicted from the others */
    int n;        /* samples */
} clv_calibration_kind;

/* What a segment takes beyond its units. Nothing is below 0. */
typedef struct clv_calibration_border {
    double run_us, unit_us, in_us, out_us; /* once; for each unit; for 10^6 bytes in and out */
} clv_calibration_border;

typedef struct clv_calibration {
    char device[64], engine[128];
    int threads;
    /* stated factor of an emulated slower device, 1: none; not in the times below */
    double slowdown;
    bool complete; /* false: interrupted, and may be gone on with */
    clv_calibration_network *networks;
    size_t n_networks, cap_networks;
    clv_calibration_kind kinds[CLV_UNIT_KIND_COUNT];
    clv_calibration_border border;
    clv_speed reference; /* the speed that predictions stand for */
} clv_calibration;

void clv_calibration_free(clv_calibration *c);
void clv_calibration_network_done(clv_calibration_network *n); /* what it owns */
/* Finds c->reference's time from those of the networks: each less its network's mood, as what is learnt stands for
 * a machine in no mood; their median. */
void clv_calibration_refer(clv_calibration *c);
/* Text is NUL-terminated JSON (heap). Parsing checks schema, ranges, counts and names and says which
 * field is wrong; CLV_EMISMATCH: of another schema. */
char *clv_calibration_json(const clv_calibration *c);
CLV_MUST
clv_status clv_calibration_parse(const char *json, size_t bytes, clv_calibration **out,
                                 clv_error *err);
CLV_MUST
clv_status clv_calibration_read(const char *path, clv_calibration **out, clv_error *err);
CLV_MUST
clv_status clv_calibration_write(const char *path, const clv_calibration *c, clv_error *err);

#endif
