#include "cli/picture.h"

#include "base/mem.h"
#include "base/unit.h"

clv_status clv_picture_channels(const clv_text_list *list, const char *flag, int channels,
                                bool positive, float *out, clv_error *err)
{
    if (list->n == 0) return CLV_OK;
    if (list->n != 1 && list->n != (size_t)channels)
        return clv_fail(err, CLV_EUSAGE, "%s: %zu values for %d channels", flag, list->n, channels);
    for (int c = 0; c < channels; c++) {
        double value;
        if (clv_parse_real(list->items[list->n == 1 ? 0 : c], &value, err))
            return clv_within(err, "%s", flag);
        if (positive && !(value > 0))
            return clv_fail(err, CLV_EUSAGE, "%s: '%s' is not above 0", flag,
                            list->items[list->n == 1 ? 0 : c]);
        out[c] = (float)value;
    }
    return CLV_OK;
}

clv_status clv_picture_for(const clv_text_list *mean, const clv_text_list *std,
                           const clv_tensor_spec *spec, const clv_shape *shape, clv_picture *out,
                           clv_error *err)
{
    const int64_t *d = shape->dim;
    bool first = shape->rank == 4 && (d[1] == 1 || d[1] == 3);
    bool last = shape->rank == 4 && !first && (d[3] == 1 || d[3] == 3);
    if ((!first && !last) || d[0] != 1 || (spec->dtype != CLV_F32 && spec->dtype != CLV_U8))
        return clv_fail(err, CLV_EUSAGE,
                        "an image is FP32 or UINT8 [1,1 or 3,H,W], input '%s' is %s %s: use .npy",
                        spec->name, clv_dtype_oip(spec->dtype), clv_shape_show(shape).s);
    int64_t height = d[first ? 2 : 1], width = d[first ? 3 : 2];
    if (height < 1 || width < 1 || height > CLV_IMAGE_SIDE_MAX || width > CLV_IMAGE_SIDE_MAX)
        return clv_fail(err, CLV_ELIMIT, "input '%s' is %s: images are 1 to %d pixels a side",
                        spec->name, clv_shape_show(shape).s, CLV_IMAGE_SIDE_MAX);
    int channels = (int)d[first ? 1 : 3];
    clv_image_fit fit = clv_image_fit_imagenet(channels, (int)height, (int)width);
    fit.channels_last = last;
    clv_status st = clv_picture_channels(mean, "--mean", channels, false, fit.mean, err);
    if (!st) st = clv_picture_channels(std, "--std", channels, true, fit.std, err);
    if (st) return st;
    for (int c = 0; c < channels && spec->dtype == CLV_U8; c++) { /* as the file has them */
        fit.mean[c] = 0;
        fit.std[c] = 1 / 255.0f;
    }
    *out = (clv_picture){fit, spec->dtype, *shape};
    return CLV_OK;
}

clv_status clv_picture_read(const clv_picture *p, const char *path, const char *name,
                            clv_tensor *out, clv_error *err)
{
    clv_image image = {0};
    clv_status st = clv_image_read(path, &image, err);
    if (st) return st;
    clv_tensor planes;
    st = clv_tensor_new(&planes, name, CLV_F32, p->shape, err);
    if (!st) clv_image_planes(&image, &p->fit, planes.data);
    clv_image_done(&image);
    if (st) return st;
    if (p->dtype == CLV_U8) { /* in place: a byte is written after the float it came from */
        const float *from = planes.data;
        unsigned char *to = planes.data;
        size_t n = planes.bytes / sizeof *from;
        for (size_t i = 0; i < n; i++) {
            float value = from[i];
            to[i] = (unsigned char)(value + 0.5f);
        }
        planes.dtype = CLV_U8;
        planes.bytes = n;
    }
    *out = planes;
    return CLV_OK;
}
