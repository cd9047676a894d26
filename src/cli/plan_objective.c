/* The text of an objective, of cli/plan_question.h. */
#include "base/mem.h"
#include "base/unit.h"
#include "cli/plan_question.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OBJECTIVE_FORMS                                                                            \
    "it is latency, p95 (any p50 to p99.99), energy, price, throughput or "                        \
    "weighted:latency=1,energy=0.5,price=2"

static const char *const goal_names[CLV_GOAL_COUNT] = {
#define X(name, text, about) [CLV_GOAL_##name] = text,
    CLV_PLAN_GOAL_MAP(X)
#undef X
};

/* "p95", "p99.9" */
static clv_status parse_quantile(const char *text, clv_plan_objective *out, clv_error *err)
{
    double percent = 0;
    if (clv_parse_real(text + 1, &percent, NULL) || percent < 50 || percent > 99.9999)
        return clv_fail(err, CLV_EUSAGE, "--objective '%.60s': a quantile is p50 to p99.9999",
                        text);
    *out = (clv_plan_objective){.goal = CLV_GOAL_LATENCY,
                                .quantile_ppm = (int)lround(percent * 10000)};
    return CLV_OK;
}

static clv_status parse_weight(const char *word, clv_plan_objective *out, clv_error *err)
{
    struct {
        const char *name;
        int64_t *weight;
    } parts[] = {{"latency", &out->second_weight},
                 {"energy", &out->joule_weight},
                 {"price", &out->money_weight}};
    const char *equals = strchr(word, '=');
    for (size_t i = 0; i < CLV_COUNT(parts) && equals; i++) {
        size_t n = strlen(parts[i].name);
        double weight = 0;
        if ((size_t)(equals - word) != n || memcmp(word, parts[i].name, n) != 0) continue;
        if (clv_parse_real(equals + 1, &weight, NULL) || weight > 1e6 ||
            (weight > 0 && weight < 1e-3))
            return clv_fail(err, CLV_EUSAGE,
                            "--objective: weight '%.60s' must be 0, or within 0.001 and 1000000",
                            word);
        if (*parts[i].weight)
            return clv_fail(err, CLV_EUSAGE, "--objective: '%s' has two weights", parts[i].name);
        *parts[i].weight = llround(weight * 1000);
        return CLV_OK;
    }
    return clv_fail(err, CLV_EUSAGE,
                    "--objective: weight '%.60s' is none of latency=, energy=, price=", word);
}

static clv_status parse_weights(const char *text, clv_plan_objective *out, clv_error *err)
{
    clv_plan_objective o = {.goal = CLV_GOAL_WEIGHTED};
    CLV_AUTO(clv_text_free) char *words = clv_strdup(text);
    char *rest = NULL;
    for (char *w = strtok_r(words, ",", &rest); w; w = strtok_r(NULL, ",", &rest)) {
        clv_status s = parse_weight(w, &o, err);
        if (s != CLV_OK) return s;
    }
    if (!o.second_weight && !o.joule_weight && !o.money_weight)
        return clv_fail(err, CLV_EUSAGE,
                        "--objective 'weighted': no weight is above 0; " OBJECTIVE_FORMS);
    *out = o;
    return CLV_OK;
}

clv_status clv_plan_objective_parse(const char *text, clv_plan_objective *out, clv_error *err)
{
    for (int g = 0; g < CLV_GOAL_COUNT; g++) {
        size_t n = strlen(goal_names[g]);
        if (strncmp(text, goal_names[g], n) != 0) continue;
        if (g == CLV_GOAL_WEIGHTED && (text[n] == ':' || !text[n]))
            return parse_weights(text[n] ? text + n + 1 : "", out, err);
        if (text[n]) continue;
        *out = (clv_plan_objective){.goal = (clv_plan_goal)g};
        return CLV_OK;
    }
    if (text[0] == 'p' && text[1] >= '0' && text[1] <= '9') return parse_quantile(text, out, err);
    return clv_fail(err, CLV_EUSAGE, "--objective '%.60s': " OBJECTIVE_FORMS, text);
}

clv_plan_objective_text clv_plan_objective_show(const clv_plan_objective *o)
{
    clv_plan_objective_text t;
    const struct {
        const char *name;
        int64_t weight;
    } parts[] = {
        {"latency", o->second_weight}, {"energy", o->joule_weight}, {"price", o->money_weight}};
    if (o->goal == CLV_GOAL_LATENCY && o->quantile_ppm)
        snprintf(t.s, sizeof t.s, "p%.10g", o->quantile_ppm / 1e4);
    else
        snprintf(t.s, sizeof t.s, "%s", goal_names[o->goal]);
    if (o->goal != CLV_GOAL_WEIGHTED) return t;
    const char *between = ":";
    for (size_t i = 0; i < CLV_COUNT(parts); i++) {
        size_t n = strlen(t.s);
        if (!parts[i].weight) continue;
        snprintf(t.s + n, sizeof t.s - n, "%s%s=%.10g", between, parts[i].name,
                 (double)parts[i].weight / 1000);
        between = ",";
    }
    return t;
}
