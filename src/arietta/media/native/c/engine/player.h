/* One source being played on one port. */
#ifndef ARIETTA_PLAYER_H
#define ARIETTA_PLAYER_H

#include "track.h"

struct port;

typedef enum play_end { PLAY_DONE, PLAY_STOPPED, PLAY_FAILED, PLAY_CLOSED } play_end_t;

/* Lives until it ended; its owner's id for it is then told with EVENT_PLAY_END and means nothing any more. */
typedef struct player {
    uint64_t id;
    struct port *port;
    feed_t feed;
    int64_t elapsed_ms;
    bool paused;
    bool failed; /* the track could not be read: it ends so at the next tick */
} player_t;

player_t *player_new(struct port *port, uint64_t id, const codec_t *codec, int64_t offset_ms);
/* The payload of this tick; at the end it tells so and leaves its port (the player is gone then). */
const uint8_t *player_next(player_t *player, int64_t tick);
void player_finish(player_t *player, play_end_t reason);
int64_t player_position_ms(const player_t *player);
void player_restart(player_t *player);
void player_skip(player_t *player, int64_t ms);

#endif
