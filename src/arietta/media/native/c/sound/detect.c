#include "detect.h"

#include <math.h>
#include <stdlib.h>

/* Integers on tables of 14 bits throughout: media/reference/detect.py comes to the same decisions. */
enum {
    SHIFT = 14,
    LEAST_LEVEL = 200,
    FREQUENCIES = 8,
    BASE_RATE = 8000,      /* higher rates are averaged down to at least this */
    HOPS_PER_SECOND = 200,
    HOP_MS = 5,
    MAX_HOP = 79,          /* samples of a hop at less than twice BASE_RATE */
    WINDOW_HOPS = 4,       /* 20 ms: two blocks of 10 ms, one after the other */
    ON_WINDOWS = 4,        /* in a row that make a digit: 35 ms, inside any 40 ms */
    STEADY_HOPS = WINDOW_HOPS + ON_WINDOWS - 1,
    OFF_WINDOWS = 2,       /* in a row without it that end a digit */
    EDGE_MS = 20,          /* what a window that still counts reaches beyond the end of a digit */
    LEAST_POWER = 20000,   /* mean square of the weaker tone: -41 dBm0 */
    TWIST = 12,            /* greatest ratio of the two tones' powers, either way */
    PURITY = 70,           /* least percentage of a window's energy in the two tones, at their nominal frequencies */
    CLEAR = 91,            /* the same where a digit begins, at the frequencies the tones have */
    HELD = 30,             /* the same of a digit that is held */
    FADE = 10,             /* a tone weaker than the digit's by this factor does not belong to it */
    MAX_TOLD = 4,          /* beginnings and ends that wait, one a frame is told: none begins whose end has no room */
    NO_DIGIT = -1,
};

#define TOLERANCE 0.0235 /* Q.24: 1.5 % is taken, 3.5 % refused */
#define TWO_PI 6.283185307179586
#define ONE (1 << SHIFT)

static const char PAD[] = "123A456B789C*0#D";
static const int DIGIT_FREQUENCIES[FREQUENCIES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633}; /* ITU-T Q.23 */

typedef struct complex_int {
    int64_t real, imaginary;
} complex_int_t;

/* What is kept of 5 ms; the parts are of the block of 10 ms that ends with them. */
typedef struct hop {
    int64_t energy;
    complex_int_t parts[FREQUENCIES];
} hop_t;

typedef struct told {
    char digit;
    int duration_ms; /* -1: it begins */
} told_t;

struct inband_digits {
    int rate;
    /* Tables of the rate. */
    int factor, hop;
    int16_t cosine[FREQUENCIES][2 * MAX_HOP], sine[FREQUENCIES][2 * MAX_HOP];
    complex_int_t hop_turns[FREQUENCIES], block_turns[FREQUENCIES], limits[FREQUENCIES];
    int16_t window[STEADY_HOPS * MAX_HOP];
    int16_t samples[STEADY_HOPS * MAX_HOP]; /* of the last hops; the last one as far as it is filled */
    int filled;
    int64_t sum; /* of the samples that will be the next one */
    int summed;
    hop_t hops[STEADY_HOPS]; /* the latest last */
    int candidate, count;
    int pad; /* place in PAD of the digit that is held */
    int64_t peak_low, peak_high;
    int windows, missed;
    told_t told[MAX_TOLD];
    int telling;
};

int level(const int16_t *samples, int count)
{
    if (count <= 0)
        return 0;
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += (int32_t)samples[i] * samples[i];
    return (int)sqrt((double)sum / (double)count);
}

void talk_detector_init(talk_detector_t *detector, int threshold, int silence_ms)
{
    *detector = (talk_detector_t){.threshold = threshold, .silence_ms = silence_ms};
}

int talk_detector_hear(talk_detector_t *detector, const int16_t *samples, int count)
{
    bool loud = samples && level(samples, count) >= detector->threshold;
    if (!detector->talking) {
        if (!loud)
            return -1;
        detector->talking = true;
        detector->silent_ms = 0;
        detector->talked_ms = FRAME_MS;
        return 0;
    }
    detector->talked_ms += FRAME_MS;
    if (loud) {
        detector->silent_ms = 0;
        return -1;
    }
    detector->silent_ms += FRAME_MS;
    if (detector->silent_ms < detector->silence_ms)
        return -1;
    detector->talking = false;
    return detector->talked_ms - detector->silent_ms;
}

void tone_detector_init(tone_detector_t *detector, int frequency, int duration_ms, int repeats)
{
    *detector = (tone_detector_t){.frequency = frequency, .duration_ms = duration_ms, .repeats = repeats};
}

static int64_t scaled(double value) { return (int64_t)nearbyint(value * ONE); }

/* Squared magnitude of the samples' part at a frequency: (amplitude * count / 2) ** 2. */
static int64_t correlation(const int16_t *samples, int count, double frequency, int rate)
{
    double step = TWO_PI * frequency / rate;
    int64_t real = 0, imaginary = 0;
    for (int n = 0; n < count; n++) {
        real += samples[n] * scaled(cos(step * n));
        imaginary += samples[n] * scaled(sin(step * n));
    }
    real >>= SHIFT;
    imaginary >>= SHIFT;
    return real * real + imaginary * imaginary;
}

/* Whether the frequency has more than 0.6 of the frame's power. */
static bool contains(const int16_t *samples, int count, int frequency, int rate)
{
    if (count > MAX_FRAME_SAMPLES || rate <= 0)
        return false;
    int64_t total = level(samples, count);
    if (total < LEAST_LEVEL)
        return false;
    return 20 * correlation(samples, count, frequency, rate) > 6 * total * total * count * count;
}

bool tone_detector_hear(tone_detector_t *detector, const int16_t *samples, int count, int rate)
{
    if (!samples || !contains(samples, count, detector->frequency, rate)) {
        detector->heard_ms = 0;
        detector->told = false;
        return false;
    }
    detector->heard_ms += FRAME_MS;
    if (detector->told || detector->heard_ms < detector->duration_ms)
        return false;
    detector->told = true;
    if (detector->repeats > 0 && --detector->repeats == 0)
        detector->repeats = -1;
    return true;
}

/* Cosine and sine of what a frequency turns in so many samples. */
static complex_int_t angle(double frequency, int rate, int count)
{
    double turn = TWO_PI * frequency / rate * count;
    return (complex_int_t){scaled(cos(turn)), scaled(sin(turn))};
}

static void make_table(inband_digits_t *digits, int index, int rate)
{
    double step = TWO_PI * DIGIT_FREQUENCIES[index] / rate;
    int block = 2 * digits->hop;
    for (int n = 0; n < block; n++) {
        digits->cosine[index][n] = (int16_t)scaled(cos(step * n));
        digits->sine[index][n] = (int16_t)scaled(sin(step * n));
    }
    digits->hop_turns[index] = angle(DIGIT_FREQUENCIES[index], rate, digits->hop);
    digits->block_turns[index] = angle(DIGIT_FREQUENCIES[index], rate, block);
    digits->limits[index] = angle(DIGIT_FREQUENCIES[index] * TOLERANCE, rate, block);
}

/* A raised cosine over all the hops that are kept. */
static void make_window(inband_digits_t *digits)
{
    int count = STEADY_HOPS * digits->hop;
    for (int n = 0; n < count; n++)
        digits->window[n] = (int16_t)scaled(0.5 - 0.5 * cos(TWO_PI * (n + 0.5) / count));
}

/* A stream of another rate: what is held ends by itself. */
static void begin(inband_digits_t *digits, int rate)
{
    digits->rate = rate;
    digits->factor = rate / BASE_RATE;
    int reduced = rate / digits->factor;
    digits->hop = reduced / HOPS_PER_SECOND;
    for (int index = 0; index < FREQUENCIES; index++)
        make_table(digits, index, reduced);
    make_window(digits);
    memset(digits->samples, 0, sizeof digits->samples);
    memset(digits->hops, 0, sizeof digits->hops);
    digits->filled = digits->summed = 0;
    digits->sum = 0;
}

inband_digits_t *inband_digits_new(void)
{
    inband_digits_t *digits = calloc(1, sizeof *digits);
    if (digits)
        digits->pad = digits->candidate = NO_DIGIT;
    return digits;
}

void inband_digits_free(inband_digits_t *digits) { free(digits); }

char inband_digits_held(const inband_digits_t *digits)
{
    if (digits->telling > 0)
        return digits->told[0].digit;
    return digits->pad == NO_DIGIT ? 0 : PAD[digits->pad];
}

static void tell(inband_digits_t *digits, int pad, int duration_ms)
{
    digits->told[digits->telling++] = (told_t){PAD[pad], duration_ms};
}

/* -- what a window shows -- */

static int reduced_rate(const inband_digits_t *digits) { return digits->rate / digits->factor; }

static const hop_t *hop_ago(const inband_digits_t *digits, int ago) { return &digits->hops[STEADY_HOPS - 1 - ago]; }

static int64_t squared(complex_int_t part) { return part.real * part.real + part.imaginary * part.imaginary; }

static bool pure(const inband_digits_t *digits, int64_t power, int percent)
{
    int64_t energy = 0;
    for (int ago = 0; ago < WINDOW_HOPS; ago++)
        energy += hop_ago(digits, ago)->energy;
    return 200 * power >= (int64_t)percent * 2 * digits->hop * energy;
}

static int strongest(const int64_t *powers, int from)
{
    int best = from;
    for (int index = from + 1; index < from + 4; index++)
        if (powers[index] > powers[best])
            best = index;
    return best;
}

/* Place in PAD of the digit that the last 20 ms show. */
static int shown(const inband_digits_t *digits, const int64_t *powers)
{
    int row = strongest(powers, 0), column = strongest(powers, 4);
    int64_t low = powers[row], high = powers[column], block = 2 * digits->hop;
    int64_t least = low < high ? low : high, most = low < high ? high : low;
    if (least < LEAST_POWER * block * block || most > TWIST * least || !pure(digits, low + high, PURITY))
        return NO_DIGIT;
    return row * 4 + column - 4;
}

/* Each hop has a quarter of the mean energy at least: no edge is among them. */
static bool steady(const inband_digits_t *digits)
{
    int64_t least = digits->hops[0].energy, sum = 0;
    for (int place = 0; place < STEADY_HOPS; place++) {
        int64_t energy = digits->hops[place].energy;
        sum += energy;
        if (energy < least)
            least = energy;
    }
    return 4 * STEADY_HOPS * least >= sum;
}

static complex_int_t times(complex_int_t one, complex_int_t other)
{
    return (complex_int_t){(one.real * other.real - one.imaginary * other.imaginary) >> SHIFT,
                           (one.imaginary * other.real + one.real * other.imaginary) >> SHIFT};
}

/* How far a part turned beyond what it should have. */
static complex_int_t turned(complex_int_t after, complex_int_t before, complex_int_t nominal)
{
    before.imaginary = -before.imaginary;
    return times(times(after, before), nominal);
}

/* At a frequency, of the window that ended so many hops ago: its first block, and its second turned to it. */
static complex_int_t part(const inband_digits_t *digits, int ago, int index)
{
    complex_int_t first = hop_ago(digits, ago + 2)->parts[index];
    complex_int_t second = times(hop_ago(digits, ago)->parts[index], digits->block_turns[index]);
    return (complex_int_t){first.real + second.real, first.imaginary + second.imaginary};
}

/*
 * Finds the frequency of a tone by how its phase turns: roughly in a hop, exactly in a block. False when it is not near
 * enough to the nominal one.
 */
static bool find_frequency(const inband_digits_t *digits, int index, int64_t power, double *frequency)
{
    complex_int_t latest = part(digits, 0, index), limit = digits->limits[index];
    /* One that is 33 Hz away has only half of its blocks' power in their sum: what is left has no phase to speak of. */
    if (2 * squared(latest) < power)
        return false;
    complex_int_t rough = turned(latest, part(digits, 1, index), digits->hop_turns[index]);
    complex_int_t exact = turned(latest, part(digits, 2, index), digits->block_turns[index]);
    int64_t aside = exact.imaginary < 0 ? -exact.imaginary : exact.imaginary;
    if (rough.real < 0 || exact.real * limit.imaginary < aside * limit.real)
        return false;
    double off = atan2((double)exact.imaginary, (double)exact.real) * reduced_rate(digits);
    *frequency = DIGIT_FREQUENCIES[index] - off / (TWO_PI * (2 * digits->hop));
    return true;
}

/* Whether there is little but the two tones in all the windows, seen through one that tells them well apart. */
static bool is_clear(const inband_digits_t *digits, double low, double high)
{
    int16_t seen[STEADY_HOPS * MAX_HOP];
    int count = STEADY_HOPS * digits->hop, rate = reduced_rate(digits);
    int64_t energy = 0;
    for (int n = 0; n < count; n++) {
        seen[n] = (int16_t)((digits->samples[n] * digits->window[n]) >> SHIFT);
        energy += (int32_t)seen[n] * seen[n];
    }
    int64_t power = correlation(seen, count, low, rate) + correlation(seen, count, high, rate);
    /* Of a tone, a raised cosine lets pass half the amplitude and three eighths of the power. */
    return 300 * power >= CLEAR * count * energy;
}

/* -- digits -- */

static void await_digit(inband_digits_t *digits, const int64_t *powers)
{
    int pad = shown(digits, powers);
    digits->count = pad == digits->candidate ? digits->count + 1 : 1;
    digits->candidate = pad;
    if (pad == NO_DIGIT || digits->count < ON_WINDOWS || digits->telling > MAX_TOLD - 2 || !steady(digits))
        return;
    int row = pad / 4, column = pad % 4 + 4;
    double low, high;
    if (!find_frequency(digits, row, powers[row], &low) || !find_frequency(digits, column, powers[column], &high) ||
        !is_clear(digits, low, high))
        return;
    digits->pad = pad;
    digits->peak_low = powers[row];
    digits->peak_high = powers[column];
    digits->windows = digits->count;
    digits->missed = 0;
    tell(digits, pad, -1);
}

static bool goes_on(inband_digits_t *digits, int64_t low, int64_t high)
{
    if (low * FADE < digits->peak_low || high * FADE < digits->peak_high || !pure(digits, low + high, HELD))
        return false;
    if (low > digits->peak_low)
        digits->peak_low = low;
    if (high > digits->peak_high)
        digits->peak_high = high;
    return true;
}

static void follow_digit(inband_digits_t *digits, const int64_t *powers)
{
    digits->windows++;
    if (goes_on(digits, powers[digits->pad / 4], powers[digits->pad % 4 + 4])) {
        digits->missed = 0;
        return;
    }
    if (++digits->missed < OFF_WINDOWS)
        return;
    int windows = digits->windows - digits->missed + WINDOW_HOPS - 1;
    tell(digits, digits->pad, windows * HOP_MS - EDGE_MS);
    digits->pad = digits->candidate = NO_DIGIT;
    digits->count = 0;
}

/* The two last hops are a block. */
static void correlate(const inband_digits_t *digits, hop_t *hop)
{
    int count = 2 * digits->hop;
    const int16_t *block = digits->samples + (STEADY_HOPS - 2) * digits->hop;
    for (int index = 0; index < FREQUENCIES; index++) {
        int64_t real = 0, imaginary = 0;
        for (int n = 0; n < count; n++) {
            real += block[n] * digits->cosine[index][n];
            imaginary += block[n] * digits->sine[index][n];
        }
        hop->parts[index] = (complex_int_t){real >> SHIFT, imaginary >> SHIFT};
    }
}

/* The last hop is full. */
static void hear_hop(inband_digits_t *digits)
{
    int size = digits->hop, kept = (STEADY_HOPS - 1) * size;
    hop_t *hop = &digits->hops[STEADY_HOPS - 1];
    memmove(digits->hops, digits->hops + 1, (STEADY_HOPS - 1) * sizeof *hop);
    memset(hop, 0, sizeof *hop);
    for (int n = kept; n < kept + size; n++)
        hop->energy += (int32_t)digits->samples[n] * digits->samples[n];
    if (hop->energy + hop[-1].energy >= (int64_t)2 * size * LEAST_POWER)
        correlate(digits, hop);
    int64_t powers[FREQUENCIES];
    for (int index = 0; index < FREQUENCIES; index++)
        powers[index] = squared(hop[-2].parts[index]) + squared(hop->parts[index]);
    if (digits->pad == NO_DIGIT)
        await_digit(digits, powers);
    else
        follow_digit(digits, powers);
    memmove(digits->samples, digits->samples + size, (size_t)kept * sizeof *digits->samples);
}

/* The mean, rounded down. */
static int16_t mean(int64_t sum, int count)
{
    int64_t raised = sum + (int64_t)32768 * count;
    return (int16_t)(raised / count - 32768);
}

static void hear_sample(inband_digits_t *digits, int16_t sample)
{
    digits->sum += sample;
    if (++digits->summed < digits->factor)
        return;
    digits->samples[(STEADY_HOPS - 1) * digits->hop + digits->filled] = mean(digits->sum, digits->factor);
    digits->sum = digits->summed = 0;
    if (++digits->filled < digits->hop)
        return;
    digits->filled = 0;
    hear_hop(digits);
}

int inband_digits_hear(inband_digits_t *digits, const int16_t *samples, int count, int rate, char *digit,
                       int *duration_ms)
{
    if (rate < BASE_RATE || rate > MAX_RATE)
        return 0;
    if (rate != digits->rate)
        begin(digits, rate);
    if (!samples)
        count = rate / 50;
    for (int n = 0; n < count; n++)
        hear_sample(digits, samples ? samples[n] : 0);
    if (digits->telling == 0)
        return 0;
    told_t told = digits->told[0];
    memmove(digits->told, digits->told + 1, (size_t)--digits->telling * sizeof told);
    *digit = told.digit;
    if (told.duration_ms < 0)
        return 1;
    *duration_ms = told.duration_ms;
    return 2;
}
