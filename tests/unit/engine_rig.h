/* An engine of one thread and a folder for models, for a group of tests: its start and stop.
 *
 *     return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
 */
#ifndef CLV_TESTS_ENGINE_RIG_H
#define CLV_TESTS_ENGINE_RIG_H

#include "base/file.h"
#include "engine/ort.h"
#include "unit.h"

#include <stdlib.h>

static clv_engine *engine;
static char *folder;

static inline int engine_rig_start(void **state)
{
    (void)state;
    return clv_dir_temp("engine", &folder, NULL) ||
           clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, NULL);
}

static inline int engine_rig_stop(void **state)
{
    (void)state;
    clv_engine_free(engine);
    clv_dir_remove(folder);
    free(folder);
    return 0;
}

#endif
