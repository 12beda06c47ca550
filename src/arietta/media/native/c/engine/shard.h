/* A core with a thread and sockets of the system; nothing about calls is decided here. */
#ifndef ARIETTA_SHARD_H
#define ARIETTA_SHARD_H

#include <sys/socket.h>

#include "core.h"
#include "rtp_port.h"

typedef struct shard {
    core_t core;
    int epoll; /* urgent sockets, the alarm, and the calm epoll while it may wake the thread */
    int calm;  /* sockets that may wait for the next tick */
    int alarm; /* eventfd: the next deadline may have come nearer */
    struct wire_end **ends; /* of the sockets this shard reads, by descriptor; touched under the core's lock */
    int end_room;
    bool calm_wakes;
    int64_t look_at_ns, last_calm_ns; /* when the calm ones are looked at while they may not wake the thread */
    int64_t check_at_ns; /* and while they may: an epoll that broke wakes nobody */
    pthread_t thread;
    bool joinable;
    atomic_bool running; /* cleared to end the thread */
    atomic_bool alive;   /* cleared by the thread at its end */
    int failure;         /* errno it died of */
} shard_t;

bool shard_open(shard_t *shard, event_queue_t *events, atomic_uint_fast64_t *next_id, const settings_t *settings,
                int64_t epoch_ns);
/* Starts its thread, also again after it died; an errno. */
int shard_start(shard_t *shard);
/* Ends the thread and waits for it. */
void shard_stop(shard_t *shard);
void shard_close(shard_t *shard);

/* A bound pair of UDP sockets at port and port + 1; 0, or an errno (EADDRINUSE, EACCES: one is taken). */
int shard_bind_pair(const char *host, int port, bool checksums, int sockets[2]);
int64_t shard_clock_ns(void);
/* Numeric host and port; false when it is none. */
bool address_parse(address_t *address, const char *host, int port);

#endif
