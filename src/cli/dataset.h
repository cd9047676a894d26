/* Labelled data for a network with one input, from files.
 *
 *     clv_dataset_options o = {.path = "/usr/share/datasets/fashion-mnist", .samples = 1000, ...};
 *     clv_dataset *data;
 *     clv_dataset_open(&o, &spec, &data, &err);              // spec: the input, its batch 1
 *     clv_accuracy_study_run(net, clv_dataset_samples(data), ...);
 *     clv_dataset_free(data);
 *
 * | --data | is | |---|---| | a file that is idx, plain or gzipped | pictures [N,...]; labels
 * beside it (images-idx3 -> labels-idx1) or --labels | | FILE.npy | samples [N,...]; labels in
 * --labels, or beside it where "images" in its name becomes "labels" | | a folder with
 * t10k-images-idx3-ubyte or train-images-idx3-ubyte, also .gz | those, the first of them | |
 * another folder | a folder a class, of .png, .jpg and .npy files, one a sample |
 *
 * Classes are numbered by the names of their folders: as numbers if all are whole numbers, else in the order
 * of bytes. A sample fits when its sizes are the network's, sizes of 1 aside; pictures are scaled and cut
 * (cli/picture.h). Bytes become (byte / 255 - mean) / std for an FP32 input, as pictures do; other elements
 * must be the network's and stay as they are.
 *
 * Of more samples than are wanted, as many are taken, evenly over the whole, and shuffled with a fixed seed: the
 * same on every machine. Arrays are kept in memory as the file has them, folders are read when they are
 * needed. Threads: one at a time. */
#ifndef CLV_CLI_DATASET_H
#define CLV_CLI_DATASET_H

#include "base/opt.h"
#include "measure/accuracy_study.h"

enum { CLV_DATASET_FILES_MAX = 1 << 20, CLV_DATASET_CLASSES_MAX = 1 << 16 };

typedef struct clv_dataset_options {
    const char *path;
    const char *labels;              /* file; NULL: beside the data */
    size_t samples;                  /* at most; 0: all */
    const clv_text_list *mean, *std; /* NULL: the usual ones */
} clv_dataset_options;

typedef struct clv_dataset clv_dataset;

/* `spec` is the network's input with all sizes known, the first 1; its name is copied. CLV_EINVAL: data that is
 * damaged or does not fit, labels that are not whole numbers or as many; CLV_ENOTFOUND; CLV_ELIMIT;
 * CLV_EUSAGE: labels must be named. */
CLV_MUST
clv_status clv_dataset_open(const clv_dataset_options *o, const clv_tensor_spec *spec,
                            clv_dataset **out, clv_error *err);
/* Borrowed; its `read` is for this dataset. */
const clv_samples *clv_dataset_samples(const clv_dataset *d);
void clv_dataset_free(clv_dataset *d); /* NULL is fine */

#endif
