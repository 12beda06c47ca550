/* All shards of one engine, and what its owner holds of them by id. Its functions are called under the interpreter's lock. */
#ifndef ARIETTA_ENGINE_H
#define ARIETTA_ENGINE_H

#include "local_port.h"
#include "registry.h"
#include "rtp_port.h"
#include "shard.h"
#include "virtual_wire.h"

typedef struct engine {
    event_queue_t events;
    atomic_uint_fast64_t next_id;
    int count;           /* of shards */
    shard_t *shards;     /* NULL: one core on a virtual wire */
    core_t *virtual_core;
    virtual_wire_t wire;
    registry_t ports, mixers, recorders;
} engine_t;

/* With threads: shards of them. Without (shards 0): one core on a virtual wire. False: no memory or descriptors. */
bool engine_open(engine_t *engine, int shards, int signal, const settings_t *settings, int64_t epoch_ns);
void engine_close(engine_t *engine);

core_t *engine_core(const engine_t *engine, int index);
/* The core with the fewest ports. */
core_t *engine_lightest(const engine_t *engine);
/* Brings two cores' things together in one and locks it: where the mixer or port `to` is. False without memory. */
bool engine_unite(engine_t *engine, port_t *port, core_t *to);

void engine_close_port(engine_t *engine, uint64_t id);
void engine_close_mixer(engine_t *engine, uint64_t id);

#endif
