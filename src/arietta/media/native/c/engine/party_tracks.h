/* The tracks of a recording that keeps the parties of a mix apart, in the order in which they came. */
#ifndef ARIETTA_PARTY_TRACKS_H
#define ARIETTA_PARTY_TRACKS_H

#include "frame.h"

enum { MOST_PARTIES = 16 }; /* writers.py's MOST_TRACKS */

typedef struct party_track {
    uint64_t port; /* whose it is, also after it left; ids are never used twice */
    converter_t converter;
    frame_t *frame; /* what the party said in this tick: a reference; NULL: nothing */
} party_track_t;

/* All zero has no tracks. The recorder's, under the lock of its core. */
typedef struct party_tracks {
    int count;
    bool crowded; /* a party came when all were taken: that is told once */
    party_track_t track[MOST_PARTIES];
} party_tracks_t;

/* The party's track; NULL when it has none. */
party_track_t *party_track_of(party_tracks_t *tracks, uint64_t port);
/* One more at the end; NULL when all are taken. */
party_track_t *party_track_add(party_tracks_t *tracks, uint64_t port);
void party_tracks_forget(party_tracks_t *tracks, frame_pool_t *pool); /* what was said in this tick */
void party_tracks_free(party_tracks_t *tracks);                       /* forgotten before; NULL is fine */

#endif
