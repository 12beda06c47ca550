#include "core.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "mixer.h"
#include "port.h"

enum { PORTS_BETWEEN_COMMANDS = 16, MOMENTS = 20 /* a tick */, MOST_CLOSED = 64 };

bool core_open(core_t *core, const wire_t *wire, void *wire_state, event_queue_t *events,
               atomic_uint_fast64_t *next_id, const settings_t *settings, int64_t epoch_ns)
{
    memset(core, 0, sizeof *core);
    core->wire = wire;
    core->wire_state = wire_state;
    core->events = events;
    core->next_id = next_id;
    core->settings = *settings;
    core->now_ns = core->epoch_ns = epoch_ns;
    core->tick = -1;
    uint64_t name = 0;
    if (getrandom(&name, sizeof name, 0) != sizeof name)
        name = (uint64_t)epoch_ns;
    snprintf(core->cname, sizeof core->cname, "%016llx", (unsigned long long)name);
    return pthread_mutex_init(&core->lock, NULL) == 0;
}

void core_lock(core_t *core)
{
    atomic_fetch_add(&core->waiting, 1);
    pthread_mutex_lock(&core->lock);
    atomic_fetch_sub(&core->waiting, 1);
}

void core_unlock(core_t *core) { pthread_mutex_unlock(&core->lock); }

/* -- lists -- */

#define APPEND(first, last, item, next, previous)                                                                      \
    do {                                                                                                               \
        (item)->next = NULL;                                                                                           \
        (item)->previous = (last);                                                                                     \
        if (last)                                                                                                      \
            (last)->next = (item);                                                                                     \
        else                                                                                                           \
            (first) = (item);                                                                                          \
        (last) = (item);                                                                                               \
    } while (0)

#define REMOVE(first, last, item, next, previous)                                                                      \
    do {                                                                                                               \
        if ((item)->previous)                                                                                          \
            (item)->previous->next = (item)->next;                                                                     \
        else                                                                                                           \
            (first) = (item)->next;                                                                                    \
        if ((item)->next)                                                                                              \
            (item)->next->previous = (item)->previous;                                                                 \
        else                                                                                                           \
            (last) = (item)->previous;                                                                                 \
        (item)->next = (item)->previous = NULL;                                                                        \
    } while (0)

void core_adopt(core_t *core, port_t *port)
{
    APPEND(core->ports, core->last_port, port, next, previous);
    core->port_count++;
}

static void deactivate(core_t *core, port_t *port)
{
    if (!port->is_active)
        return;
    port->is_active = false;
    core->active_count--;
    REMOVE(core->active, core->last_active, port, next_active, previous_active);
}

static void unlist(core_t *core, port_t *port)
{
    REMOVE(core->ports, core->last_port, port, next, previous);
    core->port_count--;
    deactivate(core, port);
    core_set_timer(core, port, INT64_MAX);
}

static void free_closed(core_t *core)
{
    core->closed_count = 0;
    while (core->closed_ports) {
        port_t *port = core->closed_ports;
        core->closed_ports = port->next;
        port_free(port);
    }
    while (core->closed_mixers) {
        mixer_t *mixer = core->closed_mixers;
        core->closed_mixers = mixer->next;
        mixer_free(mixer);
    }
}

void core_sweep(core_t *core)
{
    if (!core->ticking && !core->threaded)
        free_closed(core);
}

/* The thread frees it when it wakes up by itself, to which it is driven only when much has come together. */
static void count_closed(core_t *core)
{
    if (++core->closed_count == MOST_CLOSED && core->threaded)
        core->wire->wake(core);
}

void core_forget(core_t *core, port_t *port)
{
    unlist(core, port);
    count_closed(core);
    port->next = core->closed_ports;
    core->closed_ports = port;
}

void core_adopt_mixer(core_t *core, mixer_t *mixer)
{
    APPEND(core->mixers, core->last_mixer, mixer, next, previous);
    core->mixer_count++;
}

static void deactivate_mixer(core_t *core, mixer_t *mixer)
{
    if (!mixer->is_active)
        return;
    mixer->is_active = false;
    REMOVE(core->active_mixers, core->last_active_mixer, mixer, next_active, previous_active);
}

static void unlist_mixer(core_t *core, mixer_t *mixer)
{
    REMOVE(core->mixers, core->last_mixer, mixer, next, previous);
    core->mixer_count--;
    deactivate_mixer(core, mixer);
}

void core_forget_mixer(core_t *core, mixer_t *mixer)
{
    unlist_mixer(core, mixer);
    mixer->next = core->closed_mixers;
    core->closed_mixers = mixer;
    count_closed(core);
}

/* The first work after idleness: the ticks in between were not late, they were not needed. */
static void rouse(core_t *core)
{
    int64_t tick = (core->wire->clock_ns(core) - core->epoch_ns) / TICK_NS;
    if (tick > core->tick)
        core->tick = tick;
    core->wire->wake(core);
}

static bool idle(const core_t *core) { return !core->active && !core->active_mixers; }

void core_activate(core_t *core, port_t *port)
{
    if (port->is_active || port->closed)
        return;
    bool was_idle = idle(core);
    port->is_active = true;
    core->active_count++;
    APPEND(core->active, core->last_active, port, next_active, previous_active);
    if (was_idle)
        rouse(core);
}

void core_activate_mixer(core_t *core, mixer_t *mixer)
{
    if (mixer->is_active || mixer->closed)
        return;
    bool was_idle = idle(core);
    mixer->is_active = true;
    APPEND(core->active_mixers, core->last_active_mixer, mixer, next_active, previous_active);
    if (was_idle)
        rouse(core);
}

/* -- timers: a binary heap by the port's earliest -- */

static void place_timer(core_t *core, int slot, port_t *port)
{
    core->timers[slot] = port;
    port->timer_slot = slot;
}

static void sift_up(core_t *core, int slot)
{
    port_t *port = core->timers[slot];
    while (slot > 0 && core->timers[(slot - 1) / 2]->timer_ns > port->timer_ns) {
        place_timer(core, slot, core->timers[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    place_timer(core, slot, port);
}

static void sift_down(core_t *core, int slot)
{
    port_t *port = core->timers[slot];
    for (;;) {
        int child = 2 * slot + 1;
        if (child >= core->timer_count)
            break;
        if (child + 1 < core->timer_count && core->timers[child + 1]->timer_ns < core->timers[child]->timer_ns)
            child++;
        if (core->timers[child]->timer_ns >= port->timer_ns)
            break;
        place_timer(core, slot, core->timers[child]);
        slot = child;
    }
    place_timer(core, slot, port);
}

static void remove_timer(core_t *core, port_t *port)
{
    int slot = port->timer_slot;
    port->timer_slot = -1;
    port_t *last = core->timers[--core->timer_count];
    if (last == port)
        return;
    place_timer(core, slot, last);
    sift_up(core, slot);
    sift_down(core, last->timer_slot);
}

static bool timer_room(core_t *core)
{
    if (core->timer_count < core->timer_room)
        return true;
    int room = core->timer_room ? 2 * core->timer_room : 64;
    port_t **timers = realloc(core->timers, (size_t)room * sizeof *timers);
    if (!timers)
        return false;
    core->timers = timers;
    core->timer_room = room;
    return true;
}

void core_set_timer(core_t *core, port_t *port, int64_t when_ns)
{
    if (when_ns == port->timer_ns && (port->timer_slot >= 0 || when_ns == INT64_MAX))
        return;
    port->timer_ns = when_ns;
    if (when_ns == INT64_MAX) {
        if (port->timer_slot >= 0)
            remove_timer(core, port);
        return;
    }
    if (port->timer_slot < 0) {
        if (!timer_room(core))
            return;
        place_timer(core, core->timer_count++, port);
    }
    sift_up(core, port->timer_slot);
    sift_down(core, port->timer_slot);
    if (core->timers[0] == port)
        core->wire->wake(core);
}

/* -- the clock -- */

int64_t core_deadline(const core_t *core)
{
    int64_t deadline = core->timer_count ? core->timers[0]->timer_ns : INT64_MAX;
    if (!idle(core)) {
        int64_t tick_at = core->epoch_ns + (core->tick + 1) * TICK_NS;
        if (tick_at < deadline)
            deadline = tick_at;
    }
    return deadline;
}

/* The ports or mixers that are active now: the lists change while they are gone through. */
static int gather(core_t *core, bool mixers)
{
    int count = 0;
    if (mixers)
        for (mixer_t *mixer = core->active_mixers; mixer; mixer = mixer->next_active)
            count++;
    else
        count = core->active_count;
    if (count > core->round_room) {
        void **round = realloc(core->round, (size_t)(count + 64) * sizeof *round);
        if (!round)
            return 0;
        core->round = round;
        core->round_room = count + 64;
    }
    int n = 0;
    if (mixers)
        for (mixer_t *mixer = core->active_mixers; mixer; mixer = mixer->next_active)
            core->round[n++] = mixer;
    else
        for (port_t *port = core->active; port; port = port->next_active)
            core->round[n++] = port;
    return n;
}

/* Commands go first: whoever waits for the lock gets it now. What is closed meanwhile stays in memory until the end. */
static void let_in(core_t *core, int done)
{
    if (done % PORTS_BETWEEN_COMMANDS != 0 || atomic_load_explicit(&core->waiting, memory_order_relaxed) == 0)
        return;
    pthread_mutex_unlock(&core->lock);
    const struct timespec moment = {.tv_nsec = 20000};
    sched_yield();
    for (; core->moments > 0 && atomic_load_explicit(&core->waiting, memory_order_relaxed) > 0; core->moments--)
        nanosleep(&moment, NULL); /* it may need this very processor */
    pthread_mutex_lock(&core->lock);
}

static void settle(core_t *core, int count)
{
    for (int n = 0; n < count; n++) {
        port_t *port = core->round[n];
        if (port->closed)
            continue;
        frame_set(&core->pool, &port->frame_in, NULL);
        frame_set(&core->pool, &port->frame_out, NULL);
        if (!port_busy(port))
            deactivate(core, port);
    }
}

static void run_tick(core_t *core, int64_t tick)
{
    core->moments = MOMENTS;
    int count = gather(core, false);
    for (int n = 0; n < count; n++) {
        port_t *port = core->round[n];
        if (!port->closed)
            port->kind->tick_in(port, tick);
        let_in(core, n);
    }
    count = gather(core, true);
    for (int n = 0; n < count; n++) {
        mixer_t *mixer = core->round[n];
        if (!mixer->closed)
            mixer_tick(mixer, tick);
    }
    for (mixer_t *mixer = core->active_mixers, *next; mixer; mixer = next) {
        next = mixer->next_active;
        if (!mixer_busy(mixer))
            deactivate_mixer(core, mixer);
    }
    count = gather(core, false);
    for (int n = 0; n < count; n++) {
        port_t *port = core->round[n];
        if (!port->closed)
            port->kind->tick_out(port, tick);
        if (!port->closed && (port->tapped || port_overheard(port)))
            port->kind->tick_taps(port, tick);
        let_in(core, n);
    }
    settle(core, count);
}

void core_run(core_t *core, int64_t now_ns)
{
    core->now_ns = now_ns;
    core->ticking = true;
    while (core->timer_count && core->timers[0]->timer_ns <= now_ns) {
        port_t *port = core->timers[0];
        core_set_timer(core, port, INT64_MAX);
        port->on_timer(port, now_ns);
    }
    int64_t tick = (now_ns - core->epoch_ns) / TICK_NS;
    if (!idle(core) && tick > core->tick) {
        core->late_ticks += tick - core->tick - 1;
        core->tick = tick;
        core->ticks++;
        int64_t began = core->wire->clock_ns(core);
        run_tick(core, tick);
        core->tick_ns += core->wire->clock_ns(core) - began;
    }
    core->ticking = false;
    free_closed(core);
}

/* -- moving -- */

typedef struct party {
    port_t **ports;
    int count, room;
} party_t;

static bool invited(const party_t *party, const port_t *port)
{
    for (int n = 0; n < party->count; n++)
        if (party->ports[n] == port)
            return true;
    return false;
}

static bool invite(party_t *party, port_t *port)
{
    if (!port || invited(party, port))
        return true;
    if (party->count == party->room) {
        int room = party->room ? 2 * party->room : 16;
        port_t **ports = realloc(party->ports, (size_t)room * sizeof *ports);
        if (!ports)
            return false;
        party->ports = ports;
        party->room = room;
    }
    party->ports[party->count++] = port;
    return true;
}

/* Everything that hears or is heard by the port: its mixer's members, its pipe's other end, snoops and snooped. */
static bool gather_party(party_t *party, port_t *port)
{
    bool complete = invite(party, port);
    for (int n = 0; complete && n < party->count; n++) {
        port_t *one = party->ports[n];
        for (port_t *member = one->mixer ? one->mixer->members : NULL; complete && member; member = member->member.next)
            complete = invite(party, member);
        for (port_t *snoop = one->snoops; complete && snoop; snoop = snoop->next_snoop)
            complete = invite(party, snoop);
        complete = complete && invite(party, port_partner(one));
    }
    return complete;
}

static void move_feed(core_t *to, feed_t *feed)
{
    if (feed && feed->music)
        feed->music = core_music(to, feed->music->id);
}

static void move_mixer(core_t *from, core_t *to, mixer_t *mixer)
{
    if (mixer->core == to)
        return;
    bool was_active = mixer->is_active;
    unlist_mixer(from, mixer);
    mixer->core = to;
    core_adopt_mixer(to, mixer);
    move_feed(to, mixer->generator);
    if (was_active)
        core_activate_mixer(to, mixer);
}

static void move_port(core_t *from, core_t *to, port_t *port)
{
    bool was_active = port->is_active;
    int64_t timer_ns = port->timer_ns;
    unlist(from, port);
    frame_queue_own(&from->pool, &port->whispers_in);
    frame_queue_own(&from->pool, &port->whispers_out);
    port->core = to;
    core_adopt(to, port);
    if (port->player)
        move_feed(to, &port->player->feed);
    move_feed(to, port->generator);
    for (recorder_t *recorder = port->recorders; recorder; recorder = recorder->next)
        recorder->core = to;
    if (port->mixer)
        move_mixer(from, to, port->mixer);
    if (port->kind->moved)
        port->kind->moved(port, from);
    core_set_timer(to, port, timer_ns);
    if (was_active)
        core_activate(to, port);
}

bool core_move(core_t *from, core_t *to, port_t *port)
{
    party_t party = {0};
    bool complete = gather_party(&party, port);
    for (int n = 0; complete && n < party.count; n++)
        move_port(from, to, party.ports[n]);
    free(party.ports);
    return complete;
}

/* -- the rest -- */

music_t *core_music(core_t *core, uint64_t id)
{
    for (music_t *music = core->music; music; music = music->next)
        if (music->id == id)
            return music;
    music_t *music = music_new(id);
    if (music) {
        music->next = core->music;
        core->music = music;
    }
    return music;
}

void core_close(core_t *core)
{
    free_closed(core);
    while (core->music) {
        music_t *music = core->music;
        core->music = music->next;
        music_free(music);
    }
    frame_pool_drain(&core->pool);
    free(core->round);
    free(core->timers);
    pthread_mutex_destroy(&core->lock);
}
