/* Any datagram as RTP: what is counted of it, and digits in it. */
#include <stdlib.h>

#include "receiver.h"
#include "rtp.h"
#include "telephone_event.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void hear_digits(digit_receiver_t *digits, const rtp_packet_t *packet)
{
    digit_told_t told[3];
    int count = digit_receiver_take(digits, packet->timestamp, packet->payload, packet->size, told);
    check(count <= 3);
    for (int n = 0; n < count; n++)
        check(telephone_event_code(told[n].digit) >= 0 && told[n].duration >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    receiver_t receiver;
    digit_receiver_t digits;
    digit_receiver_init(&digits);
    receiver_init(&receiver, 1, 0);
    size_t at = 0;
    while (at < size) { /* datagrams, each behind a byte for its size */
        size_t length = data[at++];
        if (length > size - at)
            length = size - at;
        rtp_packet_t packet;
        if (rtp_parse(&packet, data + at, (int)length)) {
            check(packet.payload >= data + at + RTP_HEADER && packet.size >= 0);
            check(packet.payload + packet.size <= data + at + length);
            receiver_update(&receiver, packet.sequence, packet.timestamp, packet.ssrc);
            hear_digits(&digits, &packet);
            if (packet.marker)
                check(receiver_fraction_lost(&receiver) <= 255);
        }
        at += length;
    }
    receiver_lost(&receiver);
    receiver_highest(&receiver);
    receiver_jitter(&receiver);
    return 0;
}
