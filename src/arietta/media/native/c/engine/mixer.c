#include "mixer.h"

#include <math.h>
#include <stdlib.h>

#include "local_port.h"
#include "rtp_port.h"

enum {
    WIDE_TICKS = 100,  /* a mix keeps its rate for two seconds after the last that had it */
    SETTLE_TICKS = 10, /* packets that wait are heard so much after a relay */
};

mixer_t *mixer_new(core_t *core, bool holding, bool pair)
{
    mixer_t *mixer = calloc(1, sizeof *mixer);
    if (!mixer)
        return NULL;
    mixer->core = core;
    mixer->id = core_new_id(core);
    mixer->holding = holding;
    mixer->last_tick = -2;
    mixer->pair = pair;
    mixer->mode = holding ? MIXER_HOLDING : MIXER_PAIR;
    core_adopt_mixer(core, mixer);
    return mixer;
}

static void drop_generator(mixer_t *mixer)
{
    if (!mixer->generator)
        return;
    feed_close(mixer->generator);
    free(mixer->generator);
    mixer->generator = NULL;
}

void mixer_free(mixer_t *mixer)
{
    drop_generator(mixer);
    converter_close(&mixer->generator_converter);
    converter_close(&mixer->next_generator_converter);
    free(mixer);
}

void mixer_generate(mixer_t *mixer, bool on)
{
    drop_generator(mixer);
    if (on) {
        mixer->generator = malloc(sizeof *mixer->generator);
        if (mixer->generator)
            feed_open(mixer->generator, codec_host(8000), 0);
    }
    mixer_update(mixer);
}

void mixer_close(mixer_t *mixer)
{
    if (mixer->closed)
        return;
    mixer->closed = true;
    drop_generator(mixer);
    while (mixer->members)
        mixer_leave(mixer, mixer->members);
    core_forget_mixer(mixer->core, mixer);
}

/* -- membership -- */

void mixer_join(mixer_t *mixer, port_t *port, bool muted, bool announcer)
{
    port->member.muted = muted;
    port->member.announcer = announcer;
    port->member.next = NULL;
    port->member.previous = mixer->last_member;
    if (mixer->last_member)
        mixer->last_member->member.next = port;
    else
        mixer->members = port;
    mixer->last_member = port;
    mixer->member_count++;
    port->mixer = mixer;
    port_changed(port);
}

static void unlist_member(mixer_t *mixer, port_t *port)
{
    struct member *member = &port->member;
    if (member->previous)
        member->previous->member.next = member->next;
    else
        mixer->members = member->next;
    if (member->next)
        member->next->member.previous = member->previous;
    else
        mixer->last_member = member->previous;
    member->next = member->previous = NULL;
    mixer->member_count--;
}

static void withdraw_offer(mixer_t *mixer, port_t *port)
{
    if (!port->member.offer)
        return;
    frame_set(&mixer->core->pool, &port->member.offer, NULL);
    port_t *before = NULL;
    for (port_t *one = mixer->offers; one; before = one, one = one->member.next_offer)
        if (one == port) {
            if (before)
                before->member.next_offer = one->member.next_offer;
            else
                mixer->offers = one->member.next_offer;
            if (mixer->last_offer == one)
                mixer->last_offer = before;
            mixer->offer_count--;
            return;
        }
}

void mixer_leave(mixer_t *mixer, port_t *port)
{
    withdraw_offer(mixer, port);
    unlist_member(mixer, port);
    converter_close(&port->member.converter);
    converter_close(&port->member.next_converter);
    converter_close(&port->member.next_hearing);
    port->mixer = NULL;
    frame_set(&mixer->core->pool, &port->incoming, NULL);
    if (port->kind == &rtp_kind)
        rtp_port_set_relay((rtp_port_t *)port, NULL);
    if (!port->closed)
        port_changed(port);
    mixer_update(mixer);
    if (mixer->pair && !mixer->closed && mixer->member_count < 2)
        mixer_close(mixer);
}

static bool counts(const port_t *port) { return port->kind != &mix_kind || mix_port_working(port); }

/* Nobody hears its packets before they go, and nothing changes them. */
static bool passes(const port_t *port)
{
    return !port_overheard(port) && port_is_plain(port) && !port->muted_in && !port->member.muted;
}

/* Whether one's packets may pass to the other as they are. */
static bool may_relay(const port_t *port, const port_t *peer)
{
    const rtp_port_t *one = (const rtp_port_t *)port, *other = (const rtp_port_t *)peer;
    const codec_t *received = rtp_port_received_codec(one);
    return one->configured && other->configured && !one->evens_out && passes(port) &&
           one->settings.send_codec == other->settings.send_codec && one->settings.ptime_ms == other->settings.ptime_ms &&
           (!received || received == one->settings.send_codec);
}

static void set_relays(mixer_t *mixer, rtp_port_t *one, rtp_port_t *other)
{
    for (port_t *member = mixer->members; member; member = member->member.next) {
        rtp_port_t *port = (rtp_port_t *)member;
        if (member->kind == &rtp_kind)
            rtp_port_set_relay(port, port == one ? other : port == other ? one : NULL);
    }
}

/* Every member gets a track in each recording that keeps the parties apart. */
static void admit_parties(mixer_t *mixer)
{
    mixer->kept_apart = false;
    for (port_t *ear = mixer->members; ear; ear = ear->member.next)
        for (recorder_t *one = ear->kind == &mix_kind ? ear->recorders : NULL, *next; one; one = next) {
            next = one->next;
            if (!one->parties)
                continue;
            mixer->kept_apart = true;
            for (port_t *party = mixer->members; party; party = party->member.next)
                if (party->kind != &mix_kind)
                    recorder_admit(one, party);
        }
}

void mixer_update(mixer_t *mixer)
{
    port_t *two[2] = {NULL, NULL};
    int count = 0;
    for (port_t *member = mixer->members; member; member = member->member.next)
        if (counts(member)) {
            if (count < 2)
                two[count] = member;
            count++;
        }
    bool relay = !mixer->holding && !mixer->generator && count == 2 && two[0]->kind == &rtp_kind &&
                 two[1]->kind == &rtp_kind && may_relay(two[0], two[1]) && may_relay(two[1], two[0]);
    mixer->mode = mixer->holding                        ? MIXER_HOLDING
                  : relay                               ? MIXER_RELAY
                  : count <= 2 && !mixer->generator     ? MIXER_PAIR
                                                        : MIXER_MIX;
    if (relay)
        mixer->relay_rate = two[0]->codec->rate;
    set_relays(mixer, relay ? (rtp_port_t *)two[0] : NULL, relay ? (rtp_port_t *)two[1] : NULL);
    admit_parties(mixer);
    if (mixer->generator && mixer->members)
        core_activate_mixer(mixer->core, mixer);
}

/* -- the tick -- */

void mixer_offer(mixer_t *mixer, port_t *port, frame_t *frame)
{
    if (port->member.muted || (mixer->holding && !port->member.announcer) || port->member.offer)
        return;
    port->member.offer = frame_hold(frame);
    port->member.next_offer = NULL;
    if (mixer->last_offer)
        mixer->last_offer->member.next_offer = port;
    else
        mixer->offers = port;
    mixer->last_offer = port;
    mixer->offer_count++;
    core_activate_mixer(mixer->core, mixer);
}

static void give(mixer_t *mixer, port_t *port, frame_t *frame, bool next)
{
    frame_set(&mixer->core->pool, next ? &port->member.upcoming : &port->incoming, frame_hold(frame));
    core_activate(mixer->core, port);
}

static void tick_holding(mixer_t *mixer, frame_t *background)
{
    frame_t *frame = mixer->last_offer ? mixer->last_offer->member.offer : background;
    for (port_t *port = mixer->members; port; port = port->member.next) {
        bool announces = port->member.announcer && port->kind != &mix_kind;
        if (!port->member.offer && !announces)
            give(mixer, port, frame, false);
    }
}

/* Each hears the first other who speaks; a mixer's own hears itself too when nobody else does. */
static void tick_direct(mixer_t *mixer, bool next)
{
    for (port_t *port = mixer->members; port; port = port->member.next) {
        port_t *speaker = mixer->offers;
        if (speaker == port)
            speaker = speaker->member.next_offer;
        if (!speaker && port->kind == &mix_kind)
            speaker = mixer->offers;
        if (speaker)
            give(mixer, port, speaker->member.offer, next);
    }
}

/* At the mix's rate; filled with silence to a whole tick. */
static frame_t *at_rate(mixer_t *mixer, converter_t *converter, frame_t *frame, int rate)
{
    int size = rate / 50;
    if (frame->rate == rate && frame_samples(frame) && frame->count == size)
        return frame_hold(frame);
    frame_t *whole = frame_of_samples(&mixer->core->pool, rate, size);
    if (!whole)
        return NULL;
    int16_t scratch[MAX_FRAME_SAMPLES + 8];
    int count;
    const int16_t *samples = converter_samples(converter, frame, rate, scratch, &count);
    if (count > size)
        count = size;
    memcpy(whole->samples, samples, (size_t)count * sizeof *samples);
    memset(whole->samples + count, 0, (size_t)(size - count) * sizeof *samples);
    return whole;
}

static void add(int32_t *total, const frame_t *frame, int size)
{
    const int16_t *samples = frame->samples;
    for (int n = 0; n < size; n++)
        total[n] += samples[n];
}

static frame_t *narrowed(mixer_t *mixer, const int32_t *total, const frame_t *own, int rate)
{
    int size = rate / 50;
    frame_t *frame = frame_of_samples(&mixer->core->pool, rate, size);
    if (!frame)
        return NULL;
    if (own)
        for (int n = 0; n < size; n++)
            frame->samples[n] = saturate(total[n] - own->samples[n]);
    else
        for (int n = 0; n < size; n++)
            frame->samples[n] = saturate(total[n]);
    return frame;
}

static int64_t energy_of(const frame_t *frame)
{
    int64_t energy = 0;
    for (int n = 0; n < frame->count; n++)
        energy += (int32_t)frame->samples[n] * frame->samples[n];
    return energy;
}

static int louder_first(const void *one, const void *other)
{
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* Very large conferences: only the loudest are mixed; whoever spoke in the last tick is counted twice as loud. */
static void keep_loudest(mixer_t *mixer, int most)
{
    int64_t energies[1024];
    int count = 0;
    for (port_t *port = mixer->offers; port; port = port->member.next_offer) {
        int64_t energy = port->member.said ? energy_of(port->member.said) : 0;
        if (port->member.energy > 0)
            energy *= 2;
        port->member.energy = energy;
        if (count < 1024)
            energies[count++] = energy;
    }
    qsort(energies, (size_t)count, sizeof *energies, louder_first);
    int64_t least = energies[most - 1];
    for (port_t *port = mixer->offers; port; port = port->member.next_offer)
        if (port->member.energy < least || most-- <= 0)
            port->member.energy = 0;
}

/* What the members and the background say together, at a rate; each member's part stays with it. */
static void sum_up(mixer_t *mixer, int rate, frame_t *background, bool next, int32_t *total)
{
    frame_pool_t *pool = &mixer->core->pool;
    int size = rate / 50;
    if (background) {
        converter_t *converter = next ? &mixer->next_generator_converter : &mixer->generator_converter;
        frame_t *under = at_rate(mixer, converter, background, rate);
        if (under)
            add(total, under, size);
        frame_release(pool, under);
    }
    for (port_t *port = mixer->offers; port; port = port->member.next_offer) {
        converter_t *converter = next ? &port->member.next_converter : &port->member.converter;
        port->member.said = at_rate(mixer, converter, port->member.offer, rate);
    }
    int loudest = mixer->core->settings.loudest;
    bool limited = loudest > 0 && mixer->offer_count > loudest;
    if (limited && !(next && mixer->path)) /* the two paths of a turn agree on who is heard */
        keep_loudest(mixer, loudest);
    for (port_t *port = mixer->offers; port; port = port->member.next_offer) {
        if (limited && port->member.energy == 0)
            frame_set(pool, &port->member.said, NULL);
        if (port->member.said)
            add(total, port->member.said, size);
    }
}

static void tick_mix(mixer_t *mixer, int rate, frame_t *background, bool next)
{
    frame_pool_t *pool = &mixer->core->pool;
    bool alone = mixer->offer_count == 1 && !background;
    if (alone && mixer->offers->member.offer->rate == rate) {
        tick_direct(mixer, next);
        return;
    }
    int32_t total[MAX_FRAME_SAMPLES] = {0};
    frame_t *shared = NULL;
    sum_up(mixer, rate, background, next, total);
    for (port_t *port = mixer->members; port; port = port->member.next) {
        if (port->member.offer && port->kind != &mix_kind && alone)
            continue;
        if (port->member.said && port->kind != &mix_kind) {
            frame_t *minus = narrowed(mixer, total, port->member.said, rate);
            if (minus)
                give(mixer, port, minus, next);
            frame_release(pool, minus);
            continue;
        }
        if (!shared)
            shared = narrowed(mixer, total, NULL, rate);
        if (shared)
            give(mixer, port, shared, next);
    }
    frame_release(pool, shared);
    for (port_t *port = mixer->offers; port; port = port->member.next_offer)
        frame_set(pool, &port->member.said, NULL);
}

static void tick_path(mixer_t *mixer, int path, frame_t *background, bool next)
{
    if (path)
        tick_mix(mixer, path, background, next);
    else if (mixer->offers)
        tick_direct(mixer, next);
}

/* -- from one path to another -- */

/* That of the best offer, and some time longer: who speaks with pauses does not change it each time. */
static int mix_rate(mixer_t *mixer, int64_t tick)
{
    int rate = mixer->offers ? 0 : 8000;
    for (port_t *port = mixer->offers; port; port = port->member.next_offer)
        if (port->member.offer->rate > rate)
            rate = port->member.offer->rate;
    if (rate >= mixer->wide_rate || tick >= mixer->wide_until) {
        mixer->wide_rate = rate;
        mixer->wide_until = tick + WIDE_TICKS;
    }
    return mixer->wide_rate;
}

/* Whether anything that is said now would have another rate. */
static bool paths_differ(const mixer_t *mixer, const frame_t *background, int one, int other)
{
    if (background && one != other)
        return true;
    for (port_t *port = mixer->offers; port; port = port->member.next_offer) {
        int rate = port->member.offer->rate;
        if ((one ? one : rate) != (other ? other : rate))
            return true;
    }
    return false;
}

static void choose_path(mixer_t *mixer, const frame_t *background, int64_t tick)
{
    int path = mixer->generator || mixer->member_count > 2 ? mix_rate(mixer, tick) : 0;
    bool pause = tick != mixer->last_tick + 1; /* nobody heard anything just now */
    mixer->last_tick = tick;
    bool relayed = mixer->relay_rate && mixer->mode != MIXER_RELAY;
    if (relayed)
        mixer->settled = tick + SETTLE_TICKS;
    if (path && relayed)
        path = mixer->relay_rate;
    else if (path && mixer->path && tick < mixer->settled)
        path = mixer->path;
    if (relayed)
        mixer->relay_rate = 0;
    if (pause || relayed) {
        mixer->turn = TURN_NONE;
        mixer->path = path;
    } else if (mixer->turn == TURN_WARMING) {
        mixer->turn = TURN_FADING;
    } else if (path != mixer->path && paths_differ(mixer, background, mixer->path, path)) {
        mixer->turn = TURN_WARMING;
        mixer->next_path = path;
    } else {
        mixer->path = path;
    }
}

/* Faded from one sound to another over half a frame, a raised cosine; NULL is silence. */
static frame_t *faded(mixer_t *mixer, port_t *port, frame_t *from, frame_t *to)
{
    const double pi = 3.14159265358979323846;
    int rate = port_heard_rate(port), counts[2] = {0};
    if (!rate)
        rate = to ? to->rate : from->rate;
    int16_t scratch[2][MAX_FRAME_SAMPLES + 8];
    const int16_t *old = scratch[0], *new = scratch[1];
    if (from)
        old = converter_samples(&port->converter, from, rate, scratch[0], &counts[0]);
    if (to)
        new = converter_samples(&port->member.next_hearing, to, rate, scratch[1], &counts[1]);
    int size = rate / 50, half = rate / 100;
    frame_t *frame = frame_of_samples(&mixer->core->pool, rate, size);
    for (int n = 0; frame && n < size; n++) {
        int weight = n < half ? (int)(16384.0 * (1.0 - cos(pi * (n + 0.5) / half))) : 32768;
        int64_t before = n < counts[0] ? old[n] : 0, after = n < counts[1] ? new[n] : 0;
        frame->samples[n] = (int16_t)((before * (32768 - weight) + after * weight) >> 15);
    }
    return frame;
}

/* What it would hear on the next path goes through its converter there, and is not heard yet. */
static void warm(port_t *port)
{
    int rate = port_heard_rate(port), count;
    int16_t scratch[MAX_FRAME_SAMPLES + 8];
    if (rate)
        converter_samples(&port->member.next_hearing, port->member.upcoming, rate, scratch, &count);
}

static void use_next(converter_t *converter, converter_t *next)
{
    converter_close(converter);
    *converter = *next;
    next->resampler = NULL;
}

static void turn(mixer_t *mixer, frame_t *background)
{
    frame_pool_t *pool = &mixer->core->pool;
    bool fading = mixer->turn == TURN_FADING;
    tick_path(mixer, mixer->next_path, background, true);
    for (port_t *port = mixer->members; port; port = port->member.next) {
        if (fading && (port->incoming || port->member.upcoming)) {
            frame_set(pool, &port->incoming, faded(mixer, port, port->incoming, port->member.upcoming));
            core_activate(mixer->core, port);
        } else if (port->member.upcoming) {
            warm(port);
        }
        frame_set(pool, &port->member.upcoming, NULL);
        if (fading) {
            use_next(&port->member.converter, &port->member.next_converter);
            use_next(&port->converter, &port->member.next_hearing);
        }
    }
    if (!fading)
        return;
    use_next(&mixer->generator_converter, &mixer->next_generator_converter);
    mixer->path = mixer->next_path;
    mixer->turn = TURN_NONE;
}

/* As each party said it, to those who keep them apart. */
static void show_offers(mixer_t *mixer)
{
    for (port_t *ear = mixer->members; ear; ear = ear->member.next)
        for (recorder_t *one = ear->kind == &mix_kind ? ear->recorders : NULL; one; one = one->next)
            for (port_t *party = one->parties ? mixer->offers : NULL; party; party = party->member.next_offer)
                recorder_hear(one, party, party->member.offer);
}

static void clear_offers(mixer_t *mixer)
{
    for (port_t *port = mixer->offers, *next; port; port = next) {
        next = port->member.next_offer;
        port->member.next_offer = NULL;
        frame_set(&mixer->core->pool, &port->member.offer, NULL);
    }
    mixer->offers = mixer->last_offer = NULL;
    mixer->offer_count = 0;
}

void mixer_tick(mixer_t *mixer, int64_t tick)
{
    frame_t *background = NULL;
    if (mixer->generator) {
        const uint8_t *payload = feed_next(mixer->core, mixer->generator, tick);
        if (payload)
            background = frame_of_payload(&mixer->core->pool, mixer->generator->codec, payload, mixer->generator->size, NULL);
    }
    if (!mixer->offers && !background)
        return;
    if (mixer->kept_apart)
        show_offers(mixer);
    if (mixer->holding) {
        tick_holding(mixer, background);
    } else {
        choose_path(mixer, background, tick);
        tick_path(mixer, mixer->path, background, false);
        if (mixer->turn != TURN_NONE)
            turn(mixer, background);
    }
    clear_offers(mixer);
    frame_release(&mixer->core->pool, background);
}

bool mixer_busy(const mixer_t *mixer) { return mixer->generator && mixer->members; }

/* -- digits -- */

void mixer_digit_began(mixer_t *mixer, port_t *speaker, char digit)
{
    if (mixer->holding)
        return;
    for (port_t *port = mixer->members; port; port = port->member.next)
        if (port != speaker)
            port->kind->pass_digit_began(port, digit);
}

void mixer_digit_ended(mixer_t *mixer, port_t *speaker, char digit, int64_t duration_ms)
{
    if (mixer->holding)
        return;
    for (port_t *port = mixer->members; port; port = port->member.next)
        if (port != speaker)
            port_pass_digit_ended(port, digit, duration_ms);
}
