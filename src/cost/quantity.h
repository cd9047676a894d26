/* Named quantities as people write them: "idle=2W,price=0.5/h". Private to cost/.
 *
 *     double values[2];                                      // NAN: not named
 *     static const clv_quantity rows[2] = {{"idle", &clv_watts, CLV_POWER_W_MAX}, ...};
 *     clv_quantities_parse("power", text, rows, 2, values, &err);
 */
#ifndef CLV_COST_QUANTITY_H
#define CLV_COST_QUANTITY_H

#include "base/unit.h"

extern const clv_quantity_kind clv_watts, clv_joules_per_byte, clv_price_per_time,
    clv_price_per_byte;

typedef struct clv_quantity {
    const char *name;
    const clv_quantity_kind *kind;
    double max; /* in base units */
} clv_quantity;

enum { CLV_QUANTITIES_TEXT_MAX = 256 };

/* Fills values[n], NAN where the text says nothing. CLV_EINVAL: nothing at all, an unknown word, one
 * that is there twice, a value that is negative, above its row's maximum or without its unit; the
 * error begins with `what`. CLV_ELIMIT: a text that is too long. */
CLV_MUST
clv_status clv_quantities_parse(const char *what, const char *text, const clv_quantity *rows,
                                size_t n, double *values, clv_error *err);

#endif
