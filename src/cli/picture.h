/* A picture file as a network's input: its size, channels and element type.
 *
 *     clv_picture as;
 *     clv_picture_for(&mean, &std, &spec, &shape, &as, &err);     // what the network wants, once
 *     clv_picture_read(&as, "cat.jpg", spec.name, &t, &err);      // FP32 or UINT8, shaped as it wants
 *
 * FP32 gets (pixel / 255 - mean) / std, UINT8 the pixels as they are (cli/image.h). Threads: any. */
#ifndef CLV_CLI_PICTURE_H
#define CLV_CLI_PICTURE_H

#include "base/opt.h"
#include "cli/image.h"
#include "tensor/tensor.h"

typedef struct clv_picture {
    clv_image_fit fit;
    clv_dtype dtype;
    clv_shape shape;
} clv_picture;

/* `mean` and `std` are of --mean and --std: nothing, one number, or one for each channel. `shape` is the
 * spec's with all sizes known. CLV_EUSAGE: no picture fits there. */
CLV_MUST
clv_status clv_picture_for(const clv_text_list *mean, const clv_text_list *std,
                           const clv_tensor_spec *spec, const clv_shape *shape, clv_picture *out,
                           clv_error *err);
CLV_MUST
clv_status clv_picture_read(const clv_picture *p, const char *path, const char *name,
                            clv_tensor *out, clv_error *err);
/* Numbers of --mean or --std, one a channel or one for all, into out[channels], which stays as it is when
 * there are none. `positive`: must be above 0. */
CLV_MUST
clv_status clv_picture_channels(const clv_text_list *list, const char *flag, int channels,
                                bool positive, float *out, clv_error *err);

#endif
