/* One file being recorded from one port: samples gathered for somebody else to write. */
#ifndef ARIETTA_RECORDER_H
#define ARIETTA_RECORDER_H

#include "frame.h"
#include "party_tracks.h"

struct port;

typedef enum record_end {
    RECORD_STOPPED,
    RECORD_CANCELLED,
    RECORD_MAX_DURATION,
    RECORD_MAX_SILENCE,
    RECORD_CLOSED,
    RECORD_FAILED,
} record_end_t;

typedef struct record_options {
    int rate;
    int side;              /* side_t */
    bool tracks;           /* whatever the side: two channels, what was received and what was sent; of a mix one a party */
    bool wait;             /* do not begin before recorder_begin: a beep is being played */
    int64_t max_duration_ms, max_silence_ms;
    int silence_threshold;
} record_options_t;

enum { MOST_CHUNK_MS = 120000 }; /* recorded sound that may wait for the disk; more fails the recording */

/* Lives until its owner has taken what is left of it (recorder_free). */
typedef struct recorder {
    struct recorder *next; /* of its port */
    uint64_t id;
    struct core *core;     /* whose lock guards it */
    struct port *port;     /* NULL once it ended */
    record_options_t options;
    converter_t converters[3];
    party_tracks_t *parties; /* NULL: it does not keep the parties of a mix apart */
    int channels;            /* of samples; they become more with the parties */
    int16_t *samples; /* gathered and not taken yet; of tracks one by one in turns */
    int64_t count, room;
    bool told;        /* EVENT_RECORD_FULL is under way */
    bool paused, muted, started;
    int64_t duration_ms, silence_ms, silent_run_ms;
} recorder_t;

recorder_t *recorder_new(struct port *port, uint64_t id, const record_options_t *options);
void recorder_free(recorder_t *recorder);
void recorder_tick(recorder_t *recorder, frame_t *received, frame_t *sent);
/* Of one that keeps parties apart: a member of the mix gets a track, unless it has one or all are taken. */
void recorder_admit(recorder_t *recorder, const struct port *party);
/* What a member says in this tick, before recorder_tick; holds the frame itself. */
void recorder_hear(recorder_t *recorder, const struct port *party, frame_t *frame);
/* Ends it once: leaves the port and tells EVENT_RECORD_END. */
void recorder_finish(recorder_t *recorder, record_end_t reason);
/* The samples gathered so far, in recorder->channels, for the caller to free; NULL when none. */
int16_t *recorder_take(recorder_t *recorder, int64_t *count);

#endif
