/* Sample rate conversion by a windowed sinc: a polyphase filter, block by block. */
#ifndef ARIETTA_RESAMPLE_H
#define ARIETTA_RESAMPLE_H

#include "base.h"

typedef struct resampler resampler_t;

/* A stream's conversion between two rates of slin; NULL without memory. Filters are shared by all of one pair. */
resampler_t *resampler_new(int from_rate, int to_rate);
void resampler_free(resampler_t *resampler); /* NULL is fine */
int resampler_from(const resampler_t *resampler);
int resampler_to(const resampler_t *resampler);
/* Input samples by which the output lags. */
double resampler_delay(const resampler_t *resampler);
/* Samples written; at most count * to / from + 1, and room must be that much. The rest waits for the next call. */
int resampler_process(resampler_t *resampler, const int16_t *samples, int count, int16_t *out, int room);

#endif
