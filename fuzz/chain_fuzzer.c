/* Any bytes as a peer's chain; what is accepted must write to something that reads as the same. */
#include "base/mem.h"
#include "split/chain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_chain *c, *again;
    clv_error err = {0};
    if (clv_chain_parse((const char *)data, size, &c, &err)) return 0;
    char *text = clv_chain_json(c, true);
    if (clv_chain_parse(text, strlen(text), &again, &err)) abort();
    if (!clv_chain_same_nodes(c, again)) abort();
    free(text);
    clv_chain_free(c);
    clv_chain_free(again);
    return 0;
}
