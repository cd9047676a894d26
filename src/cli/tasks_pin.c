#include "cli/tasks_pin.h"

#include "base/mem.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

struct clv_tasks_pin {
    size_t open; /* models that are not deployed yet, and 1 while they are being asked */
    bool told;
    clv_server_done_fn done;
    void *arg;
};

static void on_one(void *arg, const clv_error *error)
{
    clv_tasks_pin *p = arg;
    p->open--;
    if (p->told || (!error && p->open)) return;
    p->told = true;
    p->done(p->arg, error);
}

static bool is_called(const clv_network *net, size_t cut, const char *name)
{
    const clv_cuts *cuts = clv_network_cuts(net);
    if (strcmp(name, cut == 0 ? "remote" : cut + 1 == cuts->n ? "local" : "") == 0) return true;
    CLV_AUTO(clv_text_free) char *label = clv_cut_label(cuts, clv_network_graph(net), cut);
    return strcmp(name, label) == 0;
}

static clv_status find(const clv_model_info *info, const char *name, int *cut, clv_error *err)
{
    size_t n = clv_network_cuts(info->network)->n;
    int64_t index;
    for (size_t i = 0; i < n; i++)
        if (is_called(info->network, i, name)) {
            *cut = (int)i;
            return CLV_OK;
        }
    if (clv_parse_int(name, &index, NULL) == CLV_OK && index >= 0 && index < (int64_t)n) {
        *cut = (int)index;
        return CLV_OK;
    }
    return clv_fail(err, CLV_EINVAL,
                    "model '%s': no cut '%.80s'; local, remote, 0 to %zu or one of the labels that "
                    "cleave inspect lists is right",
                    info->name, name, n - 1);
}

/* "pool3 q8+zstd": the name of the cut (heap text) and the codec, raw if there is none. */
static char *cut_and_codec(const char *text, clv_codec *codec)
{
    const char *space = strrchr(text, ' ');
    if (space && clv_codec_parse(space + 1, codec, NULL) == CLV_OK)
        return clv_strndup(text, (size_t)(space - text));
    *codec = (clv_codec){0};
    return clv_strdup(text);
}

void clv_tasks_pin_all(clv_server *server, const clv_text_list *models, const char *cut,
                       clv_server_done_fn done, void *arg, clv_tasks_pin **out)
{
    clv_tasks_pin *p = clv_alloc(sizeof *p);
    *p = (clv_tasks_pin){.open = models->n + 1, .done = done, .arg = arg};
    clv_codec codec = {0};
    CLV_AUTO(clv_text_free) char *name = cut_and_codec(cut, &codec);
    *out = p;
    for (size_t i = 0; i < models->n; i++) {
        clv_model_info info;
        clv_error err = {0};
        int index = 0;
        clv_status status = clv_server_model_ready(server, models->items[i], NULL, &info, &err);
        if (!status) {
            status = find(&info, name, &index, &err);
            clv_model_info_done(&info);
        }
        if (status)
            on_one(p, &err);
        else
            clv_server_pin(server, models->items[i], index, codec, on_one, p);
    }
    on_one(p, NULL);
}

void clv_tasks_pin_free(clv_tasks_pin *p)
{
    free(p);
}
