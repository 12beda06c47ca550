#include "resample.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* The design of media/codecs/resample.py: flat to 0.85 of the lower Nyquist frequency, images 60 dB down from 1.1. */
static const double zero_crossings = 24, cutoff = 0.95, kaiser_beta = 6.0, pi = 3.14159265358979323846;

enum { CHUNK = 960, LANES = 8 };

/* One pair's filter. Made once, shared by all streams of the pair on any thread, never given back. */
typedef struct filter {
    struct filter *next;
    int up, down;
    int taps;     /* that count */
    int row;      /* the same, with zeros in front up to a multiple of LANES */
    float *phase; /* `up` rows, latest sample last */
} filter_t;

struct resampler {
    const filter_t *filter; /* NULL: the rates are equal */
    int from, to;
    int phase;  /* of the next output sample */
    int offset; /* of its first sample in the window */
    int held;   /* samples in the window */
    float window[]; /* at most row - 1 of history, then a chunk */
};

static pthread_mutex_t filters_lock = PTHREAD_MUTEX_INITIALIZER;
static filter_t *filters; /* under the lock */

/* -- filters -- */

static int greatest_common_divisor(int a, int b)
{
    while (b) {
        int rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The modified Bessel function of order zero. */
static double bessel(double x)
{
    double total = 1.0, term = 1.0;
    for (int k = 1; k < 40 && term > 1e-15 * total; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        total += term;
    }
    return total;
}

static void design_phase(const filter_t *filter, int phase, double scale, double *taps)
{
    double half = filter->taps / 2.0, whole = bessel(kaiser_beta), total = 0.0;
    for (int k = 0; k < filter->taps; k++) {
        double position = k - (half - 1) - (double)phase / filter->up;
        double x = position / half;
        double window = bessel(kaiser_beta * sqrt(fmax(0.0, 1 - x * x))) / whole;
        double angle = pi * position * cutoff / scale;
        taps[k] = window * (angle != 0.0 ? sin(angle) / angle : 1.0);
        total += taps[k];
    }
    float *row = filter->phase + (size_t)phase * (size_t)filter->row + (filter->row - filter->taps);
    for (int k = 0; k < filter->taps; k++)
        row[k] = (float)(taps[k] / total);
}

static filter_t *filter_new(int up, int down)
{
    double scale = fmax(1.0, (double)down / up);
    filter_t *filter = malloc(sizeof *filter);
    if (!filter)
        return NULL;
    filter->up = up;
    filter->down = down;
    filter->taps = 2 * (int)ceil(zero_crossings * scale / 2);
    filter->row = (filter->taps + LANES - 1) / LANES * LANES;
    filter->phase = calloc((size_t)up * (size_t)filter->row, sizeof *filter->phase);
    double *taps = malloc((size_t)filter->taps * sizeof *taps);
    if (!filter->phase || !taps) {
        free(filter->phase);
        free(taps);
        free(filter);
        return NULL;
    }
    for (int phase = 0; phase < up; phase++)
        design_phase(filter, phase, scale, taps);
    free(taps);
    return filter;
}

static const filter_t *filter_for(int up, int down)
{
    pthread_mutex_lock(&filters_lock);
    filter_t *filter = filters;
    while (filter && (filter->up != up || filter->down != down))
        filter = filter->next;
    if (!filter && (filter = filter_new(up, down))) {
        filter->next = filters;
        filters = filter;
    }
    pthread_mutex_unlock(&filters_lock);
    return filter;
}

/* -- streams -- */

resampler_t *resampler_new(int from_rate, int to_rate)
{
    if (from_rate <= 0 || to_rate <= 0 || from_rate > MAX_RATE || to_rate > MAX_RATE)
        return NULL;
    int common = greatest_common_divisor(from_rate, to_rate);
    const filter_t *filter = NULL;
    size_t room = 0;
    if (from_rate != to_rate) {
        filter = filter_for(to_rate / common, from_rate / common);
        if (!filter)
            return NULL;
        room = (size_t)filter->row - 1 + CHUNK;
    }
    resampler_t *resampler = calloc(1, sizeof *resampler + room * sizeof(float));
    if (!resampler)
        return NULL;
    resampler->filter = filter;
    resampler->from = from_rate;
    resampler->to = to_rate;
    resampler->held = filter ? filter->row - 1 : 0;
    return resampler;
}

void resampler_free(resampler_t *resampler) { free(resampler); }

int resampler_from(const resampler_t *resampler) { return resampler->from; }

int resampler_to(const resampler_t *resampler) { return resampler->to; }

double resampler_delay(const resampler_t *resampler)
{
    return resampler->filter ? resampler->filter->taps / 2.0 : 0.0;
}

/* The lanes are written out because the compiler may not reorder a sum of floats by itself. */
static float product(const float *restrict taps, const float *restrict samples, int count)
{
    float lane[LANES] = {0};
    for (int k = 0; k < count; k += LANES)
        for (int n = 0; n < LANES; n++)
            lane[n] += taps[k + n] * samples[k + n];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static int16_t rounded(float value)
{
    if (value >= 32767.0f)
        return INT16_MAX;
    if (value <= -32768.0f)
        return INT16_MIN;
    return (int16_t)((int)(value + 32768.5f) - 32768);
}

/* How many samples come out when count more come in. */
static int64_t due(const resampler_t *resampler, int count)
{
    const filter_t *filter = resampler->filter;
    int64_t last = (int64_t)resampler->held + count - filter->row - resampler->offset;
    return last < 0 ? 0 : (last * filter->up + filter->up - 1 - resampler->phase) / filter->down + 1;
}

/* All samples that the window holds; its rest, less than a row, moves to the front. */
static int convert(resampler_t *resampler, int16_t *out)
{
    const filter_t *filter = resampler->filter;
    int step = filter->down / filter->up, rest = filter->down % filter->up;
    int offset = resampler->offset, phase = resampler->phase, written = 0;
    while (offset + filter->row <= resampler->held) {
        const float *row = filter->phase + (size_t)phase * (size_t)filter->row;
        out[written++] = rounded(product(row, resampler->window + offset, filter->row));
        offset += step;
        phase += rest;
        if (phase >= filter->up) {
            phase -= filter->up;
            offset++;
        }
    }
    int gone = offset < resampler->held ? offset : resampler->held;
    resampler->held -= gone;
    memmove(resampler->window, resampler->window + gone, (size_t)resampler->held * sizeof(float));
    resampler->offset = offset - gone;
    resampler->phase = phase;
    return written;
}

int resampler_process(resampler_t *resampler, const int16_t *samples, int count, int16_t *out, int room)
{
    if (!resampler->filter) {
        if (count > room)
            return -1;
        memcpy(out, samples, (size_t)count * sizeof *out);
        return count;
    }
    if (due(resampler, count) > room)
        return -1;
    int written = 0;
    while (count > 0) {
        int part = count < CHUNK ? count : CHUNK;
        float *end = resampler->window + resampler->held;
        for (int n = 0; n < part; n++)
            end[n] = samples[n];
        resampler->held += part;
        written += convert(resampler, out + written);
        samples += part;
        count -= part;
    }
    return written;
}
