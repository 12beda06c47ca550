/* What is heard in audio: its level, talk, single tones, digits as tones. */
#ifndef ARIETTA_DETECT_H
#define ARIETTA_DETECT_H

#include "base.h"

/* Root mean square, 0 to 32767, rounded down. */
int level(const int16_t *samples, int count);

/* Begins with the first loud frame, ends after enough silence. */
typedef struct talk_detector {
    int threshold, silence_ms;
    int silent_ms, talked_ms;
    bool talking;
} talk_detector_t;

void talk_detector_init(talk_detector_t *detector, int threshold, int silence_ms);
/* One frame (NULL is silence): 0 when talk begins, its duration in ms when it ended, else -1. */
int talk_detector_hear(talk_detector_t *detector, const int16_t *samples, int count);

/* Hears one frequency for long enough; once per tone. */
typedef struct tone_detector {
    int frequency, duration_ms;
    int repeats; /* how often it may still be told; 0 for ever, -1 no more */
    int heard_ms;
    bool told;
} tone_detector_t;

void tone_detector_init(tone_detector_t *detector, int frequency, int duration_ms, int repeats);
/* One frame (NULL is silence): whether the tone has just lasted long enough. */
bool tone_detector_hear(tone_detector_t *detector, const int16_t *samples, int count, int rate);

/* Digits as pairs of tones (ITU-T Q.23, Q.24). The content is detect.c's own; see inband_digits_hear. */
typedef struct inband_digits inband_digits_t;

inband_digits_t *inband_digits_new(void);
void inband_digits_free(inband_digits_t *digits); /* NULL is fine */
/* The digit that is held at the moment, 0 none. */
char inband_digits_held(const inband_digits_t *digits);
/* One frame (NULL is silence): 0 nothing; 1 *digit begins; 2 *digit ended after *duration_ms. */
int inband_digits_hear(inband_digits_t *digits, const int16_t *samples, int count, int rate, char *digit,
                       int *duration_ms);

#endif
