#include "noise.h"

#include <math.h>

enum {
    LOUDEST_DBOV = 20, /* a level above this is no noise of a room, and would hurt: it is brought down to it */
};

void comfort_noise_init(comfort_noise_t *noise) { *noise = (comfort_noise_t){.seed = 1}; }

void comfort_noise_describe(comfort_noise_t *noise, const uint8_t *payload, int size)
{
    if (size <= 0)
        return;
    /* RFC 3389 3.1: the first byte is the level, in dB below overload. */
    int level = payload[0] & 0x7F;
    if (level < LOUDEST_DBOV)
        level = LOUDEST_DBOV;
    /* Of a uniform distribution, the root mean square is a third's root of the amplitude. */
    int amplitude = (int)nearbyint(32768 * pow(3, 0.5) * pow(10, -level / 20.0));
    noise->amplitude = amplitude > 1 ? amplitude : 1;
}

void comfort_noise_make(comfort_noise_t *noise, int16_t *samples, int count)
{
    noise->heard = true;
    for (int n = 0; n < count; n++) {
        noise->seed = noise->seed * 1664525u + 1013904223u;
        samples[n] = (int16_t)((((int32_t)(noise->seed >> 16) - 32768) * noise->amplitude) >> 15);
    }
}
