/* Private to onnx/extract*.c: what belongs to a segment. */
#ifndef CLV_ONNX_EXTRACT_PRIV_H
#define CLV_ONNX_EXTRACT_PRIV_H

#include "onnx/extract.h"
#include "onnx/units_priv.h"

/* All arrays have one entry for each value or node of the model. */
typedef struct clv_selection {
    const clv_units *u;
    bool *in_segment;           /* units */
    bool *own_node;             /* some unit of the segment walks it */
    bool *live_from, *wanted;   /* values: may come in; must go out */
    bool *available;            /* values: can be made inside, whatever the batch */
    bool *met, *input, *folded; /* values: needed; comes in; stands as a constant */
    bool *needed;               /* nodes */
    bool any_batch;
} clv_selection;

/* select.c */
CLV_MUST
clv_status clv_selection_make(clv_selection *s, const clv_units *u, const clv_cuts *cuts,
                              size_t from, size_t to, clv_error *err);
void clv_selection_done(clv_selection *s);

#endif
