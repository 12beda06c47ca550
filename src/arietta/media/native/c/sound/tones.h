/* The tones of keys (ITU-T Q.23). */
#ifndef ARIETTA_TONES_H
#define ARIETTA_TONES_H

#include "base.h"

/* Samples of a key's two tones from a moment of it on. */
void digit_tones(char digit, int rate, int from_ms, int16_t *samples, int count);

#endif
