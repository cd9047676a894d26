#include "split/peer_times.h"

#include "base/mem.h"

static const char *fault_of(const clv_timing *said, int64_t exchange_us)
{
    if (exchange_us < 0) return "this node's clock went back during the exchange";
    if (said->total_us < 0 || said->wait_us < 0) return "the peer names a time below 0";
    if (said->wait_us > said->total_us)
        return "the peer says that it waited longer than all of it took";
    if (said->total_us - CLV_PEER_TIMES_GRACE_US > exchange_us)
        return "the peer says that it took longer than the whole exchange";
    return NULL;
}

static int64_t within(int64_t us, int64_t most)
{
    return CLV_MIN(CLV_MAX(us, (int64_t)0), most);
}

clv_peer_times clv_peer_times_of(const clv_timing *said, int64_t exchange_us)
{
    int64_t whole = CLV_MAX(exchange_us, (int64_t)0);
    int64_t total = within(said->total_us, whole), wait = within(said->wait_us, total);
    return (clv_peer_times){.link_us = whole - total,
                            .queue_us = wait,
                            .cloud_us = total - wait,
                            .fault = fault_of(said, exchange_us)};
}
