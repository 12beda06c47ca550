#include "player.h"

#include <stdlib.h>

#include "port.h"

player_t *player_new(port_t *port, uint64_t id, const codec_t *codec, int64_t offset_ms)
{
    player_t *player = calloc(1, sizeof *player);
    if (!player)
        return NULL;
    player->id = id;
    player->port = port;
    feed_open(&player->feed, codec, offset_ms);
    return player;
}

const uint8_t *player_next(player_t *player, int64_t tick)
{
    if (player->paused)
        return NULL;
    if (player->failed) {
        player_finish(player, PLAY_FAILED);
        return NULL;
    }
    const uint8_t *payload = feed_next(player->port->core, &player->feed, tick);
    if (payload)
        player->elapsed_ms += FRAME_MS;
    else if (!feed_loading(&player->feed))
        player_finish(player, PLAY_DONE);
    return payload;
}

void player_finish(player_t *player, play_end_t reason)
{
    port_t *port = player->port;
    event_put(port->core->events, EVENT_PLAY_END, player->id, reason, player_position_ms(player));
    if (port->player == player) {
        port->player = NULL;
        if (!port->closed)
            port_changed(port);
    }
    feed_close(&player->feed);
    free(player);
}

int64_t player_position_ms(const player_t *player)
{
    const track_t *track = player->feed.track;
    if (!track || track->repeat >= 0)
        return player->elapsed_ms;
    int64_t position = player->feed.position < track->size ? player->feed.position : track->size;
    return position * player->feed.codec->frame_ms / player->feed.codec->frame_bytes;
}

void player_restart(player_t *player)
{
    player->feed.position = 0;
    player->elapsed_ms = 0;
}

static int64_t not_negative(int64_t value) { return value > 0 ? value : 0; }

void player_skip(player_t *player, int64_t ms)
{
    feed_t *feed = &player->feed;
    const track_t *track = feed->track;
    if (!track)
        return;
    int64_t frames = (ms + (ms < 0 ? -FRAME_MS / 2 : FRAME_MS / 2)) / FRAME_MS;
    feed->position = not_negative(feed->position + frames * feed->size);
    player->elapsed_ms = not_negative(player->elapsed_ms + frames * FRAME_MS);
    if (track->repeat < 0) {
        if (feed->position > track->size)
            feed->position = track->size;
    } else if (feed->position >= track->size) {
        int64_t span = track->size - track->repeat;
        feed->position = track->repeat + (feed->position - track->repeat) % (span > 0 ? span : 1);
    }
}
