/* What `cleave profile` shows of codecs: how fast they are here, what they make of each cut, and what that costs
 * in accuracy. */
#ifndef CLV_CLI_CODEC_REPORT_H
#define CLV_CLI_CODEC_REPORT_H

#include "base/buf.h"
#include "cost/profile.h"

#include <stdio.h>

/* Two tables: speeds, and (with data) bytes and accuracy at the cuts of one tensor. Nothing when the profile has
 * no codecs. */
void clv_codec_print(const clv_profile *p, FILE *out);
/* "cut,label,codec,raw_bytes,bytes,accuracy,drop": a row a cut and codec whose bytes are known, raw among
 * them; accuracy and drop are empty where they were not measured. */
void clv_codec_csv(clv_buf *out, const clv_profile *p);

#endif
