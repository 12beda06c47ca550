/* Digits being sent: one after the other, each for its time. */
#ifndef ARIETTA_DIGIT_SENDER_H
#define ARIETTA_DIGIT_SENDER_H

#include "base.h"

enum {
    MOST_DIGITS = 1000,
    LEAST_DIGIT_MS = 40,
    LONGEST_DIGIT_MS = 8000, /* one event packet can tell of 8191 ms at 8 kHz */
    LIVE_GAP_MS = 40,
};

struct port;

typedef struct digit_item {
    char digit;          /* 0: a mark that tells somebody waiting */
    int32_t duration_ms; /* -1: still held */
    int32_t gap_ms;
    uint64_t token;      /* of a mark */
} digit_item_t;

/* The queue of one port's digits. */
typedef struct digit_sender {
    digit_item_t *items; /* a ring that grows up to MOST_DIGITS and their marks */
    int room, head, count;
    int elapsed_ms, gap_ms;
} digit_sender_t;

digit_sender_t *digit_sender_new(void);
void digit_sender_free(digit_sender_t *sender);
static inline bool digit_sender_idle(const digit_sender_t *sender) { return sender->count == 0 && sender->gap_ms <= 0; }
/* How many more digits may wait. */
static inline int digit_sender_room(const digit_sender_t *sender) { return MOST_DIGITS - sender->count; }
/* Queues a digit whose duration is known; false without memory. */
bool digit_sender_send(digit_sender_t *sender, char digit, int duration_ms, int gap_ms);
/* Queues a mark: DIGITS_SENT with this token when all before it is over. */
bool digit_sender_mark(digit_sender_t *sender, uint64_t token);
/* Queues a digit that is still held; digit_sender_end is to follow. */
void digit_sender_begin(digit_sender_t *sender, char digit);
void digit_sender_end(digit_sender_t *sender, char digit, int64_t duration_ms);
/* This tick's part, sent by the port's kind; whether it took the tick. */
bool digit_sender_tick(digit_sender_t *sender, struct port *port, int64_t tick);
/* Forgets all; those who wait are told. */
void digit_sender_abandon(digit_sender_t *sender, struct port *port);

#endif
