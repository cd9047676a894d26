/* What a peer tells of its load: an error, or numbers within their bounds. */
#include "split/node_load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    clv_node_load load = {-1, -1, -1};
    if (clv_node_load_parse((const char *)data, n, &load, NULL))
        return load.queue == -1 ? 0 : (abort(), 0);
    if (load.queue < 0 || load.ahead_us < 0 || load.wait_us < 0) abort();
    if (load.queue > CLV_NODE_LOAD_US_MAX || load.ahead_us > CLV_NODE_LOAD_US_MAX) abort();
    return 0;
}
