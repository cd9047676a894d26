#include "plan/lagrange.h"

#include "base/mem.h"
#include "plan/flow.h"
#include "plan/game.h"
#include "plan/parts.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 60, TANGENTS_MAX = 16, POINTS_MAX = 64 };
static const double PRICE_MAX = 1000; /* of a whole limit, in objectives */
static const double CLOSE = 1e-7;     /* to the dual's value, as a share of it */

/* A bound: constant + weights . costs. */
typedef struct row {
    double weight[CLV_DIM_COUNT], constant;
} row;

/* A placement that was met. */
typedef struct point {
    double cost[CLV_DIM_COUNT];
    uint8_t *unit_device;
} point;

struct clv_lagrange {
    const clv_plan_problem *p;
    clv_gadgets *g;
    clv_choice *choice;
    size_t codec;
    clv_sums total;
    clv_plan_amount once;
    double sigmas; /* standard deviations above the mean that the quantile lies */
    row tangents[TANGENTS_MAX];
    double ways[TANGENTS_MAX][2]; /* times up and down where they touch */
    size_t n_tangents;
    row rows[CLV_GAME_ROWS_MAX];
    size_t n_rows;
    double scale;          /* about the objective's size */
    uint8_t *unit_devices; /* of all points */
    point points[POINTS_MAX];
    size_t n_points;
    const point *in_game[POINTS_MAX]; /* those that have the units where they are fixed */
    size_t n_in_game;
    double shares[POINTS_MAX]; /* of the points in the game, in the best mix */
    double bound;
};
typedef clv_lagrange search;

static double value_of(const row *r, const double *costs)
{
    double sum = r->constant;
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) sum += r->weight[k] * costs[k];
    return sum;
}

static row add_scaled(row a, const row *b, double factor)
{
    a.constant += factor * b->constant;
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) a.weight[k] += factor * b->weight[k];
    return a;
}

/* The latency's quantile, from below, by the plane that touches it at these times up and down. */
static row tangent_at(const search *s, double up_ns, double down_ns)
{
    const clv_plan_hop *h = &s->p->hops[0];
    row r = {.constant = (double)s->once.ns};
    r.weight[CLV_DIM_WORK0] = r.weight[CLV_DIM_WORK1] = 1;
    r.weight[CLV_DIM_UP] = r.weight[CLV_DIM_DOWN] = 1;
    double up = 1e-6 * (double)h->up_rel_ppm, down = 1e-6 * (double)h->down_rel_ppm;
    double fixed_ns = 1e3 * sqrt((double)s->once.var_us2);
    double norm =
        sqrt(fixed_ns * fixed_ns + up * up_ns * up * up_ns + down * down_ns * down * down_ns);
    if (norm <= 0) return r;
    r.constant += s->sigmas * fixed_ns * fixed_ns / norm;
    r.weight[CLV_DIM_UP] += s->sigmas * up * up * up_ns / norm;
    r.weight[CLV_DIM_DOWN] += s->sigmas * down * down * down_ns / norm;
    return r;
}

/* Is it a new one? */
static bool add_tangent(search *s, double up_ns, double down_ns)
{
    size_t n = s->n_tangents;
    if (n == TANGENTS_MAX || (n && s->sigmas == 0)) return false;
    for (size_t i = 0; i < n; i++)
        if (fabs(s->ways[i][0] - up_ns) <= 1e-3 * up_ns &&
            fabs(s->ways[i][1] - down_ns) <= 1e-3 * down_ns)
            return false;
    s->ways[n][0] = up_ns;
    s->ways[n][1] = down_ns;
    s->tangents[s->n_tangents++] = tangent_at(s, up_ns, down_ns);
    return true;
}

static row of_dim(clv_dim dim, int64_t constant)
{
    row r = {.constant = (double)constant};
    r.weight[dim] = 1;
    return r;
}

static void add_objectives(search *s)
{
    static const clv_dim stages[] = {CLV_DIM_WORK0, CLV_DIM_WORK1, CLV_DIM_UP, CLV_DIM_DOWN};
    const clv_plan_objective *o = &s->p->objective;
    row nj = of_dim(CLV_DIM_NJ, s->once.nj), pm = of_dim(CLV_DIM_PM, s->once.pm);
    switch (o->goal) {
    case CLV_GOAL_ENERGY: s->rows[s->n_rows++] = nj; return;
    case CLV_GOAL_PRICE: s->rows[s->n_rows++] = pm; return;
    case CLV_GOAL_THROUGHPUT:
        for (size_t i = 0; i < CLV_COUNT(stages); i++) s->rows[s->n_rows++] = of_dim(stages[i], 0);
        return;
    case CLV_GOAL_LATENCY:
        for (size_t i = 0; i < s->n_tangents; i++) s->rows[s->n_rows++] = s->tangents[i];
        return;
    case CLV_GOAL_WEIGHTED:
        for (size_t i = 0; i < s->n_tangents; i++) {
            row r = add_scaled((row){0}, &s->tangents[i], 1e3 * (double)o->second_weight);
            r = add_scaled(r, &nj, 1e3 * (double)o->joule_weight);
            s->rows[s->n_rows++] = add_scaled(r, &pm, (double)o->money_weight);
        }
        return;
    case CLV_GOAL_COUNT: return;
    }
}

/* The first bound of the objective, and so much the more as the use is over the limit. Times are
 * compared when they have been rounded, so half a nanosecond is free. */
static void add_limit(search *s, const row *use, int64_t limit)
{
    if (limit == CLV_PLAN_NO_LIMIT) return;
    double most = (double)limit + 0.5, price = PRICE_MAX * s->scale / (most + 1);
    row over = *use;
    over.constant -= most;
    s->rows[s->n_rows++] = add_scaled(s->rows[0], &over, price);
}

static void make_rows(search *s)
{
    const clv_plan_limits *l = &s->p->limits;
    row nj = of_dim(CLV_DIM_NJ, s->once.nj), pm = of_dim(CLV_DIM_PM, s->once.pm);
    row weights0 = of_dim(CLV_DIM_WEIGHTS0, 0), weights1 = of_dim(CLV_DIM_WEIGHTS1, 0);
    s->n_rows = 0;
    add_objectives(s);
    add_limit(s, &nj, l->energy_nj);
    add_limit(s, &pm, l->price_pm);
    add_limit(s, &weights0, s->p->devices[0].memory_bytes_max);
    add_limit(s, &weights1, s->p->devices[1].memory_bytes_max);
    for (size_t i = 0; i < s->n_tangents; i++) add_limit(s, &s->tangents[i], l->deadline_ns);
}

static bool has_fixed(const search *s, const point *x)
{
    for (size_t u = 0; u < s->p->graph->n_units; u++) {
        uint8_t device = clv_gadgets_fixed(s->g, u);
        if (device != CLV_GADGETS_ANY && x->unit_device[u] != device) return false;
    }
    return true;
}

static void choose_points(search *s)
{
    s->n_in_game = 0;
    for (size_t i = 0; i < s->n_points; i++)
        if (has_fixed(s, &s->points[i])) s->in_game[s->n_in_game++] = &s->points[i];
}

/* Room for one more; the older half makes it. */
static point *new_point(search *s)
{
    if (s->n_points == POINTS_MAX) {
        for (size_t i = 0; i < POINTS_MAX / 2; i++) {
            point older = s->points[i];
            s->points[i] = s->points[i + POINTS_MAX / 2];
            s->points[i + POINTS_MAX / 2] = older;
        }
        s->n_points = POINTS_MAX / 2;
        choose_points(s);
        for (size_t i = 0; i < POINTS_MAX; i++) s->shares[i] = 0; /* of another order */
    }
    return &s->points[s->n_points];
}

/* The placement that costs least by a mix of rows: a new point, and a bound. Weights are rounded down
 * to whole numbers, so the mix in whole numbers is never above the mix. False: nothing is legal. */
static bool look(search *s, const double *mix)
{
    row sum = {0};
    for (size_t r = 0; r < s->n_rows; r++) sum = add_scaled(sum, &s->rows[r], mix[r]);
    double most = 0;
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) most += sum.weight[k] * ((double)s->total.at[k] + 1);
    double finer = most > 0 ? 0x1p60 / most : 0;
    clv_sums weights = {0};
    for (size_t k = 0; k < CLV_DIM_COUNT; k++)
        weights.at[k] = (int64_t)(sum.weight[k] * finer * (1 - 1e-13));
    point *x = new_point(s);
    int64_t value = clv_gadgets_cut(s->g, &weights, x->unit_device);
    if (value == CLV_FLOW_INFINITE) return false;
    double least = finer > 0 ? (double)value / finer : 0;
    double rounding = 1e-12 * (least + fabs(sum.constant) + 1);
    s->bound = fmax(s->bound, least + sum.constant - rounding);
    clv_choice_offer(s->choice, s->g, s->codec, x->unit_device);
    clv_sums costs = clv_gadgets_sums(s->g, x->unit_device);
    for (size_t k = 0; k < CLV_DIM_COUNT; k++) x->cost[k] = (double)costs.at[k];
    s->in_game[s->n_in_game++] = x;
    s->n_points++;
    return true;
}

/* The mix of rows that bounds all mixes of the points best, and its value, which no bound passes. */
static double solve_game(search *s, double *mix)
{
    size_t n = s->n_in_game;
    CLV_AUTO(clv_free) double *pay = clv_alloc_array(s->n_rows * n, sizeof *pay);
    for (size_t r = 0; r < s->n_rows; r++)
        for (size_t c = 0; c < n; c++) pay[r * n + c] = value_of(&s->rows[r], s->in_game[c]->cost);
    return clv_game_solve(pay, s->n_rows, n, mix, s->shares);
}

/* Tangents where the last placement lies, and where the mix of placements does. */
static bool refine(search *s, double up, double down)
{
    const point *last = &s->points[s->n_points - 1];
    bool more = add_tangent(s, up, down);
    more |= add_tangent(s, last->cost[CLV_DIM_UP], last->cost[CLV_DIM_DOWN]);
    if (more) make_rows(s);
    return more;
}

static double in_mix(const search *s, clv_dim dim)
{
    double sum = 0;
    for (size_t c = 0; c < s->n_in_game; c++) sum += s->shares[c] * s->in_game[c]->cost[dim];
    return sum;
}

/* The least whole score that is not below the bound. */
static int64_t whole(const search *s)
{
    double half = s->sigmas > 0 ? 0.5 : 0; /* a quantile is rounded to the nearest */
    if (s->p->objective.goal == CLV_GOAL_WEIGHTED)
        half *= 1e3 * (double)s->p->objective.second_weight;
    double least = ceil(s->bound - half - 1e-6);
    return least <= 0 ? 0 : least >= 0x1p62 ? INT64_MAX - 1 : (int64_t)least;
}

static bool reached(const search *s, int64_t enough)
{
    int64_t score = s->choice->found ? s->choice->cost.score : CLV_PLAN_UNKNOWN;
    return whole(s) >= CLV_MIN(score, enough);
}

clv_lagrange *clv_lagrange_new(clv_gadgets *g, size_t codec, clv_choice *choice)
{
    search *s = clv_alloc(sizeof *s);
    const clv_plan_problem *p = clv_gadgets_problem(g);
    *s = (search){.p = p, .g = g, .choice = choice, .codec = codec, .scale = 1};
    s->unit_devices = clv_alloc_array(POINTS_MAX, p->graph->n_units + 1);
    for (size_t i = 0; i < POINTS_MAX; i++)
        s->points[i].unit_device = s->unit_devices + i * (p->graph->n_units + 1);
    s->total = clv_gadgets_total(g);
    s->once = clv_gadgets_once(p);
    s->sigmas = 1e-6 * (double)clv_part_z_ppm(&p->objective);
    add_tangent(s, 0, 0);
    make_rows(s);
    return s;
}

void clv_lagrange_free(clv_lagrange *s)
{
    if (!s) return;
    free(s->unit_devices);
    free(s);
}

void clv_lagrange_release(clv_lagrange **s)
{
    clv_lagrange_free(*s);
    *s = NULL;
}

bool clv_lagrange_spent(const clv_lagrange *s)
{
    return clv_gadgets_steps(s->g) > CLV_LAGRANGE_STEPS_MAX / s->p->n_codecs;
}

/* The first look: by the objective alone, which says how large it is. */
static bool look_first(search *s)
{
    const double mix[CLV_GAME_ROWS_MAX] = {1};
    bool new = s->n_points == 0;
    if (!look(s, mix)) return false;
    if (!new) return true;
    s->scale = fmax(1, value_of(&s->rows[0], s->points[0].cost));
    add_tangent(s, s->points[0].cost[CLV_DIM_UP], s->points[0].cost[CLV_DIM_DOWN]);
    make_rows(s);
    return true;
}

int64_t clv_lagrange_bound(clv_lagrange *s, int64_t enough)
{
    double mix[CLV_GAME_ROWS_MAX] = {0};
    s->bound = 0;
    choose_points(s);
    if (!s->n_in_game && !look_first(s)) return CLV_PLAN_UNKNOWN;
    for (int i = 0; i < ROUNDS_MAX && !reached(s, enough); i++) {
        double value = solve_game(s, mix), before = s->bound;
        double up = in_mix(s, CLV_DIM_UP), down = in_mix(s, CLV_DIM_DOWN);
        if (!look(s, mix)) return CLV_PLAN_UNKNOWN;
        bool sharper = refine(s, up, down);
        s->shares[s->n_in_game - 1] = 0;
        double slack = CLOSE * fmax(fabs(value), s->scale);
        if (!sharper && value - s->bound <= slack && s->bound - before <= slack) break;
        if (clv_lagrange_spent(s)) break;
    }
    return whole(s);
}

int clv_lagrange_undecided(const clv_lagrange *s)
{
    int best = CLV_NO_UNIT;
    double least = INFINITY;
    for (size_t u = 0; u < s->p->graph->n_units; u++) {
        double away = 0;
        if (clv_gadgets_fixed(s->g, u) != CLV_GADGETS_ANY) continue;
        for (size_t c = 0; c < s->n_in_game; c++)
            away += s->shares[c] * s->in_game[c]->unit_device[u];
        if (fabs(away - 0.5) >= least) continue;
        least = fabs(away - 0.5);
        best = (int)u;
    }
    return best;
}

int64_t clv_lagrange_worst(const clv_lagrange *s)
{
    const clv_plan_hop *h = &s->p->hops[0];
    const int64_t *t = s->total.at;
    int64_t ns = 0, longest = 0;
    for (size_t k = CLV_DIM_WORK0; k <= CLV_DIM_DOWN; k++) {
        ns = clv_part_sum(ns, t[k]);
        longest = CLV_MAX(longest, t[k]);
    }
    if (s->p->objective.goal == CLV_GOAL_THROUGHPUT) return longest;
    clv_plan_amount all = {.ns = ns, .nj = t[CLV_DIM_NJ], .pm = t[CLV_DIM_PM]};
    all.var_us2 = clv_part_sum(clv_part_variance(t[CLV_DIM_UP], h->up_rel_ppm),
                               clv_part_variance(t[CLV_DIM_DOWN], h->down_rel_ppm));
    all = clv_part_add(all, s->once);
    return clv_plan_score(&s->p->objective, &all);
}
