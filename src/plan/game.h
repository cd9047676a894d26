/* A matrix game: one side picks a row to gain, the other a column to lose little.
 *
 *     double pay[] = {0, 2,
 *                     3, 1};                     // [rows][columns], what the columns' side pays
 *     double rows[2], columns[2];
 *     double value = clv_game_solve(pay, 2, 2, rows, columns);   // 1.5: rows 0.5, 0.5; columns 0.25, 0.75
 *
 * The planner uses it to choose weights: columns are placements that it has seen, rows are bounds
 * that each placement's cost must pass, and the best mix of rows is where to look for the next
 * placement. It only says where to look: what a plan states is computed again in whole numbers.
 *
 * Threads: any. Source: Dantzig, "A proof of the equivalence of the programming problem and the game
 * problem", 1951: the game as a linear programme whose slack is a first solution; then the simplex
 * method, by Bland's rule when it stops making progress, so that it ends.
 */
#ifndef CLV_PLAN_GAME_H
#define CLV_PLAN_GAME_H

#include <stddef.h>

enum { CLV_GAME_ROWS_MAX = 64, CLV_GAME_COLUMNS_MAX = 256 };

/* Optimal mixes, each adding up to 1, and the value. 1 <= rows, columns <= their MAX; all finite. */
double clv_game_solve(const double *payoff, size_t n_rows, size_t n_columns, double *rows,
                      double *columns);

#endif
