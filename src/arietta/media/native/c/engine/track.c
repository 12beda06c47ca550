#include "track.h"

#include <stdlib.h>

#include "core.h"

track_t *track_new(const uint8_t *data, int64_t size, int64_t repeat)
{
    track_t *track = malloc(sizeof *track + (size_t)size);
    if (!track)
        return NULL;
    atomic_init(&track->references, 1);
    track->size = size;
    track->repeat = repeat;
    memcpy(track->data, data, (size_t)size);
    return track;
}

void track_hold(track_t *track) { atomic_fetch_add_explicit(&track->references, 1, memory_order_relaxed); }

void track_release(track_t *track)
{
    if (track && atomic_fetch_sub_explicit(&track->references, 1, memory_order_acq_rel) == 1)
        free(track);
}

static const int host_rates[] = {8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000};
enum { HOST_RATES = sizeof host_rates / sizeof *host_rates };

int form_count(void) { return codec_count() + HOST_RATES; }

int form_of(const codec_t *codec)
{
    if (codec != codec_host(codec->rate))
        return codec->id;
    for (int n = 0; n < HOST_RATES; n++)
        if (host_rates[n] == codec->rate)
            return codec_count() + n;
    return codec_count();
}

const codec_t *form_codec(int form)
{
    return form < codec_count() ? codec_at(form) : codec_host(host_rates[form - codec_count()]);
}

static const uint8_t quiet[MAX_FRAME_BYTES];

static const uint8_t *silence_of(const codec_t *codec) { return codec->silence ? codec->silence : quiet; }

/* -- music -- */

enum { AHEAD_FRAMES = 100 }; /* the next piece is asked for so long before this one ends */

static bool piece_open(music_piece_t *piece, int forms)
{
    piece->tracks = calloc((size_t)forms, sizeof *piece->tracks);
    piece->asked = calloc((size_t)forms, sizeof *piece->asked);
    return piece->tracks && piece->asked;
}

static void piece_clear(music_piece_t *piece, int forms)
{
    for (int n = 0; piece->tracks && n < forms; n++) {
        track_release(piece->tracks[n]);
        piece->tracks[n] = NULL;
        piece->asked[n] = false;
    }
}

static void piece_close(music_piece_t *piece, int forms)
{
    piece_clear(piece, forms);
    free(piece->tracks);
    free(piece->asked);
}

music_t *music_new(uint64_t id)
{
    music_t *music = calloc(1, sizeof *music);
    if (!music)
        return NULL;
    music->id = id;
    music->at_tick = -1;
    music->forms = form_count();
    if (piece_open(&music->now, music->forms) && piece_open(&music->ahead, music->forms))
        return music;
    music_free(music);
    return NULL;
}

void music_free(music_t *music)
{
    piece_close(&music->now, music->forms);
    piece_close(&music->ahead, music->forms);
    free(music);
}

/* What was fetched ahead is now; what could not be is asked for again. */
static void next_piece(music_t *music)
{
    music_piece_t past = music->now;
    piece_clear(&past, music->forms);
    music->now = music->ahead;
    music->ahead = past;
    for (int n = 0; n < music->forms; n++)
        music->now.asked[n] = music->now.tracks[n] != NULL;
    music->piece++;
    music->offset = 0;
    music->heard = false;
}

void music_take(music_t *music, int64_t piece, const codec_t *codec, track_t *track)
{
    bool good = track && track->size > 0;
    if (piece == music->piece && !good)
        next_piece(music);
    music_piece_t *place = piece == music->piece ? &music->now : piece == music->piece + 1 ? &music->ahead : NULL;
    if (!place || !good)
        return;
    int form = form_of(codec);
    track_hold(track);
    track_release(place->tracks[form]);
    place->tracks[form] = track;
}

static void ask(core_t *core, music_t *music, music_piece_t *piece, int64_t number, int form)
{
    if (piece->asked[form])
        return;
    piece->asked[form] = true;
    event_put(core->events, EVENT_MUSIC, music->id, number, form | (int64_t)core->index << 32);
}

static void advance(music_t *music, int64_t tick)
{
    music->at_tick = tick;
    if (music->heard)
        music->offset++;
    music->heard = false;
}

const uint8_t *music_payload(core_t *core, music_t *music, int64_t tick, const codec_t *codec, int size)
{
    if (tick != music->at_tick)
        advance(music, tick);
    int form = form_of(codec);
    track_t *track = music->now.tracks[form];
    if (track && (music->offset + 1) * size > track->size) {
        next_piece(music);
        track = music->now.tracks[form];
    }
    if (!track || (music->offset + 1) * size > track->size) {
        ask(core, music, &music->now, music->piece, form);
        return silence_of(codec);
    }
    if ((music->offset + AHEAD_FRAMES) * size > track->size)
        ask(core, music, &music->ahead, music->piece + 1, form);
    music->heard = true;
    return track->data + music->offset * size;
}

/* -- feeds -- */

void feed_open(feed_t *feed, const codec_t *codec, int64_t offset_ms)
{
    memset(feed, 0, sizeof *feed);
    feed->codec = codec;
    feed->size = codec_bytes(codec, FRAME_MS);
    if (offset_ms > 0)
        feed->position = offset_ms / FRAME_MS * feed->size;
}

void feed_close(feed_t *feed)
{
    track_release(feed->track);
    feed->track = NULL;
    feed->music = NULL;
}

void feed_recode(feed_t *feed, const codec_t *codec)
{
    track_release(feed->track);
    feed->track = NULL;
    feed->position = feed->position / feed->size * codec_bytes(codec, FRAME_MS);
    feed->codec = codec;
    feed->size = codec_bytes(codec, FRAME_MS);
}

void feed_load(feed_t *feed, track_t *track)
{
    track_hold(track);
    track_release(feed->track);
    feed->track = track;
}

/* A frame that lies across the end of a repeating track, put together in the core's own memory. */
static const uint8_t *wrap(core_t *core, feed_t *feed)
{
    const track_t *track = feed->track;
    int filled = 0;
    while (filled < feed->size) {
        int64_t left = track->size - feed->position;
        int part = left < feed->size - filled ? (int)left : feed->size - filled;
        memcpy(core->wrap + filled, track->data + feed->position, (size_t)part);
        filled += part;
        feed->position += part;
        if (feed->position >= track->size && filled < feed->size)
            feed->position = track->repeat;
    }
    return core->wrap;
}

const uint8_t *feed_next(core_t *core, feed_t *feed, int64_t tick)
{
    const track_t *track = feed->track;
    if (feed->music)
        return music_payload(core, feed->music, tick, feed->codec, feed->size);
    if (!track)
        return NULL;
    if (feed->position + feed->size <= track->size) {
        const uint8_t *payload = track->data + feed->position;
        feed->position += feed->size;
        return payload;
    }
    if (track->repeat < 0 || track->repeat >= track->size)
        return NULL;
    if (feed->position >= track->size)
        feed->position = track->repeat;
    return wrap(core, feed);
}
