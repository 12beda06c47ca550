#include "registry.h"

#include <stdlib.h>

/* Linear probing over a table at most half full; ids are consecutive numbers, so their low bits spread well. */
static uint64_t home(const registry_t *registry, uint64_t id) { return id & (registry->room - 1); }

static uint64_t slot_of(const registry_t *registry, uint64_t id)
{
    uint64_t slot = home(registry, id);
    while (registry->entries[slot].id != 0 && registry->entries[slot].id != id)
        slot = (slot + 1) & (registry->room - 1);
    return slot;
}

static bool grow(registry_t *registry)
{
    registry_t bigger = {.room = registry->room ? 2 * registry->room : 64, .count = registry->count};
    bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
    if (!bigger.entries)
        return false;
    for (uint64_t n = 0; n < registry->room; n++)
        if (registry->entries[n].id != 0)
            bigger.entries[slot_of(&bigger, registry->entries[n].id)] = registry->entries[n];
    free(registry->entries);
    *registry = bigger;
    return true;
}

bool registry_put(registry_t *registry, uint64_t id, void *thing)
{
    if (2 * (registry->count + 1) > registry->room && !grow(registry))
        return false;
    uint64_t slot = slot_of(registry, id);
    registry->count += registry->entries[slot].id == 0;
    registry->entries[slot].id = id;
    registry->entries[slot].thing = thing;
    return true;
}

void *registry_get(const registry_t *registry, uint64_t id)
{
    if (registry->room == 0 || id == 0)
        return NULL;
    const struct registry_entry *entry = &registry->entries[slot_of(registry, id)];
    return entry->id == id ? entry->thing : NULL;
}

void registry_remove(registry_t *registry, uint64_t id)
{
    if (!registry_get(registry, id))
        return;
    uint64_t hole = slot_of(registry, id), next = hole;
    registry->entries[hole].id = 0;
    registry->count--;
    for (;;) { /* what comes after the hole and belongs before it moves into it */
        next = (next + 1) & (registry->room - 1);
        if (registry->entries[next].id == 0)
            return;
        uint64_t wanted = home(registry, registry->entries[next].id);
        if (((next - wanted) & (registry->room - 1)) < ((next - hole) & (registry->room - 1)))
            continue;
        registry->entries[hole] = registry->entries[next];
        registry->entries[next].id = 0;
        hole = next;
    }
}

void registry_close(registry_t *registry)
{
    free(registry->entries);
    memset(registry, 0, sizeof *registry);
}
