/* Where a model is, from what a person writes: the one rule for all commands.
 *
 *     resnet18.onnx            a file: that model, named "resnet18"
 *     models/resnet18          a directory NAME with NAME/VERSION/model.onnx: its newest version,
 *                              the largest number (Triton's layout)
 *     models/resnet18/2        one of its versions
 *     resnet18                 as above below the repository, when one is given and no such path is
 *                              there
 *
 *     clv_located at;
 *     clv_locate("models/resnet18", NULL, &at, &err);   // at.path, at.name, at.version
 *     clv_located_done(&at);
 *
 * Only directories whose whole name is a number without leading zeros count as versions.
 */
#ifndef CLV_REPO_LOCATE_H
#define CLV_REPO_LOCATE_H

#include "base/status.h"

#include <stdint.h>

typedef struct clv_located {
    char *path;      /* of the .onnx file; owned */
    char *name;      /* of the model; owned */
    int64_t version; /* 0: a file outside of a repository */
} clv_located;

/* `repository` may be NULL. CLV_ENOTFOUND says what was looked for. */
CLV_MUST
clv_status clv_locate(const char *model, const char *repository, clv_located *out, clv_error *err);
void clv_located_done(clv_located *at); /* NULL-safe, idempotent */

/* "17" -> 17, anything that is no version directory's name -> 0. */
int64_t clv_version_parse(const char *text);

#endif
