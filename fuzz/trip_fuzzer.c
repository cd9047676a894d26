/* Any text as a peer's trip; what is accepted must write to something that reads as the same. */
#include "base/mem.h"
#include "split/trip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clv_trip t, again;
    CLV_AUTO(clv_text_free) char *text = clv_strndup((const char *)data, size);
    if (clv_trip_parse(text, &t, NULL)) return 0;
    CLV_AUTO(clv_text_free) char *back = clv_trip_text(&t);
    if (clv_trip_parse(back, &again, NULL) || again.n != t.n) abort();
    if (clv_trip_us(&t) != clv_trip_us(&again) || clv_trip_us(&t) < 0) abort();
    return 0;
}
