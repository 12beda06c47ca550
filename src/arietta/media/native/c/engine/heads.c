#include "heads.h"

void heads_put(heads_t *heads, const head_t *head)
{
    if (heads->count == MOST_HEADS)
        heads_take(heads);
    heads->heads[(heads->first + heads->count++) % MOST_HEADS] = *head;
}

const head_t *heads_take(heads_t *heads)
{
    if (heads->count == 0)
        return NULL;
    const head_t *head = &heads->heads[heads->first];
    heads->first = (heads->first + 1) % MOST_HEADS;
    heads->count--;
    return head;
}
