#include "tones.h"

#include <math.h>

static const char pad[] = "123A456B789C*0#D";
static const double rows[] = {697, 770, 852, 941};
static const double columns[] = {1209, 1336, 1477, 1633};
static const double level = 8000; /* of each of the two */
static const double two_pi = 6.283185307179586;

void digit_tones(char digit, int rate, int from_ms, int16_t *samples, int count)
{
    const char *key = digit ? strchr(pad, digit) : NULL;
    if (!key) {
        memset(samples, 0, (size_t)count * sizeof *samples);
        return;
    }
    int place = (int)(key - pad);
    double low = two_pi * rows[place / 4] / rate;
    double high = two_pi * columns[place % 4] / rate;
    int from = rate / 1000 * from_ms;
    for (int n = 0; n < count; n++) {
        double value = rint(level * (sin(low * (from + n)) + sin(high * (from + n))));
        samples[n] = saturate((int32_t)value);
    }
}
