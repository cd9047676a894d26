/* A seeded random source, passed in, never global. xoshiro256** seeded by splitmix64
 * (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021).
 * The same seed gives the same sequence on every machine. Not for secrets. */
#ifndef CLV_BASE_RNG_H
#define CLV_BASE_RNG_H

#include <stdint.h>

typedef struct clv_rng {
    uint64_t s[4];
} clv_rng;

clv_rng clv_rng_seeded(uint64_t seed);
uint64_t clv_rng_next(clv_rng *r);
uint64_t clv_rng_below(clv_rng *r, uint64_t n); /* uniform in [0, n), n > 0, without modulo bias */
double clv_rng_unit(clv_rng *r);                /* uniform in [0, 1) */
double clv_rng_normal(clv_rng *r);              /* mean 0, variance 1 (Box–Muller) */
double clv_rng_exponential(clv_rng *r);         /* mean 1: gaps of a Poisson process */

#endif
