#include "receiver.h"

/* RFC 3550 A.1 */
enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100 };

static void restart(receiver_t *receiver, uint16_t sequence)
{
    receiver->base = receiver->max = sequence;
    receiver->cycles = 0;
    receiver->bad_sequence = -1;
    receiver->expected_prior = receiver->received_prior = 0;
    receiver->received = 0;
}

void receiver_init(receiver_t *receiver, uint32_t ssrc, uint16_t sequence)
{
    memset(receiver, 0, sizeof *receiver);
    receiver->ssrc = ssrc;
    restart(receiver, sequence);
}

/* RFC 3550 A.1; false: a jump that a second packet has to confirm. */
static bool follow_sequence(receiver_t *receiver, uint16_t sequence)
{
    int step = (uint16_t)(sequence - receiver->max);
    if (step < MAX_DROPOUT) {
        if (sequence < receiver->max)
            receiver->cycles += 0x10000;
        receiver->max = sequence;
    } else if (step <= 0x10000 - MAX_MISORDER) {
        if (sequence != receiver->bad_sequence) {
            receiver->bad_sequence = (uint16_t)(sequence + 1);
            return false;
        }
        restart(receiver, sequence);
    }
    return true;
}

/* RFC 3550 A.8, in sixteenths. */
static void follow_jitter(receiver_t *receiver, uint32_t transit)
{
    if (receiver->has_transit) {
        int32_t change = timestamp_difference(transit, receiver->transit);
        uint32_t distance = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
        receiver->jitter16 += distance - ((receiver->jitter16 + 8) >> 4);
    }
    receiver->transit = transit;
    receiver->has_transit = true;
}

bool receiver_update(receiver_t *receiver, uint16_t sequence, uint32_t timestamp, uint32_t arrival)
{
    if (!follow_sequence(receiver, sequence))
        return false;
    receiver->received++;
    follow_jitter(receiver, arrival - timestamp);
    return true;
}

uint32_t receiver_jitter(const receiver_t *receiver) { return (uint32_t)(receiver->jitter16 >> 4); }

uint32_t receiver_highest(const receiver_t *receiver) { return (uint32_t)(receiver->cycles + receiver->max); }

static int64_t expected(const receiver_t *receiver) { return receiver->cycles + receiver->max - receiver->base + 1; }

int32_t receiver_lost(const receiver_t *receiver)
{
    if (receiver->received == 0)
        return 0;
    int64_t lost = expected(receiver) - receiver->received; /* within signed 24 bits: A.3 */
    return lost < -0x800000 ? -0x800000 : lost > 0x7FFFFF ? 0x7FFFFF : (int32_t)lost;
}

int receiver_fraction_lost(receiver_t *receiver)
{
    int64_t due = expected(receiver) - receiver->expected_prior;
    int64_t lost = due - (receiver->received - receiver->received_prior);
    receiver->expected_prior += due;
    receiver->received_prior = receiver->received;
    if (due <= 0 || lost <= 0)
        return 0;
    int64_t fraction = lost * 256 / due;
    return fraction > 255 ? 255 : (int)fraction;
}
