#include "event.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool event_queue_open(event_queue_t *queue, int signal)
{
    memset(queue, 0, sizeof *queue);
    queue->signal = signal;
    return pthread_mutex_init(&queue->lock, NULL) == 0;
}

void event_queue_close(event_queue_t *queue)
{
    free(queue->events);
    queue->events = NULL;
    queue->count = queue->room = 0;
    pthread_mutex_destroy(&queue->lock);
}

static bool is_end(event_kind_t kind)
{
    return kind == EVENT_PLAY_END || kind == EVENT_RECORD_END || kind == EVENT_DIGITS_SENT || kind == EVENT_POSTED ||
           kind == EVENT_FRAMES || kind == EVENT_RECORD_FULL || kind == EVENT_MUSIC ||
           kind == EVENT_DIED || kind == EVENT_PACKETS || kind == EVENT_REPORTS;
}

static bool make_room(event_queue_t *queue)
{
    if (queue->count < queue->room)
        return true;
    int room = queue->room ? 2 * queue->room : 64;
    event_t *events = realloc(queue->events, (size_t)room * sizeof *events);
    if (!events)
        return false;
    queue->events = events;
    queue->room = room;
    return true;
}

void event_put(event_queue_t *queue, event_kind_t kind, uint64_t subject, int64_t a, int64_t b)
{
    pthread_mutex_lock(&queue->lock);
    bool was_empty = queue->count == 0;
    if ((queue->count < MOST_EVENTS || is_end(kind)) && make_room(queue))
        queue->events[queue->count++] = (event_t){.kind = kind, .subject = subject, .a = a, .b = b};
    else
        queue->dropped++;
    pthread_mutex_unlock(&queue->lock);
    if (was_empty && queue->signal >= 0)
        eventfd_write(queue->signal, 1);
}

event_t *event_take_all(event_queue_t *queue, int *count)
{
    pthread_mutex_lock(&queue->lock);
    event_t *events = queue->events;
    *count = queue->count;
    queue->events = NULL;
    queue->count = queue->room = 0;
    pthread_mutex_unlock(&queue->lock);
    return events;
}
