/* Any bytes as a question and as an answer; what is accepted must be consistent and encode to
 * something that decodes to the same. */
#include "base/mem.h"
#include "split/oip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const clv_request *r)
{
    clv_oip_message m = clv_oip_encode_question(
        &(clv_oip_question){.model = r->model, .inputs = r->inputs.items, .n_inputs = r->inputs.n},
        NULL, NULL);
    uint8_t *bytes = clv_try_alloc(m.bytes + 1);
    size_t at = 0;
    for (size_t i = 0; i < m.n; i++) {
        if (m.slices[i].bytes) memcpy(bytes + at, m.slices[i].data, m.slices[i].bytes);
        at += m.slices[i].bytes;
        m.slices[i].release(m.slices[i].owner);
    }
    if (at != m.bytes) abort();
    clv_request *same = NULL;
    if (clv_oip_decode_question(&(clv_oip_bytes){bytes, at, NULL}, 0, &same, NULL)) abort();
    if (same->inputs.n != r->inputs.n) abort();
    for (size_t i = 0; i < r->inputs.n; i++) {
        const clv_tensor *a = &r->inputs.items[i], *b = &same->inputs.items[i];
        if (a->bytes != b->bytes || (a->bytes && memcmp(a->data, b->data, a->bytes))) abort();
    }
    clv_request_free(same);
    clv_oip_message_done(&m);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_oip_bytes in = {data, size, NULL};
    clv_error err = {0};
    clv_request *r = NULL;
    if (clv_oip_decode_question(&in, 1, &r, &err) == CLV_OK) again(r);
    clv_request_free(r);
    clv_oip_answer a = {0};
    if (clv_oip_decode_answer(&in, &a, &err) == CLV_OK) clv_oip_answer_done(&a);
    return 0;
}
