/* One shard: ports and mixers on one clock, under one lock. It has no thread of its own (see shard.h). */
#ifndef ARIETTA_CORE_H
#define ARIETTA_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base.h"
#include "event.h"
#include "frame.h"
#include "track.h"

struct port;
struct mixer;
struct rtp_port;

typedef struct settings {
    bool strict_rtp;
    int probation;
    int64_t relearn_ns;
    int loudest; /* members that a mix hears at a time; 0: all */
    int64_t rtcp_interval_ns;
    int64_t digit_silence_ns; /* after which a digit whose packets stop coming has ended */
    bool checksums;           /* of UDP, over IPv4 */
    bool takes_replays;       /* of SRTP */
} settings_t;

/* Where datagrams go: sockets, or a test's virtual network. */
typedef struct wire {
    /* False when it cannot be sent now. */
    bool (*send)(struct core *core, struct rtp_port *port, bool control, const uint8_t *data, int size,
                 const address_t *target);
    void (*listen)(struct core *core, struct rtp_port *port);   /* hand what arrives to rtp_port_receive from now on */
    void (*unlisten)(struct core *core, struct rtp_port *port); /* no more, and close it */
    void (*urgent)(struct core *core, struct rtp_port *port, bool urgent); /* its packets are passed on as they come */
    void (*mark)(struct core *core, struct rtp_port *port); /* its packets are of other classes of traffic now */
    void (*moved)(struct core *to, struct rtp_port *port, struct core *from); /* the port is another shard's now */
    void (*wake)(struct core *core); /* the next deadline may have come nearer */
    int64_t (*clock_ns)(struct core *core);
} wire_t;

typedef struct core {
    pthread_mutex_t lock;
    atomic_int waiting; /* commands that want the lock: a tick lets them in between two ports */
    const wire_t *wire;
    void *wire_state; /* the wire's own */
    event_queue_t *events;
    atomic_uint_fast64_t *next_id; /* of the engine: ids are never used twice */
    settings_t settings;

    int64_t now_ns, epoch_ns, wall_offset_ns;
    int64_t tick;
    char cname[24];
    int index;     /* which shard of its engine */
    bool threaded; /* a thread frees what was closed, once it holds no event of it any more */

    /* All ports and mixers, and those that need the next tick, in the order in which they came. */
    struct port *ports, *last_port;
    struct port *active, *last_active;
    struct mixer *mixers, *last_mixer;
    struct mixer *active_mixers, *last_active_mixer;
    int port_count, mixer_count, active_count;
    struct port *closed_ports;     /* freed when no tick is under way */
    struct mixer *closed_mixers;
    int closed_count;              /* of both */
    bool ticking;
    int moments; /* pauses that this tick may still make for commands */
    void **round; /* what this part of the tick goes through */
    int round_room;

    struct port **timers; /* a heap by port->timer_ns */
    int timer_count, timer_room;

    music_t *music;
    frame_pool_t pool;
    uint8_t wrap[MAX_FRAME_BYTES]; /* where a track that repeats is pieced together */

    int64_t ticks, late_ticks, tick_ns; /* tick_ns: time spent in ticks */
    int64_t packets_sent, packets_received, packets_dropped, send_errors;
    int64_t packets_lost; /* of sources that are gone; rtp_port_lost has those of the others */
} core_t;

bool core_open(core_t *core, const wire_t *wire, void *wire_state, event_queue_t *events,
               atomic_uint_fast64_t *next_id, const settings_t *settings, int64_t epoch_ns);
/* Everything in it must have been closed before. */
void core_close(core_t *core);

void core_lock(core_t *core);
void core_unlock(core_t *core);

static inline uint64_t core_new_id(core_t *core) { return atomic_fetch_add(core->next_id, 1); }

/* When core_run is to be called next; INT64_MAX: not before a packet or a command. */
int64_t core_deadline(const core_t *core);
/* Does what is due: timers, and one tick at most. Ticks whose time has passed are counted and skipped. Lock held. */
void core_run(core_t *core, int64_t now_ns);

/* Frees what was closed, unless a tick is under way or a thread will do it; after commands that close. */
void core_sweep(core_t *core);

/* For its parts, the lock held. */
void core_adopt(core_t *core, struct port *port);
void core_forget(core_t *core, struct port *port); /* closed: freed when no tick is under way */
void core_adopt_mixer(core_t *core, struct mixer *mixer);
void core_forget_mixer(core_t *core, struct mixer *mixer);
void core_activate(core_t *core, struct port *port);
void core_activate_mixer(core_t *core, struct mixer *mixer);
/* The port's earliest timer changed; INT64_MAX: none. */
void core_set_timer(core_t *core, struct port *port, int64_t when_ns);
music_t *core_music(core_t *core, uint64_t id);
/*
 * Moves everything that hears or is heard by the port to another shard; false without memory, and nothing moved. Both
 * locks held, no tick under way in either.
 */
bool core_move(core_t *from, core_t *to, struct port *port);

#endif
