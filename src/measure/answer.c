#include "measure/answer.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

clv_status clv_answer_class(const clv_tensor *scores, size_t i, size_t n, int *answer,
                            size_t *classes, clv_error *err)
{
    size_t count = scores && scores->dtype == CLV_F32 ? scores->bytes / sizeof(float) : 0;
    if (count == 0 || count % n != 0 || count / n > INT32_MAX)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "output '%s' %s %s is no scores of classes for %zu samples",
                        scores ? scores->name : "?", scores ? clv_dtype_oip(scores->dtype) : "",
                        scores ? clv_shape_show(&scores->shape).s : "", n);
    size_t width = count / n;
    const char *at = (const char *)scores->data + i * width * sizeof(float);
    float most = -INFINITY;
    *answer = -1;
    for (size_t k = 0; k < width; k++) {
        float x;
        memcpy(&x, at + k * sizeof x, sizeof x);
        if (x > most || (*answer < 0 && !isnan(x))) {
            most = x;
            *answer = (int)k;
        }
    }
    if (classes) *classes = width;
    return CLV_OK;
}
