/* The pieces of plan/tables.h. Private to plan/. */
#ifndef CLV_PLAN_TABLES_PRIV_H
#define CLV_PLAN_TABLES_PRIV_H

#include "plan/tables.h"

#define CLV_TABLES_UNKNOWN ((clv_plan_time){.ns = CLV_PLAN_UNKNOWN})

/* Nanoseconds of a time that is not negative, within CLV_PLAN_NS_MAX. */
int64_t clv_tables_ns(double us);
/* For each cut its place in the profile, -1: not there. Heap. */
int *clv_tables_match(const clv_graph *g, const clv_cuts *cuts, const clv_profile *p);
/* clv_plan_device.unit_ns of device k. Heap. */
int64_t *clv_tables_units(const clv_plan_sources *from, size_t device);
/* Fills `progress` from the device's prefix, suffix and unit_ns. */
void clv_tables_progress(const clv_graph *g, const clv_cuts *cuts, const clv_plan_device *d,
                         clv_plan_time *progress);

/* The problem's codecs, and its limit on accuracy. */
void clv_tables_codecs(clv_plan_tables *t, const clv_plan_sources *from);

#endif
