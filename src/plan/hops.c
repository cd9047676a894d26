/* Planner B: the shortest path over (device, ideal, codec), up the lattice of the cuts on each
 * device (plan/climb.h). Where measured progress falls, C tries pairs of cuts instead. O(devices ×
 * ideals × (width + codecs)) for a problem of one number. */
#include "base/mem.h"
#include "plan/climb.h"

clv_status clv_plan_hops(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(clv_layers_done) clv_layers layers = {0};
    CLV_AUTO(clv_climb_done) clv_climb climb;
    clv_planner_answer answer;
    clv_climb_init(&climb, p);
    if (!clv_climb_holds(&climb, p)) return clv_plan_pipeline(p, out, err);
    clv_layers_init(&layers, p, clv_terms_of(p));
    clv_layers_search(&layers, clv_climb_run, &climb);
    clv_status st = clv_layers_answer(&layers, &answer, err);
    if (st) return st;
    if (layers.thinned) answer.bound = clv_climb_bound(p);
    *out = answer;
    return CLV_OK;
}
