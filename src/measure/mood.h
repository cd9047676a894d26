/* The machine's mood: what slows all that runs at a time alike.
 *
 *     double a_us = 120, b_us = 51;
 *     clv_mood_lap laps[] = {{.who = 0, .at_us = 0, .us = &a_us}, {.who = 1, .at_us = 400, .us = &b_us}, …};
 *     clv_mood_remove(laps, n, 2);         // each as if the machine had been in its usual mood
 *
 * A virtual machine shares cores, caches and clock with neighbours that nobody here sees. A loop of nothing but
 * multiplications takes up to twice as long in one moment as in another, and such moments last from milliseconds
 * to seconds. When several things are timed in turns, the runs before and after one tell in what mood the machine
 * was just then. So each run's logarithm less its thing's median is the mood and what is the run's own;
 * the mood at a run is the mean of its neighbours' deviations, weighted by exp(-|time between| / memory),
 * itself left out, and as much of it is taken off as it explains: the regression of deviations on moods. The
 * memory is the one of a short list that explains most. Where there is no common mood, nothing is taken off.
 *
 * Medians stay where they are on the whole: only differences between moments are taken out.
 * Pure. Threads: any. Cost: n log n, and n for each memory and each thing.
 */
#ifndef CLV_MEASURE_MOOD_H
#define CLV_MEASURE_MOOD_H

#include <stddef.h>

typedef struct clv_mood_lap {
    size_t who;   /* what was timed: below n_who */
    double at_us; /* when, by any clock */
    double *us;   /* above 0; in and out */
} clv_mood_lap;

/* Sorts them by time. */
void clv_mood_remove(clv_mood_lap *laps, size_t n, size_t n_who);

#endif
