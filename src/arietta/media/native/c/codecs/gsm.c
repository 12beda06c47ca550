#include "gsm.h"

/*
 * Section and table numbers are those of ETSI EN 300 961; media/codecs/gsm.py is the same in Python. Values are 16 bits
 * wide and saturate where the standard's operators do; where a sum cannot leave the range no clamp is written. Right
 * shifts of negative values are arithmetic, as in every compiler we know.
 */

enum {
    FRAME_BYTES = 33,
    FRAME_SAMPLES = 160,
    ORDER = 8,
    QUARTER = 40,
    PULSES = 13,
    LEAST_LAG = 40,
    MOST_LAG = 120,
};

typedef struct quarter {
    uint8_t lag, gain, grid, maximum; /* Nc, bc, Mc, xmaxc */
    uint8_t pulses[PULSES];
} quarter_t;

/* The 76 parameters of a frame (1.7). */
typedef struct parameters {
    uint8_t ratios[ORDER];
    quarter_t quarters[4];
} parameters_t;

typedef struct gsm_decoder {
    int16_t history[MOST_LAG];
    int lag;
    int16_t ratios[ORDER];
    int16_t v[ORDER + 1];
    int16_t emphasis;
} gsm_decoder_t;

typedef struct gsm_encoder {
    int z1, mp;
    int64_t l_z2;
    int16_t history[MOST_LAG];
    int16_t ratios[ORDER];
    int16_t u[ORDER];
} gsm_encoder_t;

static const uint8_t ratio_widths[ORDER] = {6, 6, 5, 5, 4, 4, 3, 3};

/* Table 5.1: quantization of the log area ratios. */
static const int16_t a[ORDER] = {20480, 20480, 20480, 20480, 13964, 15360, 8534, 9036};
static const int16_t b[ORDER] = {0, 0, 2048, -2560, 94, -1792, -341, -1144};
static const int16_t mic[ORDER] = {-32, -32, -16, -16, -8, -8, -4, -4};
static const int16_t mac[ORDER] = {31, 31, 15, 15, 7, 7, 3, 3};
static const int16_t inva[ORDER] = {13107, 13107, 13107, 13107, 19223, 17476, 31454, 29708};
static const int16_t dlb[3] = {6554, 16384, 26214};                                          /* table 5.3a */
static const int16_t qlb[4] = {3277, 11469, 21299, 32767};                                   /* table 5.3b */
static const int16_t h[11] = {-134, -374, 0, 2054, 5741, 8192, 5741, 2054, 0, -374, -134};   /* table 5.4 */
static const int16_t nrfac[8] = {29128, 26215, 23832, 21846, 20165, 18725, 17476, 16384};    /* table 5.5 */
static const int16_t fac[8] = {18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767};      /* table 5.6 */

static inline int32_t product(int32_t one, int32_t other) { return (one * other + 16384) >> 15; }

static int bit_length(int32_t value)
{
    int bits = 0;
    for (; value > 0; value >>= 1)
        bits++;
    return bits;
}

/* Greatest magnitude, saturated. */
static int peak_of(const int16_t *values, int count)
{
    int least = 0, greatest = 0;
    for (int n = 0; n < count; n++) {
        least = values[n] < least ? values[n] : least;
        greatest = values[n] > greatest ? values[n] : greatest;
    }
    return saturate(-least > greatest ? -least : greatest);
}

/* -- the bits of a frame -- */

typedef struct bits {
    uint8_t *to;
    const uint8_t *from;
    uint32_t held;
    int count; /* of bits held */
} bits_t;

static void put(bits_t *bits, unsigned value, int width)
{
    bits->held = bits->held << width | (value & ((1u << width) - 1));
    for (bits->count += width; bits->count >= 8; bits->count -= 8)
        *bits->to++ = (uint8_t)(bits->held >> (bits->count - 8));
}

static uint8_t take(bits_t *bits, int width)
{
    for (; bits->count < width; bits->count += 8)
        bits->held = bits->held << 8 | *bits->from++;
    bits->count -= width;
    return (uint8_t)(bits->held >> bits->count & ((1u << width) - 1));
}

/* Signature 0xD first (RFC 3551 4.5.8.1). */
static void pack(const parameters_t *parameters, uint8_t frame[FRAME_BYTES])
{
    bits_t bits = {.to = frame};
    put(&bits, 0xD, 4);
    for (int n = 0; n < ORDER; n++)
        put(&bits, parameters->ratios[n], ratio_widths[n]);
    for (int q = 0; q < 4; q++) {
        const quarter_t *quarter = &parameters->quarters[q];
        put(&bits, quarter->lag, 7);
        put(&bits, quarter->gain, 2);
        put(&bits, quarter->grid, 2);
        put(&bits, quarter->maximum, 6);
        for (int n = 0; n < PULSES; n++)
            put(&bits, quarter->pulses[n], 3);
    }
}

static void unpack(const uint8_t frame[FRAME_BYTES], parameters_t *parameters)
{
    bits_t bits = {.from = frame};
    take(&bits, 4);
    for (int n = 0; n < ORDER; n++)
        parameters->ratios[n] = take(&bits, ratio_widths[n]);
    for (int q = 0; q < 4; q++) {
        quarter_t *quarter = &parameters->quarters[q];
        quarter->lag = take(&bits, 7);
        quarter->gain = take(&bits, 2);
        quarter->grid = take(&bits, 2);
        quarter->maximum = take(&bits, 6);
        for (int n = 0; n < PULSES; n++)
            quarter->pulses[n] = take(&bits, 3);
    }
}

/* -- what encoder and decoder share -- */

/* Decoded log area ratios (5.2.8). */
static void decode_ratios(const uint8_t codes[ORDER], int16_t ratios[ORDER])
{
    for (int n = 0; n < ORDER; n++) {
        int value = saturate((codes[n] + mic[n]) * 1024 - b[n] * 2);
        value = saturate(product(inva[n], value));
        ratios[n] = saturate(value + value);
    }
}

/* Reflection coefficient of a log area ratio (5.2.9.2). */
static int16_t reflection(int ratio)
{
    int size = ratio == INT16_MIN ? INT16_MAX : ratio < 0 ? -ratio : ratio;
    if (size < 11059)
        size <<= 1;
    else if (size < 20070)
        size += 11059;
    else
        size = saturate((size >> 2) + 26112);
    return (int16_t)(ratio < 0 ? -size : size);
}

/* A frame is filtered in four stretches; the first three lead from the last frame's ratios to this one's (5.2.9.1). */
static const uint8_t stretches[5] = {0, 13, 27, 40, FRAME_SAMPLES};

static void stretch_coefficients(int stretch, const int16_t old[ORDER], const int16_t new[ORDER], int16_t r[ORDER])
{
    for (int n = 0; n < ORDER; n++) {
        int value = new[n];
        if (stretch == 0)
            value = saturate((old[n] >> 2) + (new[n] >> 2) + (old[n] >> 1));
        else if (stretch == 1)
            value = saturate((old[n] >> 1) + (new[n] >> 1));
        else if (stretch == 2)
            value = saturate((old[n] >> 2) + (new[n] >> 2) + (new[n] >> 1));
        r[n] = reflection(value);
    }
}

/* Of the coded block maximum (5.2.15). */
static int exponent_mantissa(int code, int *mantissa)
{
    int exponent = code > 15 ? (code >> 3) - 1 : 0;
    int rest = code - (exponent << 3);
    if (rest == 0) {
        *mantissa = 7;
        return -4;
    }
    for (; rest <= 7; exponent--)
        rest = rest << 1 | 1;
    *mantissa = rest - 8;
    return exponent;
}

/* The excitation of a quarter: dequantized pulses on their grid (5.2.16, 5.2.17). */
static void place_pulses(const quarter_t *quarter, int16_t excitation[QUARTER])
{
    int mantissa;
    int shift = 6 - exponent_mantissa(quarter->maximum, &mantissa);
    int half = shift > 0 ? 1 << (shift - 1) : 0;
    memset(excitation, 0, QUARTER * sizeof *excitation);
    for (int n = 0; n < PULSES; n++) {
        int value = product(fac[mantissa], (quarter->pulses[n] * 2 - 7) * 4096);
        excitation[quarter->grid + 3 * n] = (int16_t)(saturate(value + half) >> shift);
    }
}

/* -- decoding -- */

/* Excitation of a whole frame behind its history (5.3.1, 5.3.2). */
static void excite(gsm_decoder_t *decoder, const parameters_t *parameters, int16_t excitation[FRAME_SAMPLES])
{
    int16_t signal[MOST_LAG + FRAME_SAMPLES], pulses[QUARTER];
    memcpy(signal, decoder->history, sizeof decoder->history);
    int16_t *at = signal + MOST_LAG;
    for (int q = 0; q < 4; q++, at += QUARTER) {
        const quarter_t *quarter = &parameters->quarters[q];
        place_pulses(quarter, pulses);
        if (quarter->lag >= LEAST_LAG && quarter->lag <= MOST_LAG)
            decoder->lag = quarter->lag;
        for (int n = 0; n < QUARTER; n++)
            at[n] = saturate(pulses[n] + product(qlb[quarter->gain], at[n - decoder->lag]));
    }
    memcpy(excitation, signal + MOST_LAG, FRAME_SAMPLES * sizeof *excitation);
    memcpy(decoder->history, at - MOST_LAG, sizeof decoder->history);
}

/* One sample of the short-term synthesis filter (5.3.4). */
static inline int synthesize(int16_t v[ORDER + 1], const int16_t r[ORDER], int s)
{
    for (int n = ORDER - 1; n >= 0; n--) {
        s = saturate(s - product(r[n], v[n]));
        v[n + 1] = saturate(v[n] + product(r[n], s));
    }
    v[0] = (int16_t)s;
    return s;
}

static void decode_frame(gsm_decoder_t *decoder, const uint8_t frame[FRAME_BYTES], int16_t out[FRAME_SAMPLES])
{
    parameters_t parameters;
    int16_t excitation[FRAME_SAMPLES], ratios[ORDER], r[ORDER];
    unpack(frame, &parameters);
    excite(decoder, &parameters, excitation);
    decode_ratios(parameters.ratios, ratios);
    int emphasis = decoder->emphasis;
    for (int stretch = 0; stretch < 4; stretch++) {
        stretch_coefficients(stretch, decoder->ratios, ratios, r);
        for (int k = stretches[stretch]; k < stretches[stretch + 1]; k++) {
            /* De-emphasis, upscaling and truncation (5.3.5 to 5.3.7). */
            emphasis = saturate(synthesize(decoder->v, r, excitation[k]) + product(emphasis, 28180));
            out[k] = (int16_t)(saturate(emphasis + emphasis) & ~7);
        }
    }
    decoder->emphasis = (int16_t)emphasis;
    memcpy(decoder->ratios, ratios, sizeof ratios);
}

static bool decoder_open(void *state)
{
    memset(state, 0, sizeof(gsm_decoder_t));
    ((gsm_decoder_t *)state)->lag = LEAST_LAG;
    return true;
}

static int gsm_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    int frames = size / FRAME_BYTES;
    if (frames > room / FRAME_SAMPLES)
        return -1;
    for (int n = 0; n < frames; n++)
        decode_frame(state, data + n * FRAME_BYTES, out + n * FRAME_SAMPLES);
    return frames * FRAME_SAMPLES;
}

/* -- encoding -- */

/* Downscaling, offset compensation and pre-emphasis (5.2.1 to 5.2.3). */
static void preprocess(gsm_encoder_t *encoder, const int16_t samples[FRAME_SAMPLES], int16_t signal[FRAME_SAMPLES])
{
    for (int k = 0; k < FRAME_SAMPLES; k++) {
        int so = (samples[k] >> 3) * 4;
        int s1 = so - encoder->z1;
        encoder->z1 = so;
        int64_t msp = encoder->l_z2 >> 15;
        int64_t lsp = encoder->l_z2 - msp * 32768;
        int64_t l_z2 = msp * 32735 + (int64_t)s1 * 32768 + ((lsp * 32735 + 16384) >> 15);
        encoder->l_z2 = l_z2 > INT32_MAX ? INT32_MAX : l_z2 < INT32_MIN ? INT32_MIN : l_z2;
        int64_t above = encoder->l_z2 + 16384;
        int sof = (int)((above > INT32_MAX ? INT32_MAX : above) >> 15);
        signal[k] = saturate(sof + product(encoder->mp, -28180));
        encoder->mp = sof;
    }
}

/* Scales the signal in place, as the standard has it (5.2.4). */
static void autocorrelate(int16_t signal[FRAME_SAMPLES], int32_t correlation[ORDER + 1])
{
    int16_t scaled[FRAME_SAMPLES];
    int peak = peak_of(signal, FRAME_SAMPLES);
    int shift = peak ? bit_length(peak) - 11 : 0;
    if (shift > 0)
        for (int k = 0; k < FRAME_SAMPLES; k++) {
            scaled[k] = (int16_t)product(signal[k], 1 << (15 - shift));
            signal[k] = (int16_t)(scaled[k] * (1 << shift));
        }
    else
        memcpy(scaled, signal, sizeof scaled);
    for (int lag = 0; lag <= ORDER; lag++) {
        int32_t sum = 0;
        for (int k = lag; k < FRAME_SAMPLES; k++)
            sum += scaled[k] * scaled[k - lag];
        correlation[lag] = sum * 2;
    }
}

/* Reflection coefficients by the Schur recursion (5.2.5). */
static void schur(const int32_t correlation[ORDER + 1], int16_t r[ORDER])
{
    int32_t p[ORDER + 1], k[ORDER + 1];
    memset(r, 0, ORDER * sizeof *r);
    if (correlation[0] == 0)
        return;
    int shift = 31 - bit_length(correlation[0]);
    for (int n = 0; n <= ORDER; n++)
        p[n] = k[n] = (int32_t)(((int64_t)correlation[n] * ((int64_t)1 << shift)) >> 16);
    for (int n = 0; n < ORDER; n++) {
        int32_t size = p[1] < 0 ? -p[1] : p[1];
        if (p[0] < size)
            return;
        int32_t value = size == p[0] ? INT16_MAX : (size << 15) / p[0];
        r[n] = (int16_t)(p[1] > 0 ? -value : value);
        p[0] = saturate(p[0] + saturate(product(p[1], r[n])));
        for (int m = 1; m < ORDER - n; m++) {
            int32_t following = p[m + 1];
            p[m] = saturate(following + saturate(product(k[m], r[n])));
            k[m] = saturate(k[m] + saturate(product(following, r[n])));
        }
    }
}

/* Log area ratios, quantized and coded (5.2.6, 5.2.7). */
static void code_ratios(const int16_t r[ORDER], uint8_t codes[ORDER])
{
    for (int n = 0; n < ORDER; n++) {
        int size = r[n] < 0 ? -r[n] : r[n];
        if (size < 22118)
            size >>= 1;
        else if (size < 31130)
            size -= 11059;
        else
            size = (size - 26112) * 4;
        int ratio = r[n] < 0 ? -size : size;
        int value = saturate(saturate(((a[n] * ratio) >> 15) + b[n]) + 256) >> 9;
        value = value > mac[n] ? mac[n] : value < mic[n] ? mic[n] : value;
        codes[n] = (uint8_t)(value - mic[n]);
    }
}

/* One sample of the short-term analysis filter (5.2.10). */
static inline int16_t analyze(int16_t u[ORDER], const int16_t r[ORDER], int d)
{
    int saved = d;
    for (int n = 0; n < ORDER; n++) {
        int before = u[n];
        u[n] = (int16_t)saved;
        saved = saturate(before + product(r[n], d));
        d = saturate(d + product(r[n], before));
    }
    return (int16_t)d;
}

/* Coded gain of the long-term predictor, of a correlation with the past and the power of that (5.2.11). */
static uint8_t code_gain(int32_t correlation, int32_t power)
{
    if (correlation <= 0)
        return 0;
    if (correlation >= power)
        return 3;
    int norm = 31 - bit_length(power);
    int32_t r = (correlation << norm) >> 16, s = (power << norm) >> 16;
    uint8_t gain = 0;
    while (gain < 3 && r > (s * dlb[gain]) >> 15)
        gain++;
    return gain;
}

/* Lag and gain of the long-term predictor (5.2.11); past ends where d begins. */
static void predict(const int16_t d[QUARTER], const int16_t *past, quarter_t *quarter)
{
    int16_t weighted[QUARTER];
    int peak = peak_of(d, QUARTER);
    int shift = peak ? bit_length(peak) - 9 : 6;
    if (shift < 0)
        shift = 0;
    for (int n = 0; n < QUARTER; n++)
        weighted[n] = (int16_t)(d[n] >> shift);
    int32_t best = 0;
    quarter->lag = LEAST_LAG;
    for (int lag = LEAST_LAG; lag <= MOST_LAG; lag++) {
        int32_t sum = 0;
        for (int n = 0; n < QUARTER; n++)
            sum += weighted[n] * past[n - lag];
        if (sum > best) {
            best = sum;
            quarter->lag = (uint8_t)lag;
        }
    }
    int32_t power = 0;
    for (int n = 0; n < QUARTER; n++)
        power += (past[n - quarter->lag] >> 3) * (past[n - quarter->lag] >> 3);
    quarter->gain = code_gain((best * 2) >> (6 - shift), power * 2);
}

/* The weighting filter (5.2.13). */
static void weigh(const int16_t error[QUARTER], int16_t x[QUARTER])
{
    int16_t padded[QUARTER + 10] = {0};
    memcpy(padded + 5, error, QUARTER * sizeof *error);
    for (int k = 0; k < QUARTER; k++) {
        int32_t sum = 4096;
        for (int n = 0; n < 11; n++)
            sum += h[n] * padded[k + n];
        x[k] = saturate(sum >> 13);
    }
}

/* Which of four grids has the most energy (5.2.14). */
static uint8_t choose_grid(const int16_t x[QUARTER])
{
    int32_t best = -1;
    uint8_t grid = 0;
    for (uint8_t m = 0; m < 4; m++) {
        int32_t energy = 0;
        for (int n = 0; n < PULSES; n++)
            energy += (x[m + 3 * n] >> 2) * (x[m + 3 * n] >> 2);
        if (energy > best) {
            best = energy;
            grid = m;
        }
    }
    return grid;
}

/* Grid, block maximum and pulses of a quarter (5.2.13 to 5.2.15). */
static void code_pulses(const int16_t error[QUARTER], quarter_t *quarter)
{
    int16_t x[QUARTER], chosen[PULSES];
    weigh(error, x);
    quarter->grid = choose_grid(x);
    for (int n = 0; n < PULSES; n++)
        chosen[n] = x[quarter->grid + 3 * n];
    int peak = peak_of(chosen, PULSES);
    int exponent = bit_length(peak >> 9);
    if (exponent > 6)
        exponent = 6;
    quarter->maximum = (uint8_t)((peak >> (exponent + 5)) + (exponent << 3));
    int mantissa;
    int shift = 6 - exponent_mantissa(quarter->maximum, &mantissa);
    for (int n = 0; n < PULSES; n++) {
        int64_t value = (int64_t)chosen[n] * (1 << shift) * nrfac[mantissa];
        quarter->pulses[n] = (uint8_t)((value >> 27) + 4);
    }
}

/* One quarter; at is its place in the reconstructed residual, behind what was before. */
static void code_quarter(const int16_t d[QUARTER], int16_t *at, quarter_t *quarter)
{
    int16_t predicted[QUARTER], error[QUARTER];
    predict(d, at, quarter);
    for (int n = 0; n < QUARTER; n++) {
        predicted[n] = saturate(product(qlb[quarter->gain], at[n - quarter->lag]));
        error[n] = saturate(d[n] - predicted[n]);
    }
    code_pulses(error, quarter);
    place_pulses(quarter, at);
    for (int n = 0; n < QUARTER; n++)
        at[n] = saturate(at[n] + predicted[n]);
}

static void encode_frame(gsm_encoder_t *encoder, const int16_t samples[FRAME_SAMPLES], uint8_t frame[FRAME_BYTES])
{
    parameters_t parameters;
    int16_t signal[FRAME_SAMPLES], r[ORDER], ratios[ORDER], residual[MOST_LAG + FRAME_SAMPLES];
    int32_t correlation[ORDER + 1];
    preprocess(encoder, samples, signal);
    autocorrelate(signal, correlation);
    schur(correlation, r);
    code_ratios(r, parameters.ratios);
    decode_ratios(parameters.ratios, ratios);
    for (int stretch = 0; stretch < 4; stretch++) {
        stretch_coefficients(stretch, encoder->ratios, ratios, r);
        for (int k = stretches[stretch]; k < stretches[stretch + 1]; k++)
            signal[k] = analyze(encoder->u, r, signal[k]);
    }
    memcpy(encoder->ratios, ratios, sizeof ratios);
    memcpy(residual, encoder->history, sizeof encoder->history);
    for (int q = 0; q < 4; q++)
        code_quarter(signal + q * QUARTER, residual + MOST_LAG + q * QUARTER, &parameters.quarters[q]);
    memcpy(encoder->history, residual + FRAME_SAMPLES, sizeof encoder->history);
    pack(&parameters, frame);
}

static bool encoder_open(void *state)
{
    memset(state, 0, sizeof(gsm_encoder_t));
    return true;
}

static int gsm_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    int frames = count / FRAME_SAMPLES;
    if (frames > room / FRAME_BYTES)
        return -1;
    for (int n = 0; n < frames; n++)
        encode_frame(state, samples + n * FRAME_SAMPLES, out + n * FRAME_BYTES);
    return frames * FRAME_BYTES;
}

const codec_t gsm_codec = {
    .name = "gsm",
    .rate = 8000,
    .clock_rate = 8000,
    .frame_ms = 20,
    .frame_bytes = FRAME_BYTES,
    .encoder_size = sizeof(gsm_encoder_t),
    .decoder_size = sizeof(gsm_decoder_t),
    .encoder_open = encoder_open,
    .decoder_open = decoder_open,
    .encode = gsm_encode,
    .decode = gsm_decode,
};
