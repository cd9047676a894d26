/* What a classifier's scores say: the class of the largest one. Private to measure/. */
#ifndef CLV_MEASURE_ANSWER_H
#define CLV_MEASURE_ANSWER_H

#include "tensor/tensor.h"

/* The class of sample i among n in `scores`, whose elements are n equal parts; the first of equal ones, -1
 * when all are NaN. `classes` (may be NULL) gets their number. CLV_EUNSUPPORTED: `scores` is NULL, not FP32,
 * or cannot be n samples' classes. */
CLV_MUST
clv_status clv_answer_class(const clv_tensor *scores, size_t i, size_t n, int *answer,
                            size_t *classes, clv_error *err);

#endif
