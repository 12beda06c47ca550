/* Encoded sound that is played: shared tracks, positions on them, music that all its listeners share. */
#ifndef ARIETTA_TRACK_H
#define ARIETTA_TRACK_H

#include <stdatomic.h>

#include "base.h"
#include "codec.h"

/* Sound of one codec (or of host samples), whole frames unless it repeats. Immutable; counted references from any thread. */
typedef struct track {
    atomic_int references;
    int64_t size;
    int64_t repeat; /* offset where it goes on after its end; -1: it ends */
    uint8_t data[];
} track_t;

track_t *track_new(const uint8_t *data, int64_t size, int64_t repeat); /* a copy; NULL without memory */
void track_hold(track_t *track);
void track_release(track_t *track); /* NULL is fine */

/* A piece of music in the forms that listeners need: codecs, behind them host samples by rate. */
typedef struct music_piece {
    track_t **tracks;
    bool *asked;
} music_piece_t;

/* A class's pieces one after the other, for ever. The owner fetches them as they are asked for, a little ahead. */
typedef struct music {
    uint64_t id;
    struct music *next;
    int64_t piece;  /* counted from the beginning of the stream */
    int64_t offset; /* frames into it */
    int64_t at_tick;
    bool heard;     /* somebody got some of it in this tick: its place goes on */
    music_piece_t now, ahead;
    int forms;
} music_t;

struct core;

music_t *music_new(uint64_t id);
void music_free(music_t *music);
/* A piece arrived; NULL track: it cannot be read, the next one is asked for. */
void music_take(music_t *music, int64_t piece, const codec_t *codec, track_t *track);
/* What all hear at this tick: a pointer into the track, or silence. */
const uint8_t *music_payload(struct core *core, music_t *music, int64_t tick, const codec_t *codec, int size);

/* A position on a track, or a listener of music. */
typedef struct feed {
    uint64_t id;      /* by which its owner knows it */
    const codec_t *codec;
    int size;         /* bytes of one tick */
    track_t *track;   /* NULL while it is being read */
    int64_t position; /* of the next frame, in bytes */
    music_t *music;   /* of the shard; NULL: a track */
} feed_t;

void feed_open(feed_t *feed, const codec_t *codec, int64_t offset_ms);
void feed_close(feed_t *feed);
/* Another codec: the position in time stays, the track has to be fetched anew. */
void feed_recode(feed_t *feed, const codec_t *codec);
/* Takes a reference of its own. */
void feed_load(feed_t *feed, track_t *track);
static inline bool feed_loading(const feed_t *feed) { return !feed->track && !feed->music; }
/* The payload of this tick, valid until the next call on this shard; NULL at the end or while loading. */
const uint8_t *feed_next(struct core *core, feed_t *feed, int64_t tick);
/* Which slot of a music's tracks a codec has. */
int form_of(const codec_t *codec);
const codec_t *form_codec(int form);
int form_count(void);

/* The codec in whose bytes sound for a port of that codec is kept: varying frames are encoded per listener. */
static inline const codec_t *feed_codec(const codec_t *codec)
{
    return codec->frame_bytes > 0 ? codec : codec_host(codec->rate);
}

#endif
