#include "cost/speed.h"
#include "cost/profile_priv.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

double clv_speed_factor(const clv_speed *now, const clv_speed *then)
{
    bool both = now->n > 0 && then->n > 0 && now->us > 0 && then->us > 0;
    return both && strcmp(now->network, then->network) == 0 ? now->us / then->us : 1;
}

clv_status clv_digest_field(const clv_place *at, const char *key, char out[CLV_DIGEST_TEXT],
                            clv_error *err)
{
    char text[CLV_DIGEST_TEXT] = "";
    clv_status s = clv_field_fixed_text(at, key, text, sizeof text, err);
    if (s != CLV_OK) return s;
    bool hex = strlen(text) == CLV_DIGEST_TEXT - 1;
    for (const char *c = text; *c; c++) hex = hex && isxdigit((unsigned char)*c);
    if (!hex) return clv_field_bad(err, at, key, "must be 64 hexadecimal digits");
    memcpy(out, text, sizeof text);
    return CLV_OK;
}

static json_t *real_us(double us)
{
    return json_real(round(us * 1000) / 1000);
}

void clv_speed_json(const clv_speed *s, json_t *of)
{
    if (s->n == 0) return;
    json_object_set_new(of, "reference",
                        json_pack("{s:s,s:o,s:o,s:i}", "network", s->network, "us", real_us(s->us),
                                  "sigma_us", real_us(s->sigma_us), "n", s->n));
}

clv_status clv_speed_parse(const clv_place *of, clv_speed *out, clv_error *err)
{
    clv_place at;
    clv_speed speed = {0};
    int64_t n = 0;
    if (!json_object_get(of->object, "reference")) return CLV_OK;
    if (clv_field_object(of, "reference", &at, err) ||
        clv_digest_field(&at, "network", speed.network, err) ||
        clv_field_real(&at, "us", CLV_SPEED_US_MIN, CLV_SPEED_US_MAX, &speed.us, err) ||
        clv_field_real(&at, "sigma_us", 0, CLV_SPEED_US_MAX, &speed.sigma_us, err) ||
        clv_field_count(&at, "n", 1000000000, &n, err))
        return CLV_EINVAL;
    if (n == 0) return clv_field_bad(err, &at, "n", "must be 1 or more");
    speed.n = (int)n;
    *out = speed;
    return CLV_OK;
}
