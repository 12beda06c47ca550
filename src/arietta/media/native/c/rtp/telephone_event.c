#include "telephone_event.h"

enum { LONGEST_SEGMENT = 0xFFFF };

void digit_receiver_init(digit_receiver_t *receiver) { memset(receiver, 0, sizeof *receiver); }

static int begin(digit_receiver_t *receiver, char digit, uint32_t timestamp, digit_told_t *told)
{
    receiver->digit = digit;
    receiver->start = receiver->seen = timestamp;
    receiver->length = 0;
    *told = (digit_told_t){.digit = digit, .duration = -1};
    return 1;
}

static int finish(digit_receiver_t *receiver, digit_told_t *told)
{
    if (!receiver->digit)
        return 0;
    int64_t duration = (int64_t)(uint32_t)(receiver->seen - receiver->start) + receiver->length;
    *told = (digit_told_t){.digit = receiver->digit, .duration = duration};
    receiver->digit = 0;
    receiver->has_ended = true;
    receiver->ended = receiver->seen;
    return 1;
}

/* RFC 4733 2.5.1.3: a long event goes on in a packet whose timestamp is the end of the one before. */
static bool next_segment(const digit_receiver_t *receiver, char digit, uint32_t timestamp)
{
    return digit == receiver->digit && receiver->length >= LONGEST_SEGMENT / 2 &&
           timestamp == receiver->seen + receiver->length;
}

/* Repetitions of an end, and what was overtaken by it or by the digit that is held. */
static bool overtaken(const digit_receiver_t *receiver, uint32_t timestamp)
{
    if (receiver->has_ended && timestamp_difference(timestamp, receiver->ended) <= 0)
        return true;
    return receiver->digit && timestamp_difference(timestamp, receiver->seen) < 0;
}

int digit_receiver_take(digit_receiver_t *receiver, uint32_t timestamp, const uint8_t *payload, int size,
                        digit_told_t told[3])
{
    if (size < 4)
        return -1;
    if (payload[0] >= sizeof TELEPHONE_DIGITS - 1 || overtaken(receiver, timestamp))
        return 0;
    char digit = TELEPHONE_DIGITS[payload[0]];
    int count = 0;
    if (receiver->digit && timestamp != receiver->seen) {
        if (next_segment(receiver, digit, timestamp)) {
            receiver->seen = timestamp;
            receiver->length = 0;
        } else {
            count += finish(receiver, told + count);
        }
    }
    if (!receiver->digit)
        count += begin(receiver, digit, timestamp, told + count);
    else if (digit != receiver->digit)
        return count;
    uint16_t duration = read_be16(payload + 2);
    if (duration > receiver->length)
        receiver->length = duration;
    if (payload[1] > 0x7F)
        count += finish(receiver, told + count);
    return count;
}

int digit_receiver_silent(digit_receiver_t *receiver, digit_told_t told[1]) { return finish(receiver, told); }

void telephone_event_write(uint8_t out[4], uint8_t event, bool end, uint8_t volume, uint16_t duration)
{
    out[0] = event;
    out[1] = (uint8_t)((end ? 0x80 : 0) | (volume & 0x3F));
    write_be16(out + 2, duration);
}

int telephone_event_code(char digit)
{
    const char *at = digit ? strchr(TELEPHONE_DIGITS, digit) : NULL;
    return at ? (int)(at - TELEPHONE_DIGITS) : -1;
}
