#include "g722.h"

/*
 * Blocks, signals and tables are named as in ITU-T G.722 (clauses 3, 4 and 6.2.1); media/codecs/g722.py is the same in
 * Python. Mode 1: all six bits of the lower band are audio. Right shifts of negative values are arithmetic.
 */

enum { TAPS = 12, BLOCK = 160, LEAST = -16384, MOST = 16383 };

/* One band's predictor and scale factor. Index 0 of a delay line is the present. */
typedef struct band {
    int s, sp, sz;       /* predicted signal and its two parts, poles and zeros */
    int r[3], a[3], p[3];
    int d[7], b[7];
    int nb, det;         /* logarithmic and linear scale factor */
} band_t;

typedef struct g722 {
    band_t low, high;
    int16_t even[TAPS - 1], odd[TAPS - 1]; /* of the quadrature mirror filter; latest last */
} g722_t;

/* Even and odd coefficients of the quadrature mirror filters (table 11). */
static const int16_t qmf_even[TAPS] = {3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11};
static const int16_t qmf_odd[TAPS] = {-11, 53, -156, 362, -805, 3876, 951, -210, 32, 12, -11, 3};

/* Decision levels, times sixteen, of the 60-level quantizer of the lower band, behind three that all reach. */
static const uint16_t q6[32] = {
    0,         0,         0,         16 * 35,   16 * 72,   16 * 110,  16 * 150,  16 * 190,
    16 * 233,  16 * 276,  16 * 323,  16 * 370,  16 * 422,  16 * 473,  16 * 530,  16 * 587,
    16 * 650,  16 * 714,  16 * 786,  16 * 858,  16 * 940,  16 * 1023, 16 * 1121, 16 * 1219,
    16 * 1339, 16 * 1458, 16 * 1612, 16 * 1765, 16 * 1980, 16 * 2195, 16 * 2557, 16 * 2919};

/* And its output codes, by the number of levels that are reached. */
static const uint8_t iln[31] = {0,  63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19,
                                18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4};
static const uint8_t ilp[31] = {0,  61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47,
                                46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32};

/* Output of the inverse quantizers: lower band by 4 bits (adaptation) and 6 bits (audio), higher band by 2. */
static const int16_t qm4[16] = {0,     -20456, -12896, -8968, -6288, -4240, -2584, -1200,
                                20456, 12896,  8968,   6288,  4240,  2584,  1200,  0};
static const int16_t qm6[64] = {
    -136,   -136,   -136,   -136,   -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360,  -8576,  -7856,  -7192,  -6576,  -6000,  -5456,  -4944,  -4464,  -4008,  -3576,  -3168,  -2776,
    -2400,  -2032,  -1688,  -1360,  -1040,  -728,   24808,  21904,  19008,  16704,  14984,  13512,  12280,
    11192,  10232,  9360,   8576,   7856,   7192,   6576,   6000,   5456,   4944,   4464,   4008,   3576,
    3168,   2776,   2400,   2032,   1688,   1360,   1040,   728,    432,    136,    -432,   -136};
static const int16_t qm2[4] = {-7408, -1616, 7408, 1616};

/* Multipliers of the logarithmic scale factors, by code. */
static const int16_t wl[16] = {-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60};
static const int16_t wh[4] = {798, -214, 798, -214};

/* 2048 times two to the power of n/32. */
static const int16_t ilb[32] = {2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543,
                                2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228,
                                3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008};

static inline int limited(int value, int least, int most)
{
    return value > most ? most : value < least ? least : value;
}

/* -- one band -- */

/* LOGSCL and SCALEL, or LOGSCH and SCALEH: the scale factor follows the codes. */
static void scale(band_t *band, int weight, int most, int shift)
{
    band->nb = limited(((band->nb * 127) >> 7) + weight, 0, most);
    int right = shift - (band->nb >> 11);
    int mantissa = ilb[band->nb >> 6 & 31];
    band->det = (right < 0 ? mantissa << -right : mantissa >> right) * 4;
}

/* UPPOL2: the second pole. */
static int second_pole(const band_t *band)
{
    int a1 = saturate(band->a[1] * 4);
    bool same = (band->p[0] < 0) == (band->p[1] < 0);
    int value = (same ? saturate(-a1) : a1) >> 7;
    value += (band->p[0] < 0) == (band->p[2] < 0) ? 128 : -128;
    value += (band->a[2] * 32512) >> 15;
    return limited(value, -12288, 12288);
}

/* UPPOL1: the first pole, held within the limits that the second one sets. */
static int first_pole(const band_t *band, int second)
{
    int step = (band->p[0] < 0) == (band->p[1] < 0) ? 192 : -192;
    int most = saturate(15360 - second);
    return limited(saturate(step + ((band->a[1] * 32640) >> 15)), -most, most);
}

/* UPZERO and DELAYA of the zeros. */
static void update_zeros(band_t *band)
{
    int step = band->d[0] == 0 ? 0 : 128;
    for (int n = 6; n > 0; n--) {
        bool same = (band->d[n] < 0) == (band->d[0] < 0);
        band->b[n] = saturate((same ? step : -step) + ((band->b[n] * 32640) >> 15));
    }
    for (int n = 6; n > 0; n--)
        band->d[n] = band->d[n - 1];
}

/* Block 4L or 4H: what the band will be next, after it was s + d. */
static void predict(band_t *band, int d)
{
    band->d[0] = d;
    band->r[0] = saturate(band->s + d);
    band->p[0] = saturate(band->sz + d);
    int second = second_pole(band);
    band->a[1] = first_pole(band, second);
    band->a[2] = second;
    update_zeros(band);
    for (int n = 2; n > 0; n--) {
        band->r[n] = band->r[n - 1];
        band->p[n] = band->p[n - 1];
    }
    /* FILTEP, FILTEZ, PREDIC. */
    band->sp = saturate(((band->a[1] * saturate(2 * band->r[1])) >> 15) +
                        ((band->a[2] * saturate(2 * band->r[2])) >> 15));
    int sz = 0;
    for (int n = 6; n > 0; n--)
        sz = saturate(sz + ((band->b[n] * saturate(2 * band->d[n])) >> 15));
    band->sz = sz;
    band->s = saturate(band->sp + sz);
}

/* The lower band goes on after a code of six bits. */
static void advance_low(band_t *band, int code)
{
    int d = (band->det * qm4[code >> 2]) >> 15;
    scale(band, wl[code >> 2], 18432, 8);
    predict(band, d);
}

/* The higher band goes on after a code of two bits; what was added to the prediction. */
static int advance_high(band_t *band, int code)
{
    int d = (band->det * qm2[code]) >> 15;
    scale(band, wh[code], 22528, 10);
    predict(band, d);
    return d;
}

/* QUANTL. */
static int code_low(const band_t *band, int x)
{
    int error = saturate(x - band->s);
    int size = error < 0 ? -error - 1 : error;
    int16_t reached = 0; /* sums of 16 bits are done eight at a time */
    for (int n = 0; n < 32; n++)
        reached += (int16_t)size >= (int16_t)((uint32_t)q6[n] * (uint16_t)band->det >> 16);
    int level = reached - 2;
    return error < 0 ? iln[level] : ilp[level];
}

/* QUANTH. */
static int code_high(const band_t *band, int x)
{
    int error = saturate(x - band->s);
    int size = error < 0 ? -error - 1 : error;
    bool outer = size >= (564 * band->det) >> 12;
    return error < 0 ? !outer : 2 + !outer;
}

/* -- streams -- */

static bool g722_open(void *state)
{
    g722_t *g722 = state;
    memset(g722, 0, sizeof *g722);
    g722->low.det = 32;
    g722->high.det = 8;
    return true;
}

/* The delay lines of the filter with a block behind them. */
typedef struct lines {
    int16_t even[TAPS - 1 + BLOCK], odd[TAPS - 1 + BLOCK];
} lines_t;

static void lines_open(lines_t *lines, const g722_t *g722)
{
    memcpy(lines->even, g722->even, sizeof g722->even);
    memcpy(lines->odd, g722->odd, sizeof g722->odd);
}

static void lines_close(const lines_t *lines, g722_t *g722, int size)
{
    memcpy(g722->even, lines->even + size, sizeof g722->even);
    memcpy(g722->odd, lines->odd + size, sizeof g722->odd);
}

static inline int filter(const int16_t *x, const int16_t coefficients[TAPS])
{
    int sum = 0;
    for (int n = 0; n < TAPS; n++)
        sum += x[n] * coefficients[n];
    return sum;
}

static void encode_block(g722_t *g722, const int16_t *samples, int size, uint8_t *out)
{
    lines_t lines;
    lines_open(&lines, g722);
    for (int n = 0; n < size; n++) {
        lines.even[TAPS - 1 + n] = samples[2 * n];
        lines.odd[TAPS - 1 + n] = samples[2 * n + 1];
    }
    for (int n = 0; n < size; n++) {
        int even = filter(lines.even + n, qmf_even), odd = filter(lines.odd + n, qmf_odd);
        int low = code_low(&g722->low, limited((even + odd) >> 14, LEAST, MOST));
        int high = code_high(&g722->high, limited((odd - even) >> 14, LEAST, MOST));
        advance_low(&g722->low, low);
        advance_high(&g722->high, high);
        out[n] = (uint8_t)(high << 6 | low);
    }
    lines_close(&lines, g722, size);
}

static void decode_block(g722_t *g722, const uint8_t *data, int size, int16_t *out)
{
    lines_t lines;
    lines_open(&lines, g722);
    for (int n = 0; n < size; n++) {
        int code = data[n] & 63;
        int low = limited(g722->low.s + ((g722->low.det * qm6[code]) >> 15), LEAST, MOST);
        advance_low(&g722->low, code);
        int predicted = g722->high.s;
        int high = limited(saturate(predicted + advance_high(&g722->high, data[n] >> 6)), LEAST, MOST);
        lines.even[TAPS - 1 + n] = (int16_t)(low + high);
        lines.odd[TAPS - 1 + n] = (int16_t)(low - high);
    }
    for (int n = 0; n < size; n++) {
        out[2 * n] = saturate(filter(lines.odd + n, qmf_odd) >> 11);
        out[2 * n + 1] = saturate(filter(lines.even + n, qmf_even) >> 11);
    }
    lines_close(&lines, g722, size);
}

static int g722_encode(void *state, const int16_t *samples, int count, uint8_t *out, int room)
{
    int size = count / 2;
    if (size > room)
        return -1;
    for (int at = 0; at < size; at += BLOCK)
        encode_block(state, samples + 2 * at, size - at < BLOCK ? size - at : BLOCK, out + at);
    return size;
}

static int g722_decode(void *state, const uint8_t *data, int size, int16_t *out, int room)
{
    if (size > room / 2)
        return -1;
    for (int at = 0; at < size; at += BLOCK)
        decode_block(state, data + at, size - at < BLOCK ? size - at : BLOCK, out + 2 * at);
    return 2 * size;
}

const codec_t g722_codec = {
    .name = "g722",
    .rate = 16000,
    .clock_rate = 8000,
    .frame_ms = 10,
    .frame_bytes = 80,
    .encoder_size = sizeof(g722_t),
    .decoder_size = sizeof(g722_t),
    .encoder_open = g722_open,
    .decoder_open = g722_open,
    .encode = g722_encode,
    .decode = g722_decode,
};
