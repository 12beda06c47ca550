#include "plc.h"

#include <stdlib.h>

/*
 * The idea is that of G.711 Appendix I: a voice repeats itself every pitch period, so the last period is repeated, the
 * joins are blended, and what has to go on for long fades away. Unlike there nothing is delayed for it: the first
 * made-up sample bends to the last one heard. Integers throughout: media/reference/plc.py makes up the same samples.
 */
enum {
    SHIFT = 14,
    ONE = 1 << SHIFT,
    HISTORY_MS = 40,
    SHORTEST_HZ = 400,   /* highest pitch that is looked for */
    LONGEST_HZ = 66,
    COARSE_RATE = 4000,  /* at which the pitch is looked for first */
    LEAST_RATE = 8000,
    FULL_MS = 20,        /* how long what is made up keeps its level */
    FADE_MS = 60,        /* from full level to silence */
    SHORT_BLEND_MS = 5,  /* over which what comes again is blended after one lost frame */
    LONG_BLEND_MS = 10,  /* the same after more of them */
};

struct plc {
    int rate, size;   /* samples of the history */
    int made;         /* samples made up since the last that came */
    int period, place; /* of the cycle, and where in it the next sample is */
    int step;         /* what the first made-up sample would jump by */
    int16_t *cycle;   /* the pitch period that is repeated; in the memory of `samples` */
    int16_t samples[]; /* the last that was heard or made up */
};

plc_t *plc_new(int rate)
{
    if (rate < LEAST_RATE || rate > MAX_RATE)
        return NULL;
    int size = rate * HISTORY_MS / 1000, longest = rate / LONGEST_HZ;
    plc_t *plc = calloc(1, sizeof *plc + (size_t)(size + longest) * sizeof(int16_t));
    if (!plc)
        return NULL;
    plc->rate = rate;
    plc->size = size;
    plc->cycle = plc->samples + size;
    return plc;
}

void plc_free(plc_t *plc) { free(plc); }

static int in_samples(const plc_t *plc, int ms) { return plc->rate * ms / 1000; }
static int least(int one, int other) { return one < other ? one : other; }
static int most(int one, int other) { return one > other ? one : other; }

static int16_t blend(int one, int other, int share) { return (int16_t)((one * (ONE - share) + other * share) >> SHIFT); }

static void remember(plc_t *plc, const int16_t *samples, int count)
{
    int fresh = least(count, plc->size), kept = plc->size - fresh;
    memmove(plc->samples, plc->samples + fresh, (size_t)kept * sizeof *samples);
    memcpy(plc->samples + kept, samples + count - fresh, (size_t)fresh * sizeof *samples);
}

typedef struct search {
    const int16_t *samples;
    int count, stride; /* each so many is looked at */
    int low, high;     /* lags, in steps of `step` samples */
    int step, window;
} search_t;

/* How much the end resembles what was a lag before it: the square of the normalised correlation, times a constant. */
static double score(const search_t *search, int lag)
{
    int64_t product = 0, energy = 0;
    const int16_t *end = search->samples + search->count, *earlier = end - lag;
    for (int n = -search->window; n < 0; n += search->stride) {
        product += (int32_t)end[n] * earlier[n];
        energy += (int32_t)earlier[n] * earlier[n];
    }
    return product > 0 ? (double)product * (double)product / (double)energy : 0.0;
}

/* The lag with the best score, in steps; the shortest of equals. */
static int best_lag(const search_t *search)
{
    int best = search->high;
    double best_score = 0.0;
    for (int lag = search->low; lag <= search->high; lag++) {
        double found = score(search, lag * search->step);
        if (found > best_score) {
            best = lag;
            best_score = found;
        }
    }
    return best;
}

/* Samples after which the end of what was heard resembles itself most. */
static int pitch_period(const plc_t *plc)
{
    int factor = plc->rate / COARSE_RATE, rate = plc->rate / factor;
    search_t search = {
        .samples = plc->samples,
        .count = plc->size / factor * factor, /* its last sample is the last of a whole step */
        .stride = factor,
        .step = factor,
        .low = rate / SHORTEST_HZ,
        .high = rate / LONGEST_HZ,
        .window = rate / 50 * factor,
    };
    /* The samples looked at are those at the end of each step: the window ends one after the last of them. */
    search.window -= factor - 1;
    int found = best_lag(&search);
    search.count = plc->size;
    search.step = 1;
    search.stride = plc->rate / LEAST_RATE;
    search.low = most(plc->rate / SHORTEST_HZ, (found - 1) * factor);
    search.high = least(plc->rate / LONGEST_HZ, (found + 1) * factor);
    search.window = plc->rate / 50;
    return best_lag(&search);
}

static void begin(plc_t *plc)
{
    const int16_t *end = plc->samples + plc->size;
    int period = pitch_period(plc), quarter = period / 4;
    memcpy(plc->cycle, end - period, (size_t)period * sizeof *end);
    /* The end of the period is led over to what comes before its beginning, so that it can follow itself. */
    int16_t *tail = plc->cycle + period - quarter;
    for (int n = 0; n < quarter; n++)
        tail[n] = blend(tail[n], end[n - period - quarter], (n + 1) * ONE / (quarter + 1));
    plc->period = period;
    plc->place = 0;
    plc->step = end[-1] - end[-1 - period];
}

/* The next made-up sample at full level. */
static int16_t next(plc_t *plc)
{
    int16_t sample = plc->cycle[plc->place];
    plc->place = (plc->place + 1) % plc->period;
    return sample;
}

/* Begins where the last sample heard left off. */
static int16_t bent(const plc_t *plc, int16_t sample, int n)
{
    int over = plc->period / 4;
    if (n >= over)
        return sample;
    return saturate(sample + (int32_t)(((int64_t)plc->step * ((over - n) * ONE / (over + 1))) >> SHIFT));
}

static int16_t faded(const plc_t *plc, int16_t sample, int n)
{
    int full = in_samples(plc, FULL_MS), fade = in_samples(plc, FADE_MS);
    if (n < full)
        return sample;
    int64_t gain = (int64_t)most(0, full + fade - n) * ONE / fade;
    return (int16_t)((sample * gain) >> SHIFT);
}

/* A made-up sample, the n-th since the last that came. */
static int16_t made_up(plc_t *plc, int n, bool begins)
{
    int16_t sample = next(plc);
    return faded(plc, begins ? bent(plc, sample, n) : sample, n);
}

static void blend_in(plc_t *plc, int16_t *samples, int count)
{
    int ms = plc->made <= in_samples(plc, FULL_MS) ? SHORT_BLEND_MS : LONG_BLEND_MS;
    int over = least(count, in_samples(plc, ms));
    for (int n = 0; n < over; n++)
        samples[n] = blend(made_up(plc, plc->made + n, false), samples[n], (n + 1) * ONE / (over + 1));
}

void plc_hear(plc_t *plc, int16_t *samples, int count)
{
    if (count <= 0)
        return;
    if (plc->made > 0)
        blend_in(plc, samples, count);
    plc->made = 0;
    remember(plc, samples, count);
}

void plc_conceal(plc_t *plc, int16_t *samples, int count)
{
    if (count <= 0)
        return;
    bool begins = plc->made == 0;
    if (begins)
        begin(plc);
    for (int n = 0; n < count; n++)
        samples[n] = made_up(plc, plc->made + n, begins);
    plc->made = least(plc->made + count, in_samples(plc, FULL_MS) + in_samples(plc, FADE_MS));
    remember(plc, samples, count);
}
