/* A map from names to small numbers. Open addressing, names borrowed from the messages that outlive it.
 *
 *     clv_names names = {0};
 *     clv_names_set(&names, "conv1", 3);
 *     clv_names_get(&names, "conv1");   // 3; -1 for a name that is not there
 *     clv_names_done(&names);
 */
#ifndef CLV_ONNX_NAMES_H
#define CLV_ONNX_NAMES_H

#include <stddef.h>

typedef struct clv_names {
    struct clv_name_slot {
        const char *name; /* borrowed; NULL: free */
        int value;
    } * slots;
    size_t n, cap; /* cap is 0 or a power of two */
} clv_names;

int clv_names_get(const clv_names *m, const char *name);
void clv_names_set(clv_names *m, const char *name, int value); /* value >= 0; replaces */
void clv_names_done(clv_names *m);

#endif
