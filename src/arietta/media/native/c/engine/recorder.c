#include "recorder.h"

#include <stdlib.h>

#include "local_port.h"

enum { CHUNK_MS = 2000 }; /* so much is written at a time */

recorder_t *recorder_new(port_t *port, uint64_t id, const record_options_t *options)
{
    recorder_t *recorder = calloc(1, sizeof *recorder);
    if (!recorder)
        return NULL;
    recorder->id = id;
    recorder->core = port->core;
    recorder->port = port;
    recorder->options = *options;
    recorder->started = !options->wait;
    recorder->channels = options->tracks && port->kind != &mix_kind ? 2 : 1;
    if (options->tracks && port->kind == &mix_kind) {
        recorder->parties = calloc(1, sizeof *recorder->parties);
        if (!recorder->parties) {
            free(recorder);
            return NULL;
        }
    }
    return recorder;
}

void recorder_free(recorder_t *recorder)
{
    for (int n = 0; n < 3; n++)
        converter_close(&recorder->converters[n]);
    party_tracks_free(recorder->parties);
    free(recorder->samples);
    free(recorder);
}

/* The frame this recorder hears: a reference. */
static frame_t *heard(recorder_t *recorder, frame_t *received, frame_t *sent)
{
    switch (recorder->options.side) {
    case SIDE_IN:
        return frame_hold(received);
    case SIDE_OUT:
        return frame_hold(sent);
    default:
        return frame_mixed(&recorder->port->core->pool, frame_hold(received), frame_hold(sent),
                           recorder->options.rate, recorder->converters);
    }
}

/* Samples of so much time, in all channels. */
static int64_t samples_of(const recorder_t *recorder, int ms)
{
    return (int64_t)recorder->options.rate * ms / 1000 * recorder->channels;
}

/* Room for one more tick: a chunk at first, doubled while nobody takes it. */
static int16_t *room_for(recorder_t *recorder, int count)
{
    if (recorder->count + count > recorder->room) {
        int64_t room = recorder->room ? 2 * recorder->room : samples_of(recorder, CHUNK_MS + FRAME_MS);
        if (recorder->room > samples_of(recorder, MOST_CHUNK_MS))
            return NULL;
        int16_t *samples = realloc(recorder->samples, (size_t)room * sizeof *samples);
        if (!samples)
            return NULL;
        recorder->samples = samples;
        recorder->room = room;
    }
    return recorder->samples + recorder->count;
}

static void count_silence(recorder_t *recorder, bool loud)
{
    if (loud) {
        recorder->silent_run_ms = 0;
        return;
    }
    recorder->silence_ms += FRAME_MS;
    recorder->silent_run_ms += FRAME_MS;
}

/* Puts the frame's samples, cut or filled to a tick, into one channel; whether they are loud. */
static bool put(recorder_t *recorder, converter_t *converter, frame_t *frame, int16_t *place, int size)
{
    int16_t scratch[MAX_FRAME_SAMPLES + 8];
    int count = 0;
    const int16_t *samples = scratch;
    if (frame && !recorder->muted)
        samples = converter_samples(converter, frame, recorder->options.rate, scratch, &count);
    bool loud = count > 0 && level(samples, count) >= recorder->options.silence_threshold;
    int channels = recorder->channels;
    for (int n = 0; n < size; n++)
        place[n * channels] = n < count ? samples[n] : 0;
    return loud;
}

/* One tick of each party; whether one of them is loud. */
static bool append_parties(recorder_t *recorder, int16_t *place, int size)
{
    party_tracks_t *parties = recorder->parties;
    bool loud = false;
    memset(place, 0, (size_t)size * (size_t)recorder->channels * sizeof *place);
    for (int n = 0; n < parties->count; n++) {
        party_track_t *track = &parties->track[n];
        if (track->frame && put(recorder, &track->converter, track->frame, place + n, size))
            loud = true;
    }
    return loud;
}

/* One tick of what this recorder hears; whether it is loud. */
static bool append(recorder_t *recorder, frame_t *received, frame_t *sent, int16_t *place, int size)
{
    converter_t *converters = recorder->converters;
    if (recorder->parties)
        return append_parties(recorder, place, size);
    if (recorder->options.tracks) {
        bool loud = put(recorder, &converters[0], received, place, size);
        return put(recorder, &converters[1], sent, place + 1, size) || loud;
    }
    frame_t *frame = heard(recorder, received, sent);
    bool loud = put(recorder, &converters[2], frame, place, size);
    frame_release(&recorder->port->core->pool, frame);
    return loud;
}

static void take_tick(recorder_t *recorder, frame_t *received, frame_t *sent)
{
    const record_options_t *options = &recorder->options;
    int size = options->rate / 50, count = size * recorder->channels;
    int16_t *place = room_for(recorder, count);
    if (!place) {
        recorder_finish(recorder, RECORD_FAILED);
        return;
    }
    count_silence(recorder, append(recorder, received, sent, place, size));
    recorder->count += count;
    recorder->duration_ms += FRAME_MS;
    if (!recorder->told && recorder->count >= samples_of(recorder, CHUNK_MS)) {
        recorder->told = true;
        event_put(recorder->port->core->events, EVENT_RECORD_FULL, recorder->id, 0, 0);
    }
    if (options->max_duration_ms > 0 && recorder->duration_ms >= options->max_duration_ms)
        recorder_finish(recorder, RECORD_MAX_DURATION);
    else if (options->max_silence_ms > 0 && recorder->silent_run_ms >= options->max_silence_ms)
        recorder_finish(recorder, RECORD_MAX_SILENCE);
}

void recorder_tick(recorder_t *recorder, frame_t *received, frame_t *sent)
{
    if (!recorder->paused && recorder->started)
        take_tick(recorder, received, sent);
    if (recorder->parties)
        party_tracks_forget(recorder->parties, &recorder->core->pool);
}

/* One channel more, silent in what is gathered; false without memory. */
static bool widen(recorder_t *recorder)
{
    int before = recorder->channels, after = before + 1;
    int64_t frames = recorder->count / before, room = recorder->room / before * after;
    if (recorder->samples) {
        int16_t *samples = realloc(recorder->samples, (size_t)room * sizeof *samples);
        if (!samples)
            return false;
        for (int64_t n = frames - 1; n >= 0; n--) {
            memmove(samples + n * after, samples + n * before, (size_t)before * sizeof *samples);
            samples[n * after + before] = 0;
        }
        recorder->samples = samples;
    }
    recorder->channels = after;
    recorder->count = frames * after;
    recorder->room = room;
    return true;
}

void recorder_admit(recorder_t *recorder, const port_t *party)
{
    party_tracks_t *parties = recorder->parties;
    if (!recorder->port || party_track_of(parties, party->id))
        return;
    if (!party_track_add(parties, party->id)) {
        if (!parties->crowded)
            event_put(recorder->core->events, EVENT_RECORD_CROWDED, recorder->id, 0, 0);
        parties->crowded = true;
        return;
    }
    if (parties->count > recorder->channels && !widen(recorder))
        recorder_finish(recorder, RECORD_FAILED);
}

void recorder_hear(recorder_t *recorder, const port_t *party, frame_t *frame)
{
    party_track_t *track = party_track_of(recorder->parties, party->id);
    if (track)
        frame_set(&recorder->core->pool, &track->frame, frame_hold(frame));
}

void recorder_finish(recorder_t *recorder, record_end_t reason)
{
    port_t *port = recorder->port;
    if (!port)
        return;
    for (recorder_t **place = &port->recorders; *place; place = &(*place)->next)
        if (*place == recorder) {
            *place = recorder->next;
            break;
        }
    recorder->next = NULL;
    recorder->port = NULL;
    if (recorder->parties)
        party_tracks_forget(recorder->parties, &recorder->core->pool);
    event_put(port->core->events, EVENT_RECORD_END, recorder->id, reason,
              recorder->duration_ms << 32 | recorder->silence_ms);
    if (!port->closed)
        port_changed(port);
}

int16_t *recorder_take(recorder_t *recorder, int64_t *count)
{
    int16_t *samples = recorder->count > 0 ? recorder->samples : NULL;
    *count = samples ? recorder->count : 0;
    if (samples) {
        recorder->samples = NULL;
        recorder->count = recorder->room = 0;
    }
    recorder->told = false;
    return samples;
}
