#include "port.h"

#include <stdlib.h>

#include "local_port.h"
#include "mixer.h"
#include "tones.h"

/* -- opening -- */

static bool open_encoder(port_t *port, const codec_t *codec)
{
    void *encoder = NULL;
    if (codec->encoder_size > 0) {
        encoder = calloc(1, codec->encoder_size);
        if (!encoder)
            return false;
        if (codec->encoder_open && !codec->encoder_open(encoder)) {
            free(encoder);
            return false;
        }
    }
    if (port->encoder && port->codec->encoder_close)
        port->codec->encoder_close(port->encoder);
    free(port->encoder);
    port->encoder = encoder;
    port->codec = codec;
    return true;
}

port_t *port_new(core_t *core, const port_kind_t *kind, const codec_t *codec)
{
    port_t *port = calloc(1, kind->size);
    if (!port)
        return NULL;
    port->kind = kind;
    port->core = core;
    port->id = core_new_id(core);
    port->passes_digits = true;
    port->volume_in = port->volume_out = 1;
    port->timer_ns = INT64_MAX;
    port->timer_slot = -1;
    port->codec = codec;
    if (!open_encoder(port, codec)) {
        free(port);
        return NULL;
    }
    core_adopt(core, port);
    return port;
}

void port_free(port_t *port)
{
    if (port->kind->destroy)
        port->kind->destroy(port);
    converter_close(&port->converter);
    converter_close(&port->whisper_converters[0]);
    converter_close(&port->whisper_converters[1]);
    converter_close(&port->member.converter);
    converter_close(&port->member.next_converter);
    converter_close(&port->member.next_hearing);
    if (port->encoder && port->codec->encoder_close)
        port->codec->encoder_close(port->encoder);
    free(port->encoder);
    stream_close(&port->played);
    digit_sender_free(port->digits);
    free(port->talk);
    free(port->tone_in);
    free(port->tone_out);
    inband_digits_free(port->inband);
    free(port);
}

/* -- commands -- */

player_t *port_play(port_t *port, uint64_t id, int64_t offset_ms)
{
    if (port->player)
        player_finish(port->player, PLAY_STOPPED);
    player_t *player = player_new(port, id, feed_codec(port->codec), offset_ms);
    if (!player)
        return NULL;
    port->player = player;
    port_changed(port);
    core_activate(port->core, port);
    return player;
}

static void drop_generator(port_t *port)
{
    if (!port->generator)
        return;
    feed_close(port->generator);
    free(port->generator);
    port->generator = NULL;
}

void port_generate(port_t *port, bool on)
{
    drop_generator(port);
    if (on) {
        port->generator = malloc(sizeof *port->generator);
        if (port->generator)
            feed_open(port->generator, feed_codec(port->codec), 0);
    }
    port_changed(port);
    core_activate(port->core, port);
}

static digit_sender_t *sender_of(port_t *port)
{
    if (!port->digits)
        port->digits = digit_sender_new();
    return port->digits;
}

int port_digit_room(const port_t *port) { return port->digits ? digit_sender_room(port->digits) : MOST_DIGITS; }

bool port_send_digit(port_t *port, char digit, int duration_ms, int gap_ms)
{
    digit_sender_t *sender = sender_of(port);
    return sender && digit_sender_send(sender, digit, duration_ms, gap_ms);
}

bool port_mark_digits(port_t *port, uint64_t token)
{
    digit_sender_t *sender = sender_of(port);
    if (!sender || !digit_sender_mark(sender, token))
        return false;
    core_activate(port->core, port);
    return true;
}

void port_mute(port_t *port, int incoming, int outgoing)
{
    if (incoming >= 0)
        port->muted_in = incoming;
    if (outgoing >= 0)
        port->muted_out = outgoing;
    port_changed(port);
}

void port_volume(port_t *port, side_t side, double factor)
{
    *(side == SIDE_OUT ? &port->volume_out : &port->volume_in) = factor;
    port_changed(port);
}

void port_link(port_t *port, mixer_t *mixer, bool muted, bool announcer)
{
    if (port->mixer)
        mixer_leave(port->mixer, port);
    if (mixer)
        mixer_join(mixer, port, muted, announcer);
}

void port_echo(port_t *port, bool on)
{
    port->echo = on;
    port_changed(port);
}

bool port_detect_talk(port_t *port, int threshold, int silence_ms)
{
    free(port->talk);
    port->talk = NULL;
    if (threshold >= 0) {
        port->talk = malloc(sizeof *port->talk);
        if (!port->talk)
            return false;
        talk_detector_init(port->talk, threshold, silence_ms);
    }
    port_changed(port);
    return true;
}

bool port_detect_tone(port_t *port, side_t side, int frequency_hz, int duration_ms, int repeats)
{
    tone_detector_t **place = side == SIDE_OUT ? &port->tone_out : &port->tone_in;
    free(*place);
    *place = NULL;
    if (frequency_hz > 0) {
        *place = malloc(sizeof **place);
        if (!*place)
            return false;
        tone_detector_init(*place, frequency_hz, duration_ms, repeats);
    }
    port_changed(port);
    return true;
}

bool port_detect_digits(port_t *port, bool on)
{
    inband_digits_free(port->inband);
    port->inband = on ? inband_digits_new() : NULL;
    port_changed(port);
    return !on || port->inband;
}

static void drop_frames(port_t *port)
{
    frame_pool_t *pool = &port->core->pool;
    frame_set(pool, &port->incoming, NULL);
    frame_set(pool, &port->frame_in, NULL);
    frame_set(pool, &port->frame_out, NULL);
    frame_set(pool, &port->member.offer, NULL);
    frame_queue_clear(pool, &port->whispers_in);
    frame_queue_clear(pool, &port->whispers_out);
}

void port_close(port_t *port)
{
    if (port->closed)
        return;
    port->closed = true;
    if (port->player)
        player_finish(port->player, PLAY_CLOSED);
    while (port->recorders)
        recorder_finish(port->recorders, RECORD_CLOSED);
    if (port->digits)
        digit_sender_abandon(port->digits, port);
    if (port->mixer)
        mixer_leave(port->mixer, port);
    while (port->snoops) {
        port_t *snoop = port->snoops;
        port->snoops = snoop->next_snoop;
        snoop->next_snoop = NULL;
        snoop_target_closed(snoop);
    }
    drop_generator(port);
    port->hearing = port->tapped = false;
    port->kind->release(port);
    drop_frames(port);
    core_forget(port->core, port);
}

/* -- the tick -- */

void port_tick_in(port_t *port, int64_t tick)
{
    frame_pool_t *pool = &port->core->pool;
    frame_t *frame = port->hearing ? port->kind->pull(port, tick) : NULL;
    if (port->muted_in) {
        frame_release(pool, frame);
        frame = NULL;
    }
    if (port->talk || port->inband || port->tone_in)
        port_detect(port, frame);
    if (frame && port->volume_in != 1)
        frame = frame_scaled(pool, frame, port->volume_in);
    if (port->whispers_in.count > 0) {
        frame_t *whisper = frame_queue_take(&port->whispers_in);
        frame = frame_mixed(pool, frame, whisper, frame ? frame->rate : whisper->rate, port->whisper_converters);
    }
    frame_set(pool, &port->frame_in, frame);
    if (frame && port->mixer)
        mixer_offer(port->mixer, port, frame);
}

/* What it sends is looked at or changed on its way. */
static bool goes_by_frames(const port_t *port)
{
    return port->tapped || port->whispers_out.count > 0 || port->volume_out != 1;
}

/* What a player or generator gives: as bytes where nobody listens and the codec is the port's, else as a frame. */
static void send_fed(port_t *port, const codec_t *codec, const uint8_t *payload, int64_t tick)
{
    int size = codec_bytes(codec, FRAME_MS);
    if (codec == port->codec && !goes_by_frames(port)) {
        port->kind->send_payload(port, payload, size, tick);
        return;
    }
    stream_t *decoder = codec->stateless ? NULL : &port->played;
    frame_t *frame = frame_of_payload(&port->core->pool, codec, payload, size, decoder);
    if (frame && decoder)
        frame_samples(frame); /* now, for a snoop may keep the frame longer than the port lives */
    port_send_tapped(port, frame, tick);
}

static void send_linked(port_t *port, frame_t *frame, int64_t tick)
{
    if (goes_by_frames(port)) {
        port_send_tapped(port, frame, tick);
        return;
    }
    port->kind->send_frame(port, frame, tick);
    frame_release(&port->core->pool, frame);
}

void port_tick_out(port_t *port, int64_t tick)
{
    frame_pool_t *pool = &port->core->pool;
    const codec_t *codec = feed_codec(port->codec);
    const uint8_t *payload = port->player ? player_next(port->player, tick) : NULL;
    frame_t *incoming = port->incoming;
    port->incoming = NULL;
    frame_set(pool, &port->frame_out, NULL);
    if (port->digits && digit_sender_tick(port->digits, port, tick)) {
        frame_release(pool, incoming);
        return;
    }
    if (!payload && port->generator)
        payload = feed_next(port->core, port->generator, tick);
    if (port->muted_out || payload) {
        frame_release(pool, incoming);
        if (!port->muted_out)
            send_fed(port, codec, payload, tick);
        return;
    }
    if (port->echo) {
        frame_release(pool, incoming);
        incoming = frame_hold(port->frame_in);
    }
    if (incoming || port->whispers_out.count > 0)
        send_linked(port, incoming, tick);
}

static void detect_tone(port_t *port, tone_detector_t **place, frame_t *frame)
{
    tone_detector_t *detector = *place;
    const int16_t *samples = frame ? frame_samples(frame) : NULL;
    if (!tone_detector_hear(detector, samples, frame ? frame->count : 0, frame ? frame->rate : 8000))
        return;
    port_tell(port, EVENT_TONE, detector->frequency, 0);
    if (detector->repeats < 0) {
        free(detector);
        *place = NULL;
        port_changed(port);
    }
}

void port_tick_taps(port_t *port, int64_t tick)
{
    (void)tick;
    for (recorder_t *recorder = port->recorders, *next; recorder; recorder = next) {
        next = recorder->next;
        recorder_tick(recorder, port->frame_in, port->frame_out);
    }
    for (port_t *snoop = port->snoops; snoop; snoop = snoop->next_snoop)
        snoop_overhear(snoop, port->frame_in, port->frame_out);
    if (port->tone_out)
        detect_tone(port, &port->tone_out, port->frame_out);
    frame_set(&port->core->pool, &port->frame_out, NULL);
}

bool port_busy(const port_t *port)
{
    return (port->player && !port->player->paused) || port->generator ||
           (port->digits && !digit_sender_idle(port->digits)) || port->recorders || port->whispers_in.count > 0 ||
           port->whispers_out.count > 0 || (port->talk && port->talk->talking) ||
           (port->inband && inband_digits_held(port->inband)) || (port->hearing && port->kind->waiting(port));
}

bool port_occupied(const port_t *port)
{
    return port->player || port->generator || (port->digits && !digit_sender_idle(port->digits));
}

bool port_overheard(const port_t *port)
{
    return port->echo || port->tapped || port->talk || port->inband || port->tone_in || port->tone_out;
}

void port_changed(port_t *port)
{
    port->tapped = port->recorders || port->snoops || port->tone_out;
    port->hearing = port_overheard(port) || port->mixer;
    if (port->mixer)
        mixer_update(port->mixer);
    if (!port->kind->waiting(port))
        return;
    if (port->hearing)
        core_activate(port->core, port);
    else
        port->kind->discard(port);
}

/* -- what it sends -- */

int port_heard_rate(const port_t *port)
{
    if (port->kind == &mix_kind)
        return mix_port_heard_rate(port);
    return port->kind->send_frame == port_send_frame ? port->codec->rate : 0;
}

frame_t *port_converted(port_t *port, frame_t *frame, int rate)
{
    frame_pool_t *pool = &port->core->pool;
    if (frame->rate == rate)
        return frame;
    int16_t scratch[MAX_FRAME_SAMPLES + 8];
    int count;
    const int16_t *samples = converter_samples(&port->converter, frame, rate, scratch, &count);
    frame_t *converted = frame_of_samples(pool, rate, count);
    if (converted)
        memcpy(converted->samples, samples, (size_t)count * sizeof *samples);
    frame_release(pool, frame);
    return converted;
}

const uint8_t *port_encoded(port_t *port, frame_t *frame, uint8_t scratch[MAX_FRAME_BYTES], int *size)
{
    const codec_t *codec = port->codec;
    if (frame->rate == codec->rate && codec == codec_host(codec->rate)) { /* a stream of samples gets them as they are */
        const int16_t *plain = frame_samples(frame);
        *size = frame->count * (int)sizeof *plain;
        return (const uint8_t *)plain;
    }
    if (frame->codec == codec) {
        *size = frame->size;
        return frame->payload;
    }
    if (frame->rate == codec->rate && codec->stateless && !codec->linear)
        return frame_encoded(frame, codec, size);
    int16_t samples[MAX_FRAME_SAMPLES + 8];
    int count;
    const int16_t *converted = converter_samples(&port->converter, frame, codec->rate, samples, &count);
    *size = codec->encode(port->encoder, converted, count, scratch, MAX_FRAME_BYTES);
    return scratch;
}

void port_send_payload(port_t *port, const uint8_t *payload, int size, int64_t tick)
{
    frame_t *frame = frame_of_payload(&port->core->pool, port->codec, payload, size, NULL);
    if (!frame)
        return;
    port->kind->send_frame(port, frame, tick);
    frame_release(&port->core->pool, frame);
}

void port_send_frame(port_t *port, frame_t *frame, int64_t tick)
{
    uint8_t scratch[MAX_FRAME_BYTES];
    int size;
    const uint8_t *payload = port_encoded(port, frame, scratch, &size);
    if (size > 0)
        port->kind->send_payload(port, payload, size, tick);
}

void port_send_tapped(port_t *port, frame_t *frame, int64_t tick)
{
    frame_pool_t *pool = &port->core->pool;
    int heard_rate = port_heard_rate(port);
    if (frame && heard_rate)
        frame = port_converted(port, frame, heard_rate); /* so that those who listen have one rate, whatever the mix has */
    if (frame && port->volume_out != 1)
        frame = frame_scaled(pool, frame, port->volume_out);
    if (port->whispers_out.count > 0) {
        frame_t *whisper = frame_queue_take(&port->whispers_out);
        frame = frame_mixed(pool, frame, whisper, frame ? frame->rate : whisper->rate, port->whisper_converters);
    }
    if (frame && !port->muted_out) {
        frame_set(pool, &port->frame_out, frame_hold(frame));
        port->kind->send_frame(port, frame, tick);
    }
    frame_release(pool, frame);
}

bool port_use_codec(port_t *port, const codec_t *codec)
{
    if (codec == port->codec)
        return true;
    if (!open_encoder(port, codec))
        return false;
    if (port->player)
        feed_recode(&port->player->feed, feed_codec(codec));
    if (port->generator && port->generator->codec != feed_codec(codec))
        feed_recode(port->generator, feed_codec(codec));
    return true;
}

/* -- digits -- */

bool port_digit_out(port_t *port, char digit, int elapsed_ms, int duration_ms, int64_t tick)
{
    if (duration_ms >= 0)
        return true;
    int rate = port->codec->rate;
    frame_t *frame = frame_of_samples(&port->core->pool, rate, rate / 50);
    if (frame) {
        digit_tones(digit, rate, elapsed_ms % 1000, frame->samples, frame->count);
        port_send_tapped(port, frame, tick);
    }
    return true;
}

void port_digit_began(port_t *port, char digit)
{
    port_tell(port, EVENT_DIGIT_BEGAN, digit, 0);
    if (port->passes_digits && port->mixer)
        mixer_digit_began(port->mixer, port, digit);
    if (port->echo)
        port->kind->pass_digit_began(port, digit);
}

void port_digit_ended(port_t *port, char digit, int64_t duration_ms)
{
    port_tell(port, EVENT_DIGIT_ENDED, digit, duration_ms);
    if (port->passes_digits && port->mixer)
        mixer_digit_ended(port->mixer, port, digit, duration_ms);
    if (port->echo)
        port_pass_digit_ended(port, digit, duration_ms);
}

void port_pass_digit_began(port_t *port, char digit)
{
    digit_sender_t *sender = sender_of(port);
    if (!sender)
        return;
    digit_sender_begin(sender, digit);
    core_activate(port->core, port);
}

void port_pass_digit_ended(port_t *port, char digit, int64_t duration_ms)
{
    if (port->digits)
        digit_sender_end(port->digits, digit, duration_ms);
}

/* -- what is heard in it -- */

void port_tell(port_t *port, event_kind_t kind, int64_t a, int64_t b)
{
    event_put(port->core->events, kind, port->id, a, b);
}

static void detect_talk(port_t *port, const int16_t *samples, int count)
{
    int told = talk_detector_hear(port->talk, samples, count);
    if (told == 0)
        port_tell(port, EVENT_TALK_STARTED, 0, 0);
    else if (told > 0)
        port_tell(port, EVENT_TALK_STOPPED, told, 0);
}

static void detect_digits(port_t *port, const int16_t *samples, int count, int rate)
{
    char digit = 0;
    int duration_ms = 0;
    int told = inband_digits_hear(port->inband, samples, count, rate, &digit, &duration_ms);
    if (told == 1)
        port_digit_began(port, digit);
    else if (told == 2)
        port_digit_ended(port, digit, duration_ms);
}

void port_detect(port_t *port, frame_t *frame)
{
    const int16_t *samples = frame ? frame_samples(frame) : NULL;
    int count = frame ? frame->count : 0;
    if (port->talk)
        detect_talk(port, samples, count);
    if (port->inband)
        detect_digits(port, samples, count, frame ? frame->rate : 8000);
    if (port->tone_in)
        detect_tone(port, &port->tone_in, frame);
}
