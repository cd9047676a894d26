#include "api/asker.h"

/* FNV-1a; 0 is the node itself. */
static uint64_t account_of(const char *who)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (; *who; who++) h = (h ^ (unsigned char)*who) * 0x100000001b3U;
    return h ? h : 1;
}

void clv_asker_of(clv_exchange *x, clv_request *r)
{
    r->account = account_of(clv_exchange_who(x));
    r->recall = clv_recall_new();
    clv_exchange_keep(x, clv_recall_ref(r->recall), clv_recall_unref);
}

void clv_asker_gone(clv_exchange *x)
{
    clv_recall_ask(clv_exchange_kept(x));
}
