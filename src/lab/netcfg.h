/* Network interfaces of the calling thread's namespace, through rtnetlink: what `ip link`, `ip
 * address` and `ip route` would do, without needing them.
 *
 *     clv_netcfg_up("lo", 0, &err);
 *     clv_netcfg_address("cloud", htonl(0x64400001), &err);
 *     clv_netcfg_route("cloud", htonl(0x64400002), "cubic", &err);
 *
 * All need CAP_NET_ADMIN in the namespace. IPv4 addresses are in network byte order. An error names
 * the interface and what the kernel said.
 */
#ifndef CLV_LAB_NETCFG_H
#define CLV_LAB_NETCFG_H

#include "base/status.h"

#include <stdint.h>

/* Bring an interface up; `mtu` 0 leaves it. ARP is switched off: every link has two ends only. */
CLV_MUST
clv_status clv_netcfg_up(const char *ifname, int mtu, clv_error *err);
/* Give an interface one address (/32). */
CLV_MUST
clv_status clv_netcfg_address(const char *ifname, uint32_t address, clv_error *err);
/* Send packets for one host out of an interface. `congestion` names TCP's congestion control for
 * its connections ("cubic"); NULL or "" leaves the host's default. A route is used for it because a
 * new namespace may not choose freely: the sysctl only takes what the machine's first one allows. */
CLV_MUST
clv_status clv_netcfg_route(const char *ifname, uint32_t to, const char *congestion,
                            clv_error *err);
/* The largest packet that TCP hands to the interface in one piece (GSO), in bytes. */
CLV_MUST
clv_status clv_netcfg_gso_max(const char *ifname, uint32_t bytes, clv_error *err);
/* A pair of joined Ethernet interfaces with the same hardware address, `peer` in the namespace of
 * `peer_netns_fd`. */
CLV_MUST
clv_status clv_netcfg_veth(const char *ifname, const char *peer, int peer_netns_fd, clv_error *err);

#endif
