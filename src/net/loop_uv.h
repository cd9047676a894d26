/* For the room's own files: the libuv loop beneath a clv_loop, and the buffer that all connections
 * of a loop read into (one thread, one read at a time). Not to be included outside net/. */
#ifndef CLV_NET_LOOP_UV_H
#define CLV_NET_LOOP_UV_H

#include "net/loop.h"

#include <uv.h>

enum { CLV_READ_BUFFER = 256 * 1024 };

uv_loop_t *clv_loop_uv(clv_loop *loop);
unsigned char *clv_loop_read_buffer(clv_loop *loop); /* CLV_READ_BUFFER bytes; loop's thread */

#endif
