#include "base/rng.h"

#include <math.h>

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

clv_rng clv_rng_seeded(uint64_t seed)
{
    clv_rng r;
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        r.s[i] = z ^ (z >> 31);
    }
    return r;
}

uint64_t clv_rng_next(clv_rng *r)
{
    uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t clv_rng_below(clv_rng *r, uint64_t n)
{
    uint64_t floor = -n % n, x; /* 2^64 mod n */
    do x = clv_rng_next(r);
    while (x < floor);
    return x % n;
}

double clv_rng_unit(clv_rng *r)
{
    return (double)(clv_rng_next(r) >> 11) * 0x1p-53;
}

double clv_rng_normal(clv_rng *r)
{
    double u = 1 - clv_rng_unit(r), v = clv_rng_unit(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

double clv_rng_exponential(clv_rng *r)
{
    return -log(1 - clv_rng_unit(r));
}
