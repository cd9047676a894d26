/* The two decoders. libpng is used through its simplified interface, which needs no setjmp;
 * libjpeg reports errors by a callback that must not return. */
#include "base/mem.h"
#include "cli/image.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

/* libjpeg's message codes, made from its list; the rest of that header uses a banned function. */
enum {
#define JERROR_H
#define JMESSAGE(code, string) code,
#include <jerror.h>
    JMESSAGES_KNOWN
};

enum { RGB = 3 };

static clv_status check_size(uint64_t width, uint64_t height, clv_error *err)
{
    if (!width || !height) return clv_fail(err, CLV_EINVAL, "the image has no pixels");
    if (width > CLV_IMAGE_SIDE_MAX || height > CLV_IMAGE_SIDE_MAX ||
        width * height > CLV_IMAGE_PIXELS_MAX)
        return clv_fail(err, CLV_ELIMIT,
                        "image of %llu x %llu pixels, at most %d a side and %d M in all",
                        (unsigned long long)width, (unsigned long long)height, CLV_IMAGE_SIDE_MAX,
                        CLV_IMAGE_PIXELS_MAX >> 20);
    return CLV_OK;
}

static clv_status pixels_new(size_t width, size_t height, uint8_t **rgb, clv_error *err)
{
    *rgb = clv_try_alloc(width * height * RGB);
    if (!*rgb) return clv_fail(err, CLV_ELIMIT, "no memory for %zux%zu pixels", width, height);
    return CLV_OK;
}

static clv_status decode_png(const void *bytes, size_t n, clv_image *out, clv_error *err)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&png, bytes, n))
        return clv_fail(err, CLV_EINVAL, "unreadable PNG: %s", png.message);
    uint8_t *rgb = NULL;
    clv_status st = check_size(png.width, png.height, err);
    if (!st) st = pixels_new(png.width, png.height, &rgb, err);
    if (st) {
        png_image_free(&png);
        return st;
    }
    png.format = PNG_FORMAT_RGB;
    const png_color white = {255, 255, 255};
    if (!png_image_finish_read(&png, &white, rgb, 0, NULL)) {
        free(rgb);
        return clv_fail(err, CLV_EINVAL, "unreadable PNG: %s", png.message);
    }
    *out = (clv_image){.width = (int)png.width, .height = (int)png.height, .rgb = rgb};
    return CLV_OK;
}

/* libjpeg's error manager, first, and where to go when it fails. */
typedef struct jpeg_state {
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct d;
    jmp_buf failed;
    clv_error *err;
    clv_status status;
    uint8_t *rgb;
} jpeg_state;

static _Noreturn void jpeg_fail(j_common_ptr c)
{
    jpeg_state *s = c->client_data;
    char text[JMSG_LENGTH_MAX];
    s->manager.format_message(c, text);
    s->status = clv_fail(s->err, CLV_EINVAL, "unreadable JPEG: %s", text);
    longjmp(s->failed, 1);
}

/* libjpeg would fill what is missing with grey and go on; an answer to half a picture helps nobody.
 * Other warnings (bytes between markers) are common and harmless. */
static void jpeg_message(j_common_ptr c, int level)
{
    int code = c->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) jpeg_fail(c);
}

static void jpeg_progress(j_common_ptr c)
{
    jpeg_state *s = c->client_data;
    if (s->d.input_scan_number <= CLV_IMAGE_SCANS_MAX) return;
    s->status = clv_fail(s->err, CLV_ELIMIT, "JPEG of more than %d scans", CLV_IMAGE_SCANS_MAX);
    longjmp(s->failed, 1);
}

/* Runs under setjmp: everything it makes is in `s`, so that nothing is lost by a jump. */
static clv_status jpeg_pixels(jpeg_state *s, const void *bytes, size_t n)
{
    struct jpeg_decompress_struct *d = &s->d;
    jpeg_mem_src(d, bytes, n);
    jpeg_read_header(d, TRUE);
    clv_status st = check_size(d->image_width, d->image_height, s->err);
    if (st) return st;
    if (d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK)
        return clv_fail(s->err, CLV_EUNSUPPORTED, "a CMYK JPEG, convert it to RGB first");
    d->out_color_space = JCS_RGB;
    st = pixels_new(d->image_width, d->image_height, &s->rgb, s->err);
    if (st) return st;
    jpeg_start_decompress(d);
    while (d->output_scanline < d->output_height) {
        JSAMPROW row = s->rgb + (size_t)d->output_scanline * d->output_width * RGB;
        jpeg_read_scanlines(d, &row, 1);
    }
    jpeg_finish_decompress(d);
    return CLV_OK;
}

static void jpeg_run(jpeg_state *s, const void *bytes, size_t n)
{
    s->d.err = jpeg_std_error(&s->manager);
    s->manager.error_exit = jpeg_fail;
    s->manager.emit_message = jpeg_message;
    s->progress.progress_monitor = jpeg_progress;
    s->d.client_data = s;
    if (setjmp(s->failed)) return;
    jpeg_create_decompress(&s->d);
    s->d.progress = &s->progress;
    s->status = jpeg_pixels(s, bytes, n);
}

static clv_status decode_jpeg(const void *bytes, size_t n, clv_image *out, clv_error *err)
{
    CLV_AUTO(clv_free) jpeg_state *s = clv_alloc(sizeof *s);
    s->err = err;
    jpeg_run(s, bytes, n);
    clv_image image = {(int)s->d.image_width, (int)s->d.image_height, s->rgb};
    jpeg_destroy_decompress(&s->d);
    if (s->status)
        clv_image_done(&image);
    else
        *out = image;
    return s->status;
}

clv_status clv_image_decode(const void *bytes, size_t n, clv_image *out, clv_error *err)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xff, 0xd8, 0xff};
    if (n > CLV_IMAGE_FILE_MAX)
        return clv_fail(err, CLV_ELIMIT, "image file of %zu bytes, at most %d", n,
                        CLV_IMAGE_FILE_MAX);
    if (n >= sizeof png && memcmp(bytes, png, sizeof png) == 0)
        return decode_png(bytes, n, out, err);
    if (n >= sizeof jpeg && memcmp(bytes, jpeg, sizeof jpeg) == 0)
        return decode_jpeg(bytes, n, out, err);
    return clv_fail(err, CLV_EUNSUPPORTED, "neither a PNG nor a JPEG file");
}
