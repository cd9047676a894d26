/* A frame from a host's interface: what it weighs is at least what it is, or it is refused. */
#include "lab/port.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const size_t ip_at[] = {10, 24}; /* TUN, packet */
    for (int i = 0; i < 2; i++) {
        int64_t wire_bytes = 0, packets = 0;
        if (!clv_port_wire(data, bytes, ip_at[i], &wire_bytes, &packets)) continue;
        if (packets < 1 || wire_bytes < (int64_t)(bytes - ip_at[i])) abort();
    }
    return 0;
}
