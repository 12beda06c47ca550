/* Ports, mixers and recorders by their ids: what the owner holds instead of pointers. Used under the interpreter's lock. */
#ifndef ARIETTA_REGISTRY_H
#define ARIETTA_REGISTRY_H

#include "base.h"

typedef struct registry {
    struct registry_entry {
        uint64_t id; /* 0: free */
        void *thing;
    } *entries;
    uint64_t room; /* a power of two */
    uint64_t count;
} registry_t;

bool registry_put(registry_t *registry, uint64_t id, void *thing);
void *registry_get(const registry_t *registry, uint64_t id); /* NULL when there is none */
void registry_remove(registry_t *registry, uint64_t id);
void registry_close(registry_t *registry);

#endif
