/* Keeps the predictions of what is deployed up to date, and gives them to requests. */
#include "split/forecast.h"

#include "base/mem.h"
#include "split/prediction.h"

static void set(clv_splitter *s, clv_deployment *d, const clv_prediction *p)
{
    pthread_mutex_lock(&s->lock);
    d->predicted = *p;
    pthread_mutex_unlock(&s->lock);
}

/* The whole network here, as this device's own profile has it. */
static clv_prediction alone(const clv_splitter *s)
{
    const clv_profile *own = s->adapt.own;
    if (!own || own->n_cuts != s->last + 1) return (clv_prediction){0};
    const clv_time *whole = &own->cuts[s->last].prefix;
    return clv_prediction_alone(whole->n ? whole->us : 0, whole->sigma_us);
}

void clv_forecast_begin(clv_splitter *s, clv_deployment *d)
{
    const clv_plan_problem *problem = NULL;
    const clv_route *route = &d->route;
    if (route->n == 1 || !s->ways[route->way].tables ||
        clv_way_problem(&s->ways[route->way], &problem, NULL))
        return; /* the whole network's is up to date always */
    const clv_prediction first = clv_prediction_of(problem, route);
    set(s, d, &first);
}

void clv_forecast_look(clv_splitter *s)
{
    const clv_plan_problem *problem = NULL;
    clv_prediction here = alone(s), live = {0};
    size_t way = s->live->route.n > 1 ? s->live->route.way : 0;
    if (way < s->n_ways && s->ways[way].tables &&
        clv_way_problem(&s->ways[way], &problem, NULL) == CLV_OK) {
        here = clv_prediction_of(problem, &s->local->route);
        live = clv_prediction_of(problem, &s->live->route);
    }
    set(s, s->local, &here);
    if (s->live != s->local) set(s, s->live, &live);
}

clv_prediction clv_forecast_of(clv_splitter *s, const clv_deployment *d)
{
    pthread_mutex_lock(&s->lock);
    clv_prediction p = d->predicted;
    pthread_mutex_unlock(&s->lock);
    return p;
}
