#include "plan/game.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>

/* With all payoffs made positive: maximise sum(x), A x <= 1, x >= 0. Then 1 / sum(x) is the value, x
 * times it the columns' mix, and the duals, what the slacks cost, times it the rows' mix. */
typedef struct tableau {
    double *cell; /* [n_rows + 1][width]: columns, slacks, right side; the last row is the goal */
    size_t n_rows, n_columns, width;
    size_t basis[CLV_GAME_ROWS_MAX]; /* the variable of each row */
} tableau;

enum { PIVOTS_MAX = 20000, PIVOTS_GREEDY = 2000 };
static const double tiny = 1e-11;

static double *row_of(const tableau *t, size_t row)
{
    return t->cell + row * t->width;
}

/* The variable to bring in: the steepest, later the first that helps; width - 1 when none does. */
static size_t entering(const tableau *t, bool first)
{
    const double *goal = row_of(t, t->n_rows);
    size_t best = t->width - 1;
    for (size_t c = 0; c + 1 < t->width; c++) {
        if (goal[c] >= -tiny) continue;
        if (first) return c;
        if (best == t->width - 1 || goal[c] < goal[best]) best = c;
    }
    return best;
}

/* The row that limits it most; of equals the one whose variable is first. n_rows: none. */
static size_t leaving(const tableau *t, size_t column)
{
    size_t best = t->n_rows;
    double best_ratio = 0;
    for (size_t r = 0; r < t->n_rows; r++) {
        const double *row = row_of(t, r);
        if (row[column] <= tiny) continue;
        double ratio = row[t->width - 1] / row[column];
        bool tie = best < t->n_rows && ratio == best_ratio && t->basis[r] < t->basis[best];
        if (best == t->n_rows || ratio < best_ratio || tie) {
            best = r;
            best_ratio = ratio;
        }
    }
    return best;
}

static void pivot(tableau *t, size_t at, size_t column)
{
    double *row = row_of(t, at), scale = 1 / row[column];
    for (size_t c = 0; c < t->width; c++) row[c] *= scale;
    for (size_t r = 0; r <= t->n_rows; r++) {
        double *other = row_of(t, r), factor = other[column];
        if (r == at || factor == 0) continue;
        for (size_t c = 0; c < t->width; c++) other[c] -= factor * row[c];
    }
    t->basis[at] = column;
}

/* Shares of a whole: what rounding made negative is nothing. */
static void make_shares(double *mix, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += mix[i] = fmax(mix[i], 0);
    for (size_t i = 0; i < n; i++) mix[i] = sum > 0 ? mix[i] / sum : 1 / (double)n;
}

double clv_game_solve(const double *payoff, size_t n_rows, size_t n_columns, double *rows,
                      double *columns)
{
    tableau t = {.n_rows = n_rows, .n_columns = n_columns, .width = n_columns + n_rows + 1};
    CLV_AUTO(clv_free) double *cell = clv_alloc_array((n_rows + 1) * t.width, sizeof *cell);
    t.cell = cell;
    double low = payoff[0], high = payoff[0];
    for (size_t i = 1; i < n_rows * n_columns; i++) {
        low = fmin(low, payoff[i]);
        high = fmax(high, payoff[i]);
    }
    double range = high > low ? high - low : 1;
    for (size_t r = 0; r < n_rows; r++) {
        double *row = row_of(&t, r);
        for (size_t c = 0; c < n_columns; c++)
            row[c] = 1 + (payoff[r * n_columns + c] - low) / range;
        row[n_columns + r] = row[t.width - 1] = 1;
        t.basis[r] = n_columns + r;
    }
    double *goal = row_of(&t, n_rows);
    for (size_t c = 0; c < n_columns; c++) goal[c] = -1;
    for (int i = 0; i < PIVOTS_MAX; i++) {
        size_t column = entering(&t, i >= PIVOTS_GREEDY);
        size_t row = column + 1 < t.width ? leaving(&t, column) : n_rows;
        if (row == n_rows) break;
        pivot(&t, row, column);
    }
    for (size_t c = 0; c < n_columns; c++) columns[c] = 0;
    for (size_t r = 0; r < n_rows; r++) {
        rows[r] = goal[n_columns + r];
        if (t.basis[r] < n_columns) columns[t.basis[r]] = row_of(&t, r)[t.width - 1];
    }
    make_shares(rows, n_rows);
    make_shares(columns, n_columns);
    return (1 / goal[t.width - 1] - 1) * range + low;
}
