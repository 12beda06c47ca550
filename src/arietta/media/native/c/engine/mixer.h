/* Ports that hear each other. */
#ifndef ARIETTA_MIXER_H
#define ARIETTA_MIXER_H

#include "port.h"

typedef enum mixer_mode { MIXER_RELAY, MIXER_PAIR, MIXER_MIX, MIXER_HOLDING } mixer_mode_t;

/*
 * Another path has other delays, and its resamplers begin with nothing behind them. So it runs beside the old one for two
 * ticks: unheard in the first, in the second each listener's sound is faded over to it.
 */
typedef enum turn { TURN_NONE, TURN_WARMING, TURN_FADING } turn_t;

/* One conference, pair or holding room. */
typedef struct mixer {
    core_t *core;
    uint64_t id;
    bool closed, is_active, holding;
    bool pair; /* made by linking two ports: it ends when one of them leaves */
    mixer_mode_t mode;
    struct mixer *next, *previous, *next_active, *previous_active;
    port_t *members, *last_member;
    int member_count;
    port_t *offers, *last_offer; /* who spoke in this tick, in order */
    int offer_count;
    /* How members hear each other: mixed at a rate; 0: each hears the other's frames as they are. */
    int path, next_path;
    turn_t turn;           /* from path to next_path */
    int wide_rate;         /* that the mix has, because of what was offered */
    int64_t wide_until;    /* the tick that may lower it */
    int relay_rate;        /* of the two whose packets passed as they came, until the next tick; else 0 */
    int64_t settled;       /* the tick that may leave that rate: the two are heard by then */
    int64_t last_tick;
    bool kept_apart; /* somebody records its parties, each on a track */
    feed_t *generator;
    converter_t generator_converter, next_generator_converter;
} mixer_t;

mixer_t *mixer_new(core_t *core, bool holding, bool pair);
void mixer_free(mixer_t *mixer);
void mixer_generate(mixer_t *mixer, bool on);
void mixer_close(mixer_t *mixer);
void mixer_join(mixer_t *mixer, port_t *port, bool muted, bool announcer); /* of a port that is in no mixer */
void mixer_leave(mixer_t *mixer, port_t *port);
void mixer_update(mixer_t *mixer); /* choose the mode after anything that bears on it */
/* What a member received in this tick; holds the frame itself. */
void mixer_offer(mixer_t *mixer, port_t *port, frame_t *frame);
void mixer_tick(mixer_t *mixer, int64_t tick);
bool mixer_busy(const mixer_t *mixer);
void mixer_digit_began(mixer_t *mixer, port_t *speaker, char digit);
void mixer_digit_ended(mixer_t *mixer, port_t *speaker, char digit, int64_t duration_ms);

#endif
