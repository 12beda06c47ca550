/* What all kinds of ports have in common: what they send, who listens to them. */
#ifndef ARIETTA_PORT_H
#define ARIETTA_PORT_H

#include "core.h"
#include "detect.h"
#include "digit_sender.h"
#include "player.h"
#include "recorder.h"

typedef enum side { SIDE_NONE, SIDE_IN, SIDE_OUT, SIDE_BOTH } side_t;

typedef struct port port_t;

/* One kind of port: where its audio comes from and goes to. */
typedef struct port_kind {
    size_t size;
    void (*tick_in)(port_t *port, int64_t tick);
    void (*tick_out)(port_t *port, int64_t tick);
    void (*tick_taps)(port_t *port, int64_t tick);
    frame_t *(*pull)(port_t *port, int64_t tick); /* what was received for this tick: a reference, or NULL */
    bool (*waiting)(const port_t *port);          /* something received waits */
    void (*discard)(port_t *port);                /* forget what waits: nobody listens any more */
    void (*send_payload)(port_t *port, const uint8_t *payload, int size, int64_t tick); /* 20 ms in its codec */
    void (*send_frame)(port_t *port, frame_t *frame, int64_t tick);                     /* a frame of any codec */
    /* One tick of a digit: elapsed 0 begins it; a duration (else -1) is given at its end, once. Whether it took the tick. */
    bool (*digit_out)(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick);
    void (*pass_digit_began)(port_t *port, char digit);
    port_t *(*partner)(const port_t *port);       /* what it is tied to besides its mixer and snoops; NULL: nothing */
    void (*moved)(port_t *port, core_t *from);    /* it belongs to another shard now; NULL: that is all the same */
    void (*release)(port_t *port); /* it was closed: give back what the kind holds */
    void (*destroy)(port_t *port); /* no frame of it is left: its decoders may go; NULL: it has none */
} port_kind_t;

/* One leg's audio. Each tick the core calls tick_in, then its mixer, then tick_out and tick_taps. */
struct port {
    const port_kind_t *kind;
    core_t *core;
    uint64_t id;
    bool closed, is_active, echo, muted_in, muted_out, passes_digits;
    bool hearing; /* somebody wants what it receives */
    bool tapped;  /* somebody wants frame_in and frame_out at the end of the tick */
    double volume_in, volume_out; /* what samples are multiplied with; 1 leaves frames as they are */

    port_t *next, *previous; /* of the core's ports */
    port_t *next_active, *previous_active;
    int64_t timer_ns; /* its earliest timer */
    int timer_slot;   /* in the core's heap; -1: in none */
    void (*on_timer)(port_t *port, int64_t now_ns);

    const codec_t *codec; /* of what it sends */
    void *encoder;        /* state of it; NULL for stateless ones */
    stream_t played;      /* decodes what is played for those who overhear it, in codecs with a memory */
    converter_t converter;
    player_t *player;
    feed_t *generator;
    digit_sender_t *digits;
    recorder_t *recorders;
    talk_detector_t *talk;
    tone_detector_t *tone_in, *tone_out;
    inband_digits_t *inband;
    port_t *snoops, *next_snoop;
    frame_queue_t whispers_in, whispers_out;
    converter_t whisper_converters[2];

    struct mixer *mixer;
    struct member {
        bool muted, announcer;
        converter_t converter;
        frame_t *offer; /* what it received in this tick, for the mixer */
        frame_t *said;  /* the same at the rate of the mix, while that is made */
        /* While the mixer turns to another path: its converters as speaker and as listener there, and what it hears. */
        converter_t next_converter, next_hearing;
        frame_t *upcoming;
        port_t *next, *previous, *next_offer;
        int64_t energy;
    } member;

    frame_t *incoming;  /* what the mixer gave it in this tick */
    frame_t *frame_in;  /* what it received in this tick */
    frame_t *frame_out; /* what it sent in this tick; only kept while somebody listens */
};

/* A port of a kind, adopted by the core; NULL without memory. */
port_t *port_new(core_t *core, const port_kind_t *kind, const codec_t *codec);
void port_free(port_t *port); /* the core's, once it is closed */

/* Commands, the core's lock held. */
player_t *port_play(port_t *port, uint64_t id, int64_t offset_ms);
void port_generate(port_t *port, bool on);
bool port_send_digit(port_t *port, char digit, int duration_ms, int gap_ms);
bool port_mark_digits(port_t *port, uint64_t token);
int port_digit_room(const port_t *port);
void port_mute(port_t *port, int incoming, int outgoing); /* -1 leaves it as it is */
void port_volume(port_t *port, side_t side, double factor); /* SIDE_IN or SIDE_OUT */
void port_link(port_t *port, struct mixer *mixer, bool muted, bool announcer); /* NULL ends it */
void port_echo(port_t *port, bool on);
bool port_detect_talk(port_t *port, int threshold, int silence_ms); /* threshold -1 ends it; false without memory */
bool port_detect_tone(port_t *port, side_t side, int frequency_hz, int duration_ms, int repeats); /* 0 Hz ends it */
bool port_detect_digits(port_t *port, bool on);
void port_close(port_t *port);

/* The tick, as every kind does it unless it knows better. */
void port_tick_in(port_t *port, int64_t tick);
void port_tick_out(port_t *port, int64_t tick);
void port_tick_taps(port_t *port, int64_t tick);
bool port_busy(const port_t *port);
/* The rate at which it uses what its mixer gives; 0: any. */
int port_heard_rate(const port_t *port);
/* The frame at a rate, by the port's converter; takes the reference and gives one, NULL without memory. */
frame_t *port_converted(port_t *port, frame_t *frame, int rate);
void port_send_payload(port_t *port, const uint8_t *payload, int size, int64_t tick);
void port_send_frame(port_t *port, frame_t *frame, int64_t tick);
bool port_digit_out(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick);
void port_pass_digit_began(port_t *port, char digit);

/* From its parts. */
void port_tell(port_t *port, event_kind_t kind, int64_t a, int64_t b);
void port_changed(port_t *port); /* work out who listens, after any command */
bool port_overheard(const port_t *port); /* somebody but the link listens */
static inline bool port_is_plain(const port_t *port) { return port->volume_in == 1 && port->volume_out == 1; }
static inline port_t *port_partner(const port_t *port)
{
    return port->kind->partner ? port->kind->partner(port) : NULL;
}
bool port_occupied(const port_t *port);  /* it has something better to send than its link */
bool port_use_codec(port_t *port, const codec_t *codec);
void port_digit_began(port_t *port, char digit);
void port_digit_ended(port_t *port, char digit, int64_t duration_ms);
void port_pass_digit_ended(port_t *port, char digit, int64_t duration_ms);
void port_detect(port_t *port, frame_t *frame);
void port_send_tapped(port_t *port, frame_t *frame, int64_t tick); /* takes the reference; NULL: whispers alone */
/* In its own codec, in scratch or in the frame. */
const uint8_t *port_encoded(port_t *port, frame_t *frame, uint8_t scratch[MAX_FRAME_BYTES], int *size);

#endif
