#include "engine.h"

#include <sched.h>
#include <stdlib.h>

static bool open_shards(engine_t *engine, int shards, const settings_t *settings, int64_t epoch_ns)
{
    engine->shards = calloc((size_t)shards, sizeof *engine->shards);
    if (!engine->shards)
        return false;
    for (; engine->count < shards; engine->count++) {
        shard_t *shard = &engine->shards[engine->count];
        if (!shard_open(shard, &engine->events, &engine->next_id, settings, epoch_ns))
            return false;
        shard->core.index = engine->count;
    }
    return true;
}

static bool open_virtual(engine_t *engine, const settings_t *settings, int64_t epoch_ns)
{
    engine->virtual_core = calloc(1, sizeof *engine->virtual_core);
    if (!engine->virtual_core)
        return false;
    engine->wire.clock_ns = epoch_ns;
    engine->count = 1;
    return core_open(engine->virtual_core, &virtual_wire, &engine->wire, &engine->events, &engine->next_id, settings,
                     epoch_ns);
}

bool engine_open(engine_t *engine, int shards, int signal, const settings_t *settings, int64_t epoch_ns)
{
    codecs_init();
    atomic_init(&engine->next_id, 1);
    if (!event_queue_open(&engine->events, signal))
        return false;
    if (shards > 0 ? open_shards(engine, shards, settings, epoch_ns) : open_virtual(engine, settings, epoch_ns))
        return true;
    engine_close(engine);
    return false;
}

core_t *engine_core(const engine_t *engine, int index)
{
    return engine->shards ? &engine->shards[index].core : engine->virtual_core;
}

static void close_all(core_t *core)
{
    core_lock(core);
    while (core->ports)
        port_close(core->ports);
    while (core->mixers)
        mixer_close(core->mixers);
    core_unlock(core);
}

void engine_close(engine_t *engine)
{
    for (int n = 0; n < engine->count; n++) {
        if (engine->shards)
            shard_stop(&engine->shards[n]);
        close_all(engine_core(engine, n));
    }
    for (uint64_t n = 0; n < engine->recorders.room; n++)
        if (engine->recorders.entries[n].id != 0)
            recorder_free(engine->recorders.entries[n].thing);
    for (int n = 0; n < engine->count; n++) {
        if (engine->shards)
            shard_close(&engine->shards[n]);
        else
            core_close(engine->virtual_core);
    }
    free(engine->shards);
    free(engine->virtual_core);
    engine->shards = NULL;
    engine->virtual_core = NULL;
    engine->count = 0;
    virtual_wire_close(&engine->wire);
    registry_close(&engine->ports);
    registry_close(&engine->mixers);
    registry_close(&engine->recorders);
    event_queue_close(&engine->events);
}

core_t *engine_lightest(const engine_t *engine)
{
    core_t *lightest = engine_core(engine, 0);
    for (int n = 1; n < engine->count; n++)
        if (engine_core(engine, n)->port_count < lightest->port_count)
            lightest = engine_core(engine, n);
    return lightest;
}

static void lock_both(core_t *one, core_t *other)
{
    core_t *first = one->index < other->index ? one : other;
    core_lock(first);
    core_lock(first == one ? other : one);
}

bool engine_unite(engine_t *engine, port_t *port, core_t *to)
{
    (void)engine;
    core_t *from = port->core;
    if (from == to) {
        core_lock(to);
        return true;
    }
    for (;;) {
        lock_both(from, to);
        if (!from->ticking && !to->ticking)
            break;
        core_unlock(from);
        core_unlock(to);
        sched_yield();
    }
    bool moved = core_move(from, to, port);
    core_unlock(from);
    if (!moved)
        core_unlock(to);
    return moved;
}

void engine_close_port(engine_t *engine, uint64_t id)
{
    port_t *port = registry_get(&engine->ports, id);
    if (!port)
        return;
    core_t *core = port->core;
    registry_remove(&engine->ports, id);
    core_lock(core);
    port_close(port);
    core_sweep(core);
    core_unlock(core);
}

void engine_close_mixer(engine_t *engine, uint64_t id)
{
    mixer_t *mixer = registry_get(&engine->mixers, id);
    if (!mixer)
        return;
    core_t *core = mixer->core;
    registry_remove(&engine->mixers, id);
    core_lock(core);
    mixer_close(mixer);
    core_sweep(core);
    core_unlock(core);
}
