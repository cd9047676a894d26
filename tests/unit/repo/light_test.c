/* Networks that others exported: DenseNet, Inception, ShuffleNet, SqueezeNet, … of the ONNX project
 * ("light" models: the real structure, weights made by operators). They are not in this repository:
 * put onnx/backend/test/data/light/light_*.onnx into $CLEAVE_LIGHT_MODELS, or into light/ of
 * cleave's cache. Without them this test says so and passes. */
#include "base/file.h"
#include "engine/ort.h"
#include "repo/verify.h"
#include "unit.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

enum { CUTS_TRIED = 5 };

static char *models_folder(void)
{
    const char *own = getenv("CLEAVE_LIGHT_MODELS"), *cache = getenv("CLEAVE_CACHE"),
               *home = getenv("HOME");
    if (own) return clv_strdup(own);
    if (cache) return clv_path_join(cache, "light");
    return clv_format("%s/.cache/cleave/light", home ? home : "");
}

static void verify_one(clv_engine *engine, const char *path)
{
    clv_error err = {0};
    clv_network *net;
    clv_verify_report r;
    assert_ok(clv_network_open(path, engine, &(clv_network_options){0}, &net, &err), err);
    if (clv_network_uncut_reason(net)) fail_msg("%s: %s", path, clv_network_uncut_reason(net));
    assert_true(clv_network_cuts(net)->n > 15);
    assert_ok(clv_verify(net, &(clv_verify_options){.cuts_max = CUTS_TRIED, .seed = 1}, &r, &err),
              err);
    if (r.mismatches)
        fail_msg("%s: %zu of %zu cuts differ, first '%s'", path, r.mismatches, r.cuts, r.worst);
    assert_int_equal(r.cuts, CUTS_TRIED);
    free(r.worst);
    clv_network_unref(net);
}

static void exported_networks_agree(void **state)
{
    (void)state;
    char *folder = models_folder(), *pattern = clv_path_join(folder, "light_*.onnx");
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found)) {
        print_message("skipped: there is no %s\n", pattern);
    } else {
        clv_engine *engine;
        clv_error err = {0};
        assert_ok(clv_ort_engine_new(&(clv_ort_options){.threads = 1}, &engine, &err), err);
        for (size_t i = 0; i < found.gl_pathc; i++) verify_one(engine, found.gl_pathv[i]);
        clv_engine_free(engine);
        globfree(&found);
    }
    free(folder);
    free(pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exported_networks_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
