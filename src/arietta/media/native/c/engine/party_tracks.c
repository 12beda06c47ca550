#include "party_tracks.h"

#include <stdlib.h>

party_track_t *party_track_of(party_tracks_t *tracks, uint64_t port)
{
    for (int n = 0; n < tracks->count; n++)
        if (tracks->track[n].port == port)
            return &tracks->track[n];
    return NULL;
}

party_track_t *party_track_add(party_tracks_t *tracks, uint64_t port)
{
    if (tracks->count == MOST_PARTIES)
        return NULL;
    party_track_t *track = &tracks->track[tracks->count++];
    track->port = port;
    return track;
}

void party_tracks_forget(party_tracks_t *tracks, frame_pool_t *pool)
{
    for (int n = 0; n < tracks->count; n++)
        frame_set(pool, &tracks->track[n].frame, NULL);
}

void party_tracks_free(party_tracks_t *tracks)
{
    for (int n = 0; tracks && n < tracks->count; n++)
        converter_close(&tracks->track[n].converter);
    free(tracks);
}
