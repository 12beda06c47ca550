/* Digits as RTP payloads (RFC 4733). */
#ifndef ARIETTA_TELEPHONE_EVENT_H
#define ARIETTA_TELEPHONE_EVENT_H

#include "base.h"

#define TELEPHONE_DIGITS "0123456789*#ABCD" /* event codes 0 to 15 */

typedef struct digit_told {
    char digit;
    int64_t duration; /* -1: it begins; else its length in clock units */
} digit_told_t;

/* Turns event packets, which repeat and get lost, into one begin and one end for each digit. */
typedef struct digit_receiver {
    char digit; /* held at the moment; 0 none */
    uint32_t start, seen;
    uint32_t length;
    bool has_ended;
    uint32_t ended;
} digit_receiver_t;

void digit_receiver_init(digit_receiver_t *receiver);
/* What one packet tells: up to three; -1 when the payload is no event. */
int digit_receiver_take(digit_receiver_t *receiver, uint32_t timestamp, const uint8_t *payload, int size,
                        digit_told_t told[3]);
/* Gives up waiting for the end of a digit whose packets stopped coming: up to one. */
int digit_receiver_silent(digit_receiver_t *receiver, digit_told_t told[1]);
/* The four bytes of a report. */
void telephone_event_write(uint8_t out[4], uint8_t event, bool end, uint8_t volume, uint16_t duration);
/* Code of a digit, -1 when it is none. */
int telephone_event_code(char digit);

#endif
