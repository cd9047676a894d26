/* Any text as the data of a tensor. The first byte picks the dtype, the second the shape. What is
 * accepted must write and read back as the same bytes. */
#include "api/json_data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    clv_dtype dtype = (clv_dtype)(data[0] % CLV_DTYPE_COUNT);
    clv_shape shape = {.rank = data[1] & 3, .dim = {data[1] >> 2 & 3, data[1] >> 4 & 3, 2}};
    clv_json_span span = {(const char *)data + 2, size - 2, 1};
    clv_tensor t, back;
    clv_error err = {0};
    if (clv_json_data_parse(&span, "x", dtype, &shape, &t, &err)) return 0;
    clv_buf text = {0};
    if (clv_json_data_write(&text, &t, &err) == CLV_OK) {
        span = (clv_json_span){text.data, text.len, 1};
        if (clv_json_data_parse(&span, "x", dtype, &shape, &back, &err)) abort();
        if (back.bytes != t.bytes || (t.bytes && memcmp(back.data, t.data, t.bytes))) abort();
        clv_tensor_done(&back);
    } else if (dtype != CLV_TEXT) {
        abort();
    }
    clv_buf_done(&text);
    clv_tensor_done(&t);
    return 0;
}
