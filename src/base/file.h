/* Files: bounded reads, atomic writes, read-only maps, scratch directories. */
#ifndef CLV_BASE_FILE_H
#define CLV_BASE_FILE_H

#include "base/buf.h"

#include <stdbool.h>

/* A read-only private map of a whole file; pages are shared with every other map of it. */
typedef struct clv_map {
    const unsigned char *data; /* NULL for an empty file */
    size_t bytes;
} clv_map;

CLV_MUST
clv_status clv_map_open(const char *path, clv_map *map, clv_error *err);
void clv_map_done(clv_map *map);

/* Read a whole file of at most `limit_bytes` (else CLV_ELIMIT). "-" is standard input. */
CLV_MUST
clv_status clv_file_read(const char *path, size_t limit_bytes, clv_buf *out, clv_error *err);
/* Write beside the target, fsync, rename: a reader sees the old or the new file, never half. "-" is
 * standard output. */
CLV_MUST
clv_status clv_file_write(const char *path, const void *data, size_t bytes, clv_error *err);
CLV_MUST
clv_status clv_dir_make(const char *path, clv_error *err); /* with parents; existing is fine */
CLV_MUST
clv_status clv_dir_temp(const char *prefix, char **path,
                        clv_error *err); /* under $TMPDIR or /tmp; heap text */
void clv_dir_remove(const char *path);   /* with contents, best effort, does not follow links */
bool clv_file_exists(const char *path);
char *clv_path_join(const char *dir, const char *name); /* heap text */

#endif
