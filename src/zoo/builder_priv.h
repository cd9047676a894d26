/* What builder.c (the network) and builder_write.c (the file) share. Private to zoo/. */
#ifndef CLV_ZOO_BUILDER_PRIV_H
#define CLV_ZOO_BUILDER_PRIV_H

#include "zoo/builder.h"
#include "zoo/proto.h"
#include "zoo/weights.h"

typedef enum clv_fill {
    CLV_FILL_WEIGHTS,  /* drawn */
    CLV_FILL_MEAN,     /* a batch norm's mean: what the weights make of the input's mean */
    CLV_FILL_VARIANCE, /* a batch norm's variance: what they make of the input's variance */
    CLV_FILL_CONSTANT
} clv_fill;

/* An initialiser whose data are made when the file is written. */
typedef struct clv_initialiser {
    char *name;
    clv_shape shape;
    clv_fill fill;
    clv_weights weights; /* of WEIGHTS */
    size_t source;       /* MEAN, VARIANCE: index of the weights that they follow */
    double moment;       /* MEAN, VARIANCE: that of the convolution's input */
    double constant;
} clv_initialiser;

typedef struct clv_feature {
    char *name;
    int64_t c, h, w; /* h and w are 0 when flat */
    double mean, variance;
    size_t weights;                    /* index of the weights of the convolution that made it */
    double input_mean, input_variance; /* of that convolution's input */
} clv_feature;

struct clv_builder {
    Onnx__GraphProto *graph;
    uint64_t seed, params, macs;
    clv_feature *features;
    size_t n_features, features_cap;
    clv_initialiser *initialisers;
    size_t n_initialisers, initialisers_cap;
    bool has_clip_bounds;
};

#endif
