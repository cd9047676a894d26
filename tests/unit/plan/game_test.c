#include "base/mem.h"
#include "base/rng.h"
#include "plan/game.h"
#include "unit.h"

#include <math.h>

enum { SIDE_MAX = 12 };

/* What each side is sure of with its mix. In a solved game they are the same. */
static double sure_of_rows(const double *pay, size_t m, size_t n, const double *rows)
{
    double worst = INFINITY;
    for (size_t c = 0; c < n; c++) {
        double sum = 0;
        for (size_t r = 0; r < m; r++) sum += rows[r] * pay[r * n + c];
        worst = fmin(worst, sum);
    }
    return worst;
}

static double sure_of_columns(const double *pay, size_t m, size_t n, const double *columns)
{
    double worst = -INFINITY;
    for (size_t r = 0; r < m; r++) {
        double sum = 0;
        for (size_t c = 0; c < n; c++) sum += columns[c] * pay[r * n + c];
        worst = fmax(worst, sum);
    }
    return worst;
}

static void neither_side_can_do_better(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(4);
    for (int i = 0; i < 3000; i++) {
        size_t m = 1 + clv_rng_below(&r, SIDE_MAX), n = 1 + clv_rng_below(&r, SIDE_MAX);
        double pay[SIDE_MAX * SIDE_MAX], rows[SIDE_MAX], columns[SIDE_MAX];
        double scale = pow(10, (double)clv_rng_below(&r, 12) - 2);
        for (size_t k = 0; k < m * n; k++)
            pay[k] = ((double)clv_rng_below(&r, 7) - 3) * scale; /* many ties */
        double value = clv_game_solve(pay, m, n, rows, columns);
        assert_true(fabs(sure_of_rows(pay, m, n, rows) - value) < 1e-8 * scale);
        assert_true(fabs(sure_of_columns(pay, m, n, columns) - value) < 1e-8 * scale);
    }
}

static void a_known_game(void **state)
{
    (void)state;
    const double pay[] = {0, 2, 3, 1};
    double rows[2], columns[2];
    assert_true(fabs(clv_game_solve(pay, 2, 2, rows, columns) - 1.5) < 1e-12);
    assert_true(fabs(rows[0] - 0.5) < 1e-12);
    assert_true(fabs(columns[0] - 0.25) < 1e-12);
}

static void the_largest_game_ends(void **state)
{
    (void)state;
    enum { M = CLV_GAME_ROWS_MAX, N = CLV_GAME_COLUMNS_MAX };
    clv_rng r = clv_rng_seeded(5);
    double *pay = clv_alloc_array(M * N, sizeof *pay), rows[M], columns[N];
    for (size_t k = 0; k < M * N; k++) pay[k] = clv_rng_unit(&r);
    double value = clv_game_solve(pay, M, N, rows, columns);
    assert_true(fabs(sure_of_rows(pay, M, N, rows) - value) < 1e-9);
    assert_true(fabs(sure_of_columns(pay, M, N, columns) - value) < 1e-9);
    clv_free(&pay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_side_can_do_better),
        cmocka_unit_test(a_known_game),
        cmocka_unit_test(the_largest_game_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
