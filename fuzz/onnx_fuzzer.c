/* The ONNX reader: any bytes as a model file. What opens is pinned, taken as its own optimised
 * graph (the engine is not in the loop: its optimised graphs are ONNX too, and these are stranger
 * than any), cut at up to a few places, and extracted. */
#include "base/file.h"
#include "graph/cuts.h"
#include "onnx/extract.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS_TRIED = 6, CUTS_CAP = 500 };

static void extract_some(const clv_units *u)
{
    clv_cuts *cuts;
    if (clv_cuts_enumerate(clv_units_graph(u), CUTS_CAP, &cuts, NULL)) return;
    for (size_t i = 0; i < cuts->n && i < CUTS_TRIED; i++)
        for (size_t k = 0; k < cuts->n && k < CUTS_TRIED; k++) {
            clv_extracted e;
            if (clv_extract(u, cuts, i, cuts->n - 1 - k, &e, NULL) == CLV_OK)
                clv_extracted_done(&e);
        }
    clv_cuts_free(cuts);
}

static void take_apart(const clv_onnx *m)
{
    const char *const dims[] = {"H=3", "x:1=2"};
    void *one = NULL, *two = NULL;
    size_t n_one, n_two;
    clv_units *u;
    clv_onnx_has_batch(m);
    if (clv_onnx_pin(m, &(clv_pin){.batch = 1, .dims = dims, .n_dims = 2}, &one, &n_one, NULL))
        return;
    if (clv_onnx_pin(m, &(clv_pin){.batch = 2, .dims = dims, .n_dims = 2}, &two, &n_two, NULL) ==
            CLV_OK &&
        clv_units_find(m, one, n_one, two, n_two, &u, NULL) == CLV_OK) {
        extract_some(u);
        clv_units_free(u);
    }
    clv_units_free(clv_units_whole(m));
    free(one);
    free(two);
}

/* The reader maps files: one in memory, where there is such a place. */
static const char *model_path(void)
{
    static char path[64];
    if (!*path)
        snprintf(path, sizeof path, "%s/cleave-onnx-fuzzer-%ld.onnx",
                 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *f = fopen(model_path(), "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f)) abort();
    clv_onnx *m;
    clv_error err = {0};
    if (clv_onnx_open(model_path(), &m, &err) == CLV_OK) {
        take_apart(m);
        clv_onnx_free(m);
    }
    unlink(model_path());
    return 0;
}
