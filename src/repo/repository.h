/* The model repository on disk, in Triton's layout: NAME/VERSION/model.onnx. A file NAME.onnx
 * beside them counts as version 1, unless NAME/1 is there.
 *
 *     clv_repository_entry *entries; size_t n;
 *     clv_repository_scan("models", &entries, &n, &err);   // sorted by name, then by version, newest last
 *     clv_repository_entries_free(entries, n);
 *
 * Names: letters, digits, '.', '_', '-', at most CLV_MODEL_NAME_MAX, not starting with '.'.
 * Versions: 1 to 9 digits, not 0. What does not look like a model is passed over.
 */
#ifndef CLV_REPO_REPOSITORY_H
#define CLV_REPO_REPOSITORY_H

#include "base/status.h"

#include <stdbool.h>

enum { CLV_MODEL_NAME_MAX = 128, CLV_REPOSITORY_MAX = 4096 };

typedef struct clv_repository_entry {
    char *name, *version, *path;
} clv_repository_entry;

CLV_MUST
clv_status clv_repository_scan(const char *dir, clv_repository_entry **entries, size_t *n,
                               clv_error *err);
void clv_repository_entries_free(clv_repository_entry *entries, size_t n);
CLV_MUST
clv_status clv_repository_check_name(const char *name, clv_error *err);
CLV_MUST
clv_status clv_repository_check_version(const char *version, clv_error *err);
/* Is this a plain file name that may stand in a version's folder? */
bool clv_repository_file_ok(const char *file);

#endif
