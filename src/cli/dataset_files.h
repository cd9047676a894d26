/* Which files a dataset is made of: see cli/dataset.h, whose private part this is. */
#ifndef CLV_CLI_DATASET_FILES_H
#define CLV_CLI_DATASET_FILES_H

#include "cli/dataset.h"

typedef struct clv_dataset_files {
    char *images, *labels; /* two arrays, … */
    char **paths;          /* … or a file a sample, … */
    int *classes;          /* … and its class */
    size_t n, cap;
    char *name; /* of the data, for people */
} clv_dataset_files;

CLV_MUST
clv_status clv_dataset_files_find(const clv_dataset_options *o, clv_dataset_files *out,
                                  clv_error *err);
void clv_dataset_files_done(clv_dataset_files *f);
/* Does a name end so, in letters of either case? */
bool clv_dataset_ends(const char *name, const char *suffix);

#endif
