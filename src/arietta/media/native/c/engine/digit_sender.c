#include "digit_sender.h"

#include <stdlib.h>

#include "port.h"

digit_sender_t *digit_sender_new(void) { return calloc(1, sizeof(digit_sender_t)); }

void digit_sender_free(digit_sender_t *sender)
{
    if (!sender)
        return;
    free(sender->items);
    free(sender);
}

static digit_item_t *item_at(digit_sender_t *sender, int n) { return &sender->items[(sender->head + n) % sender->room]; }

static bool push(digit_sender_t *sender, digit_item_t item)
{
    if (sender->count == sender->room) {
        int room = sender->room ? 2 * sender->room : 8;
        digit_item_t *items = malloc((size_t)room * sizeof *items);
        if (!items)
            return false;
        for (int n = 0; n < sender->count; n++)
            items[n] = *item_at(sender, n);
        free(sender->items);
        sender->items = items;
        sender->room = room;
        sender->head = 0;
    }
    *item_at(sender, sender->count++) = item;
    return true;
}

static digit_item_t pop(digit_sender_t *sender)
{
    digit_item_t item = *item_at(sender, 0);
    sender->head = (sender->head + 1) % sender->room;
    sender->count--;
    return item;
}

static int within(int64_t duration_ms)
{
    return duration_ms < LEAST_DIGIT_MS ? LEAST_DIGIT_MS : duration_ms > LONGEST_DIGIT_MS ? LONGEST_DIGIT_MS : (int)duration_ms;
}

bool digit_sender_send(digit_sender_t *sender, char digit, int duration_ms, int gap_ms)
{
    return push(sender, (digit_item_t){.digit = digit, .duration_ms = within(duration_ms), .gap_ms = gap_ms < 0 ? 0 : gap_ms});
}

bool digit_sender_mark(digit_sender_t *sender, uint64_t token) { return push(sender, (digit_item_t){.token = token}); }

void digit_sender_begin(digit_sender_t *sender, char digit)
{
    if (sender->count < MOST_DIGITS)
        push(sender, (digit_item_t){.digit = digit, .duration_ms = -1, .gap_ms = LIVE_GAP_MS});
}

void digit_sender_end(digit_sender_t *sender, char digit, int64_t duration_ms)
{
    for (int n = 0; n < sender->count; n++) {
        digit_item_t *item = item_at(sender, n);
        if (item->digit == digit && item->duration_ms < 0) {
            item->duration_ms = within(duration_ms);
            return;
        }
    }
}

static void tell_marks(digit_sender_t *sender, port_t *port)
{
    while (sender->count > 0 && item_at(sender, 0)->digit == 0)
        port_tell(port, EVENT_DIGITS_SENT, (int64_t)pop(sender).token, 0);
}

bool digit_sender_tick(digit_sender_t *sender, port_t *port, int64_t tick)
{
    if (sender->gap_ms > 0) {
        sender->gap_ms -= FRAME_MS;
        if (sender->gap_ms > 0)
            return false;
    }
    tell_marks(sender, port);
    if (sender->count == 0)
        return false;
    digit_item_t *item = item_at(sender, 0);
    int elapsed = sender->elapsed_ms;
    if (elapsed >= LONGEST_DIGIT_MS && item->duration_ms < 0)
        item->duration_ms = elapsed;
    if (item->duration_ms < 0 || elapsed < item->duration_ms) {
        sender->elapsed_ms = elapsed + FRAME_MS;
        return port->kind->digit_out(port, item->digit, elapsed, -1, tick);
    }
    digit_item_t ended = pop(sender);
    sender->elapsed_ms = 0;
    sender->gap_ms = ended.gap_ms;
    int duration = ended.duration_ms < LEAST_DIGIT_MS ? LEAST_DIGIT_MS : ended.duration_ms;
    bool taken = port->kind->digit_out(port, ended.digit, elapsed, duration, tick);
    if (sender->gap_ms <= 0)
        tell_marks(sender, port);
    return taken;
}

void digit_sender_abandon(digit_sender_t *sender, port_t *port)
{
    sender->gap_ms = sender->elapsed_ms = 0;
    while (sender->count > 0) {
        digit_item_t item = pop(sender);
        if (item.digit == 0)
            port_tell(port, EVENT_DIGITS_SENT, (int64_t)item.token, 0);
    }
}
