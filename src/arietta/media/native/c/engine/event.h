/* What the engine tells its owner: facts in order, from any shard, taken by one reader. */
#ifndef ARIETTA_EVENT_H
#define ARIETTA_EVENT_H

#include <pthread.h>

#include "base.h"

typedef enum event_kind {
    EVENT_MEDIA_STARTED,
    EVENT_MEDIA_STOPPED, /* a: silence in ms */
    EVENT_DIGIT_BEGAN,   /* a: digit */
    EVENT_DIGIT_ENDED,   /* a: digit, b: ms */
    EVENT_TALK_STARTED,
    EVENT_TALK_STOPPED,  /* a: ms */
    EVENT_TONE,          /* a: Hz */
    EVENT_PLAY_END,      /* of a player; a: play_end, b: position in ms */
    EVENT_DIGITS_SENT,   /* a: token */
    EVENT_FRAMES,        /* a stream has frames for its far end */
    EVENT_STREAM_DIGIT,  /* a: digit, b: ms */
    EVENT_RECORD_FULL,   /* of a recorder: bytes wait to be written */
    EVENT_RECORD_END,    /* of a recorder; a: record_end, b: duration << 32 | silence in ms */
    EVENT_MUSIC,         /* of a music: a: piece, b: form that is wanted */
    EVENT_POSTED,        /* the owner's own, in order with the others; a, b as given */
    EVENT_DIED,          /* of a shard; a: errno */
    EVENT_RECORD_CROWDED, /* of a recorder: a party came when all tracks were taken */
    EVENT_PACKETS,       /* of an RTP port: datagrams for its owner wait */
    EVENT_REPORTS,       /* of an RTP port: reports that its owner wants to see wait */
    EVENT_CODEC,         /* of an RTP port: another codec comes than is sent; a: payload type */
    EVENT_HEADS,         /* of an RTP port: headers that its owner wants to see wait */
} event_kind_t;

typedef struct event {
    int32_t kind;
    uint64_t subject; /* the id of the port, player, recorder or music */
    int64_t a, b;
} event_t;

enum { MOST_EVENTS = 1 << 18 }; /* beyond it, what is not an end is dropped and counted */

typedef struct event_queue {
    pthread_mutex_t lock;
    int signal; /* eventfd that becomes readable; -1: nobody waits on one */
    event_t *events;
    int count, room;
    int64_t dropped;
} event_queue_t;

bool event_queue_open(event_queue_t *queue, int signal);
void event_queue_close(event_queue_t *queue);
void event_put(event_queue_t *queue, event_kind_t kind, uint64_t subject, int64_t a, int64_t b);
/* All that wait, for the caller to free; NULL when none. */
event_t *event_take_all(event_queue_t *queue, int *count);

#endif
