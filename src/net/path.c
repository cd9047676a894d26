#include "net/path.h"

#include "base/mem.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

clv_path_info clv_path_read(int fd)
{
    struct tcp_info info;
    socklen_t n = sizeof info;
    memset(&info, 0, sizeof info); /* an older kernel fills less */
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n)) return (clv_path_info){0};
    return (clv_path_info){
        .connected = true,
        .rtt_us = info.tcpi_rtt,
        .min_rtt_us = info.tcpi_min_rtt == UINT32_MAX ? 0 : info.tcpi_min_rtt,
        .delivery_rate_bytes_per_s = (double)info.tcpi_delivery_rate,
        .app_limited = info.tcpi_delivery_rate_app_limited,
        .bytes_acked = info.tcpi_bytes_acked,
        .bytes_received = info.tcpi_bytes_received,
        .retransmits = info.tcpi_total_retrans,
        .delivered_bytes = (uint64_t)info.tcpi_delivered * info.tcpi_snd_mss,
        .busy_us = (int64_t)info.tcpi_busy_time,
        .queued_bytes = info.tcpi_notsent_bytes + (uint64_t)info.tcpi_unacked * info.tcpi_snd_mss,
    };
}

clv_path_info clv_path_read_local(int fd, uint64_t written_bytes)
{
    int queued = 0;
    if (ioctl(fd, SIOCOUTQ, &queued) || queued < 0) return (clv_path_info){.connected = true};
    const uint64_t waiting = CLV_MIN((uint64_t)queued, written_bytes);
    return (clv_path_info){
        .connected = true, .bytes_acked = written_bytes - waiting, .queued_bytes = waiting};
}
