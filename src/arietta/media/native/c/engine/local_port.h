/* Ports whose far end is in this process: pipes, streams of the owner, snoops, a mixer's own. */
#ifndef ARIETTA_LOCAL_PORT_H
#define ARIETTA_LOCAL_PORT_H

#include "mixer.h"

extern const port_kind_t pipe_kind, snoop_kind, mix_kind, stream_kind;

enum { MOST_UNREAD = 100 }; /* frames for the owner that it did not take yet; older ones are dropped */

/* A port that is given whole frames. */
typedef struct inbox_port {
    port_t base;
    frame_queue_t inbox;
    bool started;
} inbox_port_t;

/* One of two crossed ends. */
typedef struct pipe_port {
    inbox_port_t inbox;
    struct pipe_port *peer;
} pipe_port_t;

/* Hears what another port receives and sends; whispers into it. */
typedef struct snoop_port {
    inbox_port_t inbox;
    port_t *target;
    side_t spy, whisper;
    converter_t converters[2];
} snoop_port_t;

/* A port whose far end is the engine's owner. */
typedef struct stream_port {
    port_t base;
    stream_t stream;
    bool tells_digits; /* digits that are sent are told; else they are tones */
    bool started;
    uint8_t *buffer; /* pushed and not heard yet: a ring */
    int room, head, held;
    int size;  /* bytes of a tick */
    int tries; /* ticks for which a last short piece was held back */
    int64_t dropped_ms; /* pushed out unheard by what came later */
    struct unread {
        int size;
        uint8_t *data;
    } unread[MOST_UNREAD]; /* sent and not taken yet: a ring whose buffers are kept */
    int unread_head, unread_count;
    int64_t unread_dropped;
} stream_port_t;

bool pipe_open(core_t *core, port_t *ends[2]);
port_t *snoop_open(core_t *core, port_t *target, side_t spy, side_t whisper);
port_t *mix_port_open(mixer_t *mixer);
port_t *stream_open(core_t *core, const codec_t *codec, int buffer_ms, bool tells_digits);

/* The target's tick, and its end. */
void snoop_overhear(port_t *snoop, frame_t *received, frame_t *sent);
void snoop_target_closed(port_t *snoop);
/* A mixer's port plays or records, so it counts as a member. */
bool mix_port_working(const port_t *port);
int mix_port_heard_rate(const port_t *port);

/* What does not fit pushes out the oldest, in whole ticks; that is counted. */
void stream_push(port_t *port, const uint8_t *data, int size);
void stream_flush(port_t *port);
int stream_buffered_ms(const port_t *port);
int64_t stream_dropped_ms(const port_t *port);
void stream_digit(port_t *port, char digit, int duration_ms);
/* The oldest frame not taken yet: a pointer valid until the next call; NULL when none. */
const uint8_t *stream_take(port_t *port, int *size);

#endif
