#include "jitter.h"

#include <stdlib.h>

enum {
    MOST_MS = 500,          /* more than this waiting is too much: the oldest are dropped */
    MOST_PACKETS = 64,      /* likewise, of packets that hold next to nothing */
    MOST_CONCEALED = 5,     /* frames in a row that are made up for lost ones; a longer gap is left out */
    WINDOW_FRAMES = 250,    /* after which the depth is looked at: a sender's faster clock costs one frame then */
    MOST_LATE = 100,        /* packets; what is older begins a new stream */
    MOST_AHEAD = 1000,      /* likewise, what is newer */
};

/* A payload's bytes; the memory stays with the buffer and is used again. */
typedef struct bytes {
    uint8_t *memory;
    int room, begin, size;
} bytes_t;

typedef struct packet {
    bytes_t payload;
    const codec_t *codec;
    int ms;
    uint16_t sequence;
} packet_t;

struct jitter {
    packet_t *packets; /* the first `count` wait, in no order; the others keep their memory */
    int count, room;
    bytes_t stock;     /* of the packet that is being given out, whole frames of `codec` or less */
    const codec_t *codec;
    jitter_rules_t rules;
    int waiting_ms, target_ms;
    int ahead_ms;      /* of varying frames: given out beyond this tick; negative: the tick is not full yet */
    int32_t next;      /* sequence number that is due; -1: any */
    uint16_t first;    /* that came into the empty buffer: what `any` is counted from */
    bool playing;
    int concealed, frames, least_ms;
    int64_t dropped, lost;
};

static const jitter_frame_t nothing;
const jitter_rules_t jitter_adaptive = {.target_ms = 40, .largest_ms = 200};

bool jitter_rules_differ(const jitter_rules_t *one, const jitter_rules_t *other)
{
    return one->fixed != other->fixed || one->target_ms != other->target_ms || one->largest_ms != other->largest_ms ||
           one->resync_ms != other->resync_ms;
}

jitter_t *jitter_new(const jitter_rules_t *rules)
{
    jitter_t *jitter = calloc(1, sizeof *jitter);
    if (!jitter)
        return NULL;
    jitter->rules = *rules;
    jitter->target_ms = rules->target_ms;
    jitter->next = -1;
    jitter->least_ms = MOST_MS;
    return jitter;
}

void jitter_free(jitter_t *jitter)
{
    if (!jitter)
        return;
    for (int n = 0; n < jitter->room; n++)
        free(jitter->packets[n].payload.memory);
    free(jitter->packets);
    free(jitter->stock.memory);
    free(jitter);
}

void jitter_clear(jitter_t *jitter)
{
    jitter->count = 0;
    jitter->waiting_ms = jitter->ahead_ms = jitter->frames = 0;
    jitter->next = -1;
    jitter->playing = false;
    jitter->stock.size = 0;
}

bool jitter_empty(const jitter_t *jitter)
{
    return jitter->count == 0 && jitter->stock.size == 0 && jitter->ahead_ms <= 0;
}

int jitter_target_ms(const jitter_t *jitter) { return jitter->target_ms; }
int64_t jitter_dropped(const jitter_t *jitter) { return jitter->dropped; }
int64_t jitter_lost(const jitter_t *jitter) { return jitter->lost; }

int jitter_depth_ms(const jitter_t *jitter)
{
    int ms = jitter->waiting_ms + (jitter->ahead_ms > 0 ? jitter->ahead_ms : 0);
    if (jitter->stock.size > 0)
        ms += jitter->stock.size * jitter->codec->frame_ms / jitter->codec->frame_bytes;
    return ms;
}

/* Bytes of one tick; 0 when the codec's frames vary. */
static int tick_bytes(const codec_t *codec) { return codec_bytes(codec, FRAME_MS); }

static int find(const jitter_t *jitter, int32_t sequence)
{
    for (int n = 0; n < jitter->count; n++)
        if (jitter->packets[n].sequence == sequence)
            return n;
    return -1;
}

/* Of those that wait, of which there is one at least. */
static int oldest(const jitter_t *jitter)
{
    uint16_t anchor = jitter->next >= 0 ? (uint16_t)jitter->next : jitter->first;
    int found = 0;
    for (int n = 1; n < jitter->count; n++)
        if (sequence_difference(jitter->packets[n].sequence, anchor) <
            sequence_difference(jitter->packets[found].sequence, anchor))
            found = n;
    return found;
}

/* It no longer waits; its bytes stay as they are until the next jitter_put. */
static packet_t *pop(jitter_t *jitter, int n)
{
    packet_t *last = &jitter->packets[--jitter->count];
    packet_t popped = jitter->packets[n];
    jitter->packets[n] = *last;
    *last = popped;
    jitter->waiting_ms -= popped.ms;
    jitter->next = (uint16_t)(popped.sequence + 1);
    return last;
}

static bool reserve(bytes_t *bytes, int size)
{
    if (size <= bytes->room)
        return true;
    uint8_t *memory = realloc(bytes->memory, (size_t)size);
    if (!memory)
        return false;
    bytes->memory = memory;
    bytes->room = size;
    return true;
}

/* An unused place with room for a payload, and for a frame more: jitter_get joins and pads without allocating. */
static packet_t *place_for(jitter_t *jitter, const codec_t *codec, int size)
{
    if (jitter->count == jitter->room) {
        int room = jitter->room ? 2 * jitter->room : 4;
        packet_t *packets = realloc(jitter->packets, (size_t)room * sizeof *packets);
        if (!packets)
            return NULL;
        memset(packets + jitter->room, 0, (size_t)(room - jitter->room) * sizeof *packets);
        jitter->packets = packets;
        jitter->room = room;
    }
    packet_t *packet = &jitter->packets[jitter->count];
    return reserve(&packet->payload, size + tick_bytes(codec)) ? packet : NULL;
}

static bool store(jitter_t *jitter, uint16_t sequence, const codec_t *codec, const uint8_t *payload, int size, int ms)
{
    packet_t *packet = place_for(jitter, codec, size);
    if (!packet)
        return false;
    memcpy(packet->payload.memory, payload, (size_t)size);
    packet->payload.begin = 0;
    packet->payload.size = size;
    packet->codec = codec;
    packet->ms = ms;
    packet->sequence = sequence;
    if (jitter->count == 0)
        jitter->first = sequence;
    jitter->count++;
    jitter->waiting_ms += ms;
    return true;
}

/* Packets of so long that a jump may have which begins no new stream. */
static int most_apart(const jitter_t *jitter, int usual, int ms)
{
    return jitter->rules.resync_ms > 0 && ms > 0 ? jitter->rules.resync_ms / ms + 1 : usual;
}

static void deepen(jitter_t *jitter)
{
    if (!jitter->rules.fixed && jitter->target_ms < jitter->rules.largest_ms)
        jitter->target_ms += FRAME_MS;
}

/* False when its time is over. A jump of the sequence numbers begins a new stream. */
static bool in_time(jitter_t *jitter, uint16_t sequence, int ms)
{
    if (jitter->next < 0)
        return true;
    int ahead = sequence_difference(sequence, (uint16_t)jitter->next);
    if (ahead <= -most_apart(jitter, MOST_LATE, ms) || ahead > most_apart(jitter, MOST_AHEAD, ms)) {
        jitter_clear(jitter);
        return true;
    }
    if (ahead >= 0)
        return true;
    if (jitter->playing)
        deepen(jitter);
    return false;
}

void jitter_put(jitter_t *jitter, uint16_t sequence, const codec_t *codec, const uint8_t *payload, int size)
{
    int ms = size > 0 && size <= MAX_PACKET ? codec_ms(codec, payload, size) : 0;
    if (!in_time(jitter, sequence, ms) || ms <= 0 || find(jitter, sequence) >= 0 ||
        !store(jitter, sequence, codec, payload, size, ms)) {
        jitter->dropped++;
        return;
    }
    while ((jitter->waiting_ms > MOST_MS && jitter->count > 1) || jitter->count > MOST_PACKETS) {
        pop(jitter, oldest(jitter));
        jitter->dropped++;
    }
}

static jitter_frame_t frame_of(const codec_t *codec, const uint8_t *data, int size)
{
    return (jitter_frame_t){.kind = JITTER_FRAME, .codec = codec, .data = data, .size = size};
}

/* The next tick of the stock, which must be there. */
static jitter_frame_t from_stock(jitter_t *jitter)
{
    int size = tick_bytes(jitter->codec);
    jitter_frame_t frame = frame_of(jitter->codec, jitter->stock.memory + jitter->stock.begin, size);
    jitter->stock.begin += size;
    jitter->stock.size -= size;
    return frame;
}

/* The end of a spurt that does not fill its last frame: silence follows it. */
static jitter_frame_t padded_stock(jitter_t *jitter)
{
    bytes_t *stock = &jitter->stock;
    int size = tick_bytes(jitter->codec);
    if (stock->begin + size > stock->room) {
        memmove(stock->memory, stock->memory + stock->begin, (size_t)stock->size);
        stock->begin = 0;
    }
    if (jitter->codec->silence_bytes == size)
        memcpy(stock->memory + stock->begin + stock->size, jitter->codec->silence + stock->size, (size_t)(size - stock->size));
    else
        memset(stock->memory + stock->begin + stock->size, 0, (size_t)(size - stock->size));
    stock->size = size;
    return from_stock(jitter);
}

/*
 * Puts what is left of the stock before the packet's bytes, and lets them change places: the frame given out last may
 * lie in the old stock, which therefore stays as it is.
 */
static void restock(jitter_t *jitter, packet_t *packet)
{
    bytes_t *fresh = &packet->payload, old = jitter->stock;
    if (packet->codec == jitter->codec && old.size > 0) {
        memmove(fresh->memory + old.size, fresh->memory, (size_t)fresh->size);
        memcpy(fresh->memory, old.memory + old.begin, (size_t)old.size);
        fresh->size += old.size;
    }
    jitter->codec = packet->codec;
    jitter->stock = *fresh;
    *fresh = old;
    jitter->ahead_ms = 0;
}

/* The packet that is due is missing. */
static jitter_frame_t missing(jitter_t *jitter)
{
    if (!jitter->codec)
        return nothing;
    if (jitter->count == 0)
        return jitter->stock.size > 0 ? padded_stock(jitter) : nothing;
    jitter->lost++;
    jitter->next = (uint16_t)(jitter->next + 1);
    if (jitter->concealed >= MOST_CONCEALED) {
        uint16_t found = jitter->packets[oldest(jitter)].sequence;
        jitter->lost += (uint16_t)(found - jitter->next);
        jitter->next = found;
    }
    jitter->stock.size = 0;
    jitter->concealed++;
    return (jitter_frame_t){.kind = JITTER_LOST, .codec = jitter->codec, .run = jitter->concealed};
}

static jitter_frame_t whole_packet(jitter_t *jitter, const packet_t *packet)
{
    jitter->codec = packet->codec;
    jitter->stock.size = 0;
    jitter->concealed = 0;
    jitter->ahead_ms += packet->ms;
    return frame_of(packet->codec, packet->payload.memory, packet->payload.size);
}

static jitter_frame_t take(jitter_t *jitter)
{
    for (;;) {
        if (jitter->stock.size > 0 && jitter->stock.size >= tick_bytes(jitter->codec)) {
            jitter->concealed = 0;
            return from_stock(jitter);
        }
        int due = find(jitter, jitter->next);
        if (due < 0)
            return missing(jitter);
        packet_t *packet = pop(jitter, due);
        if (packet->codec->frame_bytes == 0)
            return whole_packet(jitter, packet);
        restock(jitter, packet);
    }
}

/* What take gives, as the frame of a tick: time passes. */
static jitter_frame_t take_tick(jitter_t *jitter)
{
    jitter_frame_t frame = take(jitter);
    if (frame.kind == JITTER_FRAME && frame.codec->frame_bytes == 0)
        jitter->ahead_ms -= FRAME_MS;
    return frame;
}

static void begin(jitter_t *jitter)
{
    jitter->playing = true;
    jitter->frames = 0;
    jitter->least_ms = MOST_MS;
    if (jitter->count > 0)
        jitter->next = jitter->packets[oldest(jitter)].sequence;
}

/* A spurt shorter than the target must come out too: it waits as long as the target at most. */
static jitter_frame_t impatient(jitter_t *jitter)
{
    jitter->frames++;
    if (jitter->frames * FRAME_MS < jitter->target_ms)
        return nothing;
    begin(jitter);
    return take_tick(jitter);
}

/* Shortens the delay by a frame. */
static void skip(jitter_t *jitter)
{
    int ahead_ms = jitter->ahead_ms;
    take(jitter);
    jitter->ahead_ms = ahead_ms;
    jitter->dropped++;
}

/* When even the least depth of a window is more than needed, a frame is skipped, or the target comes down. */
static void watch_depth(jitter_t *jitter)
{
    int depth = jitter_depth_ms(jitter);
    if (depth < jitter->least_ms)
        jitter->least_ms = depth;
    jitter->frames++;
    if (jitter->frames < WINDOW_FRAMES)
        return;
    if (jitter->least_ms > jitter->target_ms && jitter->count > 0)
        skip(jitter);
    else if (jitter->target_ms > jitter->rules.target_ms && jitter->least_ms > FRAME_MS)
        jitter->target_ms -= FRAME_MS;
    jitter->frames = 0;
    jitter->least_ms = MOST_MS;
}

jitter_frame_t jitter_get(jitter_t *jitter)
{
    if (jitter->ahead_ms >= FRAME_MS) {
        jitter->ahead_ms -= FRAME_MS;
        return (jitter_frame_t){.kind = JITTER_NOTHING, .codec = jitter->codec};
    }
    if (jitter->ahead_ms < 0)
        jitter->ahead_ms = 0;
    if (!jitter->playing) {
        if (jitter_depth_ms(jitter) < jitter->target_ms)
            return jitter->count > 0 ? impatient(jitter) : nothing;
        begin(jitter);
    }
    jitter_frame_t frame = take_tick(jitter);
    if (frame.kind == JITTER_NOTHING) {
        jitter->playing = false;
        jitter->concealed = jitter->frames = jitter->ahead_ms = 0;
        return nothing;
    }
    watch_depth(jitter);
    return frame;
}

jitter_frame_t jitter_more(jitter_t *jitter)
{
    int due = jitter->ahead_ms < 0 ? find(jitter, jitter->next) : -1;
    if (due < 0 || jitter->packets[due].codec != jitter->codec)
        return nothing;
    return whole_packet(jitter, pop(jitter, due));
}
