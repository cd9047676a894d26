/* Picture files: whatever comes, the decoders and the scaling stay within their limits. */
#include "cli/image.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    clv_image image = {0};
    clv_error err = {0};
    if (clv_image_decode(data, n, &image, &err)) return 0;
    if ((int64_t)image.width * image.height > CLV_IMAGE_PIXELS_MAX) abort();
    clv_image_fit fit = clv_image_fit_imagenet(n % 2 ? 1 : 3, 7, 5);
    float planes[3 * 7 * 5];
    clv_image_planes(&image, &fit, planes);
    for (int i = 0; i < fit.channels * 35; i++)
        if (!(planes[i] > -3 && planes[i] < 3)) abort();
    clv_image_done(&image);
    return 0;
}
