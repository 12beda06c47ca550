/* Comfort noise: what is heard while the far end sends nothing because nobody speaks (RFC 3389). */
#ifndef ARIETTA_NOISE_H
#define ARIETTA_NOISE_H

#include "base.h"

/* White noise of the level a packet told; what it says of the spectrum is not followed. */
typedef struct comfort_noise {
    int amplitude; /* 0 while there is none */
    uint32_t seed;
    bool heard;    /* so far */
} comfort_noise_t;

void comfort_noise_init(comfort_noise_t *noise);
/* The payload of a packet (payload type 13): it is heard from now on; an empty one changes nothing. */
void comfort_noise_describe(comfort_noise_t *noise, const uint8_t *payload, int size);
static inline void comfort_noise_end(comfort_noise_t *noise)
{
    noise->amplitude = 0;
    noise->heard = false;
}

/* Audio arrived: noise that was not heard so far would come too late. */
static inline void comfort_noise_voice_came(comfort_noise_t *noise)
{
    if (!noise->heard)
        comfort_noise_end(noise);
}

/* A frame of audio is heard: noise that was heard is over; else the frame came before it. */
static inline void comfort_noise_voice_heard(comfort_noise_t *noise)
{
    if (noise->heard)
        comfort_noise_end(noise);
}

/* The next samples of it. */
void comfort_noise_make(comfort_noise_t *noise, int16_t *samples, int count);

#endif
