#include "module_engine.h"

#include <errno.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine.h"
#include "module_srtp.h"

/* -- tracks -- */

typedef struct {
    PyObject_HEAD
    track_t *track;
} TrackObject;

static PyObject *track_type_object; /* borrowed by feeds' arguments; the module holds it */

static PyObject *track_create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    Py_buffer data;
    long long repeat = -1;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "y*|L", &data, &repeat))
        return NULL;
    TrackObject *self = (TrackObject *)PyType_GenericNew(type, NULL, NULL);
    if (self) {
        self->track = track_new(data.buf, data.len, repeat);
        if (!self->track) {
            Py_DECREF(self);
            self = (TrackObject *)PyErr_NoMemory();
        }
    }
    PyBuffer_Release(&data);
    return (PyObject *)self;
}

static void track_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    track_release(((TrackObject *)self)->track);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot track_slots[] = {
    {Py_tp_new, track_create},
    {Py_tp_dealloc, track_dealloc},
    {Py_tp_doc, "Track(data, repeat=-1): encoded sound that any number of players share."},
    {0, NULL},
};
static PyType_Spec track_spec = {"arietta.media.native._engine.Track", sizeof(TrackObject), 0, Py_TPFLAGS_DEFAULT,
                                 track_slots};

/* NULL with an error set when it is no Track; *none for None. */
static track_t *track_of(PyObject *object)
{
    if (!PyObject_TypeCheck(object, (PyTypeObject *)track_type_object)) {
        PyErr_SetString(PyExc_TypeError, "a Track is needed");
        return NULL;
    }
    return ((TrackObject *)object)->track;
}

/* -- the engine -- */

typedef struct {
    PyObject_HEAD
    engine_t engine;
    bool open;
} EngineObject;

static PyObject *engine_create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    int shards, signal, strict, probation, loudest;
    long long relearn_ns, epoch_ns;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "iipiLiL", &shards, &signal, &strict, &probation, &relearn_ns, &loudest, &epoch_ns))
        return NULL;
    if (shards < 0 || shards > 256) {
        PyErr_Format(PyExc_ValueError, "%d media threads are outside 0..256", shards);
        return NULL;
    }
    EngineObject *self = (EngineObject *)PyType_GenericNew(type, NULL, NULL);
    if (!self)
        return NULL;
    settings_t settings = {
        .strict_rtp = strict, .probation = probation, .relearn_ns = relearn_ns, .loudest = loudest};
    self->open = engine_open(&self->engine, shards, signal, &settings, epoch_ns);
    if (!self->open) {
        Py_DECREF(self);
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return (PyObject *)self;
}

static void close_engine(EngineObject *self)
{
    if (!self->open)
        return;
    self->open = false;
    Py_BEGIN_ALLOW_THREADS
    engine_close(&self->engine);
    Py_END_ALLOW_THREADS
}

static void engine_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    close_engine((EngineObject *)self);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* The engine of a method's self; NULL with an error set once it is closed. */
static engine_t *engine_of(PyObject *self)
{
    if (!((EngineObject *)self)->open) {
        PyErr_SetString(PyExc_RuntimeError, "the engine is closed");
        return NULL;
    }
    return &((EngineObject *)self)->engine;
}

static PyObject *method_close(PyObject *self, PyObject *none)
{
    (void)none;
    close_engine((EngineObject *)self);
    Py_RETURN_NONE;
}

static PyObject *method_start(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    if (!engine)
        return NULL;
    for (int n = 0; engine->shards && n < engine->count; n++) {
        int error;
        if (atomic_load(&engine->shards[n].alive))
            continue;
        Py_BEGIN_ALLOW_THREADS
        error = shard_start(&engine->shards[n]);
        Py_END_ALLOW_THREADS
        if (error) {
            errno = error;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    Py_RETURN_NONE;
}

/* stop(): ends the threads; ports stay. */
static PyObject *method_stop(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    if (!engine)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (int n = 0; engine->shards && n < engine->count; n++)
        shard_stop(&engine->shards[n]);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *method_new_id(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    return engine ? PyLong_FromUnsignedLongLong(atomic_fetch_add(&engine->next_id, 1)) : NULL;
}

/* -- opening -- */

static PyObject *register_port(engine_t *engine, port_t *port)
{
    if (!port)
        return PyErr_NoMemory();
    if (!registry_put(&engine->ports, port->id, port)) {
        core_lock(port->core);
        port_close(port);
        core_unlock(port->core);
        return PyErr_NoMemory();
    }
    return PyLong_FromUnsignedLongLong(port->id);
}

static void close_sockets(const int sockets[2])
{
    for (int n = 0; n < 2; n++)
        if (sockets[n] >= 0)
            close(sockets[n]);
}

/* open_rtp(host, port) -> id; None when a port of the pair is taken; OSError when the host cannot be bound. */
static PyObject *method_open_rtp(PyObject *self, PyObject *arguments)
{
    const char *host;
    int number;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "si", &host, &number))
        return NULL;
    int sockets[2] = {-1, -1};
    int error = engine->shards ? shard_bind_pair(host, number, sockets) : 0;
    if (error == EADDRINUSE || error == EACCES)
        Py_RETURN_NONE;
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    core_t *core = engine_lightest(engine);
    core_lock(core);
    rtp_port_t *port = rtp_port_open(core, number, sockets);
    core_unlock(core);
    if (!port)
        close_sockets(sockets);
    return register_port(engine, port ? &port->base : NULL);
}

static PyObject *method_open_pipe(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    if (!engine)
        return NULL;
    port_t *ends[2];
    core_t *core = engine_lightest(engine);
    core_lock(core);
    bool opened = pipe_open(core, ends);
    core_unlock(core);
    if (!opened)
        return PyErr_NoMemory();
    PyObject *one = register_port(engine, ends[0]);
    PyObject *other = register_port(engine, ends[1]);
    return one && other ? Py_BuildValue("(NN)", one, other) : NULL;
}

static const codec_t *codec_argument(const char *name)
{
    const codec_t *codec = codec_named(name);
    if (!codec || !codec_available(codec)) {
        PyErr_Format(PyExc_LookupError, "no codec '%s'", name);
        return NULL;
    }
    return codec;
}

/* open_stream(format, buffer_ms, tells_digits) -> id; LookupError for a format that cannot be streamed. */
static PyObject *method_open_stream(PyObject *self, PyObject *arguments)
{
    const char *name;
    int buffer_ms, tells_digits;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "sip", &name, &buffer_ms, &tells_digits))
        return NULL;
    const codec_t *codec = codec_argument(name);
    if (!codec)
        return NULL;
    if (codec->linear)
        codec = codec_host(codec->rate);
    if (codec->frame_bytes == 0)
        return PyErr_Format(PyExc_LookupError, "codec '%s' cannot be streamed", name);
    core_t *core = engine_lightest(engine);
    core_lock(core);
    port_t *port = stream_open(core, codec, buffer_ms, tells_digits);
    core_unlock(core);
    return register_port(engine, port);
}

/* open_snoop(target, spy, whisper) -> id; a target that was closed leaves it silent. */
static PyObject *method_open_snoop(PyObject *self, PyObject *arguments)
{
    unsigned long long target_id;
    int spy, whisper;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kii", &target_id, &spy, &whisper))
        return NULL;
    port_t *target = registry_get(&engine->ports, target_id);
    core_t *core = target ? target->core : engine_lightest(engine);
    core_lock(core);
    port_t *port = snoop_open(core, target, spy, whisper);
    core_unlock(core);
    return register_port(engine, port);
}

static PyObject *method_open_mixer(PyObject *self, PyObject *arguments)
{
    int holding;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "p", &holding))
        return NULL;
    core_t *core = engine_lightest(engine);
    core_lock(core);
    mixer_t *mixer = mixer_new(core, holding, false);
    core_unlock(core);
    if (!mixer || !registry_put(&engine->mixers, mixer->id, mixer))
        return PyErr_NoMemory();
    return PyLong_FromUnsignedLongLong(mixer->id);
}

static port_t *port_at(engine_t *engine, uint64_t id) { return registry_get(&engine->ports, id); }
static mixer_t *mixer_at(engine_t *engine, uint64_t id) { return registry_get(&engine->mixers, id); }

/* mixer_port(mixer) -> id; None when it is closed. */
static PyObject *method_mixer_port(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    mixer_t *mixer = mixer_at(engine, id);
    if (!mixer)
        Py_RETURN_NONE;
    core_lock(mixer->core);
    port_t *port = mix_port_open(mixer);
    core_unlock(mixer->core);
    return register_port(engine, port);
}

static PyObject *method_mixer_mode(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    mixer_t *mixer = mixer_at(engine, id);
    if (!mixer)
        Py_RETURN_NONE;
    core_lock(mixer->core);
    int mode = mixer->mode;
    core_unlock(mixer->core);
    return PyLong_FromLong(mode);
}

static PyObject *method_close_port(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    engine_close_port(engine, id);
    Py_RETURN_NONE;
}

static PyObject *method_close_mixer(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    engine_close_mixer(engine, id);
    Py_RETURN_NONE;
}

/* link(port, mixer, muted, announcer): mixer 0 ends it. */
static PyObject *method_link(PyObject *self, PyObject *arguments)
{
    unsigned long long id, mixer_id;
    int muted, announcer;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KKpp", &id, &mixer_id, &muted, &announcer))
        return NULL;
    port_t *port = port_at(engine, id);
    mixer_t *mixer = mixer_id ? mixer_at(engine, mixer_id) : NULL;
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->core);
    port_link(port, NULL, false, false); /* first, so that not the whole old party moves along */
    core_sweep(port->core);
    core_unlock(port->core);
    if (!mixer)
        Py_RETURN_NONE;
    if (!engine_unite(engine, port, mixer->core))
        return PyErr_NoMemory();
    port_link(port, mixer, muted, announcer);
    core_unlock(mixer->core);
    Py_RETURN_NONE;
}

/* link_pair(one, other, muted, announcer): both leave what they were in; one is muted or announces. */
static PyObject *method_link_pair(PyObject *self, PyObject *arguments)
{
    unsigned long long ids[2];
    int muted, announcer;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KKpp", &ids[0], &ids[1], &muted, &announcer))
        return NULL;
    port_t *one = port_at(engine, ids[0]), *other = port_at(engine, ids[1]);
    if (!one || !other || one == other)
        Py_RETURN_NONE;
    for (int n = 0; n < 2; n++) {
        port_t *port = n ? other : one;
        core_lock(port->core);
        port_link(port, NULL, false, false);
        core_sweep(port->core);
        core_unlock(port->core);
    }
    if (!engine_unite(engine, one, other->core))
        return PyErr_NoMemory();
    mixer_t *mixer = mixer_new(other->core, false, true);
    if (mixer) {
        mixer_join(mixer, other, false, false);
        mixer_join(mixer, one, muted, announcer);
    }
    core_unlock(other->core);
    return mixer ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* -- RTP -- */

/* ("host", port) or None. */
static bool parse_address(PyObject *object, address_t *address)
{
    const char *host;
    int port;
    memset(address, 0, sizeof *address);
    if (object == Py_None)
        return true;
    if (!PyArg_ParseTuple(object, "si", &host, &port))
        return false;
    if (address_parse(address, host, port))
        return true;
    PyErr_Format(PyExc_ValueError, "'%s' is no numeric address", host);
    return false;
}

static bool parse_receive(PyObject *pairs, rtp_settings_t *settings)
{
    Py_ssize_t count = PySequence_Size(pairs);
    for (Py_ssize_t n = 0; n < count && n < MOST_RECEIVED_TYPES; n++) {
        PyObject *pair = PySequence_GetItem(pairs, n);
        int type;
        const char *name;
        bool good = pair && PyArg_ParseTuple(pair, "is", &type, &name);
        const codec_t *codec = good ? codec_argument(name) : NULL;
        Py_XDECREF(pair);
        if (!codec)
            return false;
        settings->receive[settings->received].payload_type = (uint8_t)type;
        settings->receive[settings->received++].codec = codec;
    }
    return count >= 0;
}

static bool parse_events(PyObject *pairs, rtp_settings_t *settings)
{
    Py_ssize_t count = PySequence_Size(pairs);
    for (Py_ssize_t n = 0; n < count && n < MOST_EVENT_TYPES; n++) {
        PyObject *pair = PySequence_GetItem(pairs, n);
        int type, rate;
        bool good = pair && PyArg_ParseTuple(pair, "ii", &type, &rate);
        Py_XDECREF(pair);
        if (!good)
            return false;
        settings->events[settings->event_types++] = (struct received_event){(uint8_t)type, rate};
    }
    return count >= 0;
}

/* configure(port, remote, remote_rtcp, codec, payload_type, receive, ptime_ms, event_type, event_rate, events, sends,
   receives, symmetric, rtcp_mux, dtmf_inband, timeout_ms, jitter_ms, keepalive_ms) */
static PyObject *method_configure(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    PyObject *remote, *remote_rtcp, *receive, *events;
    const char *name;
    int sends, receives, symmetric, mux, inband;
    long long timeout_ms, keepalive_ms;
    rtp_settings_t settings = {0};
    engine_t *engine = engine_of(self);
    if (!engine ||
        !PyArg_ParseTuple(arguments, "KOOsiOiiiOpppppLiL", &id, &remote, &remote_rtcp, &name, &settings.send_payload_type,
                          &receive, &settings.ptime_ms, &settings.event_type, &settings.event_rate, &events, &sends,
                          &receives, &symmetric, &mux, &inband, &timeout_ms, &settings.jitter_ms, &keepalive_ms))
        return NULL;
    settings.send_codec = codec_argument(name);
    if (!settings.send_codec || !parse_address(remote, &settings.remote) ||
        !parse_address(remote_rtcp, &settings.remote_rtcp) || !parse_receive(receive, &settings) ||
        !parse_events(events, &settings))
        return NULL;
    settings.sends = sends;
    settings.receives = receives;
    settings.symmetric = symmetric;
    settings.rtcp_mux = mux;
    settings.dtmf_inband = inband;
    settings.timeout_ns = timeout_ms * MS_NS;
    settings.keepalive_ns = keepalive_ms * MS_NS;
    port_t *port = port_at(engine, id);
    if (!port || port->kind != &rtp_kind)
        Py_RETURN_NONE;
    core_lock(port->core);
    bool configured = rtp_port_configure((rtp_port_t *)port, &settings);
    core_unlock(port->core);
    return configured ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* secure(port, suite, our_key, suite, their_key): keys with their salts, an empty one stays as it is; secure(port) ends
   it. A key that is used already must stay: given again it would begin to count anew. */
static PyObject *method_secure(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    const char *out_suite = NULL, *in_suite = NULL;
    Py_buffer out_key = {0}, in_key = {0};
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K|sy*sy*", &id, &out_suite, &out_key, &in_suite, &in_key))
        return NULL;
    bool keep_out = out_key.obj && out_key.len == 0, keep_in = in_key.obj && in_key.len == 0;
    srtp_t *protect = out_suite && !keep_out ? srtp_for_python(out_suite, &out_key) : NULL;
    srtp_t *unprotect = in_suite && !keep_in && !PyErr_Occurred() ? srtp_for_python(in_suite, &in_key) : NULL;
    if (out_key.obj)
        PyBuffer_Release(&out_key);
    if (in_key.obj)
        PyBuffer_Release(&in_key);
    port_t *port = PyErr_Occurred() ? NULL : port_at(engine, id);
    if (!port || port->kind != &rtp_kind) {
        srtp_free(protect);
        srtp_free(unprotect);
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    rtp_port_t *rtp = (rtp_port_t *)port;
    core_lock(port->core);
    rtp_port_secure(rtp, keep_out ? rtp->protect : protect, keep_in ? rtp->unprotect : unprotect);
    core_unlock(port->core);
    Py_RETURN_NONE;
}

/* ("host", port), or None when it is nobody. */
static PyObject *host_of(const address_t *address)
{
    char host[64] = "";
    if (!address->family)
        return Py_NewRef(Py_None);
    inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->ip, host, sizeof host);
    return Py_BuildValue("(si)", host, (int)address->port);
}

/* addresses(port) -> (source that was learnt, where packets go), each (host, port) or None. */
static PyObject *method_addresses(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *port = port_at(engine, id);
    address_t locked = {0}, target = {0};
    if (port && port->kind == &rtp_kind) {
        core_lock(port->core);
        locked = ((rtp_port_t *)port)->learner.locked;
        target = ((rtp_port_t *)port)->target;
        core_unlock(port->core);
    }
    return Py_BuildValue("(NN)", host_of(&locked), host_of(&target));
}

static void add_spread(PyObject *list, const spread_t *spread)
{
    PyObject *values = Py_BuildValue("(dddd)", spread->greatest, spread->least, spread->mean, spread_deviation(spread));
    if (values)
        PyList_Append(list, values);
    Py_XDECREF(values);
}

/* statistics(port) -> (counts, [spreads]) as native/ports.py names them; None when it is closed. */
static PyObject *method_statistics(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *base = port_at(engine, id);
    if (!base || base->kind != &rtp_kind)
        Py_RETURN_NONE;
    rtp_port_t *port = (rtp_port_t *)base;
    core_lock(base->core);
    rtcp_session_t rtcp = port->rtcp;
    receiver_t incoming = port->incoming;
    bool has_incoming = port->has_incoming;
    int rate = rtp_port_receive_rate(port);
    long long sent = port->packets_sent, received = port->packets_received;
    long long octets_sent = port->octets_sent, octets_received = port->octets_received;
    long long jitter_dropped_count = port->jitter ? jitter_dropped(port->jitter) : 0;
    long long jitter_lost_count = port->jitter ? jitter_lost(port->jitter) : 0;
    core_unlock(base->core);
    PyObject *spreads = PyList_New(0);
    if (!spreads)
        return NULL;
    add_spread(spreads, &rtcp.remote_jitter);
    add_spread(spreads, &rtcp.local_jitter);
    add_spread(spreads, &rtcp.remote_loss);
    add_spread(spreads, &rtcp.local_loss);
    add_spread(spreads, &rtcp.round_trip);
    long long lost = has_incoming ? receiver_lost(&incoming) : 0;
    return Py_BuildValue("(LLddLLdkkLLLLN)", sent, received, rtcp.tx_jitter,
                         has_incoming ? (double)receiver_jitter(&incoming) / rate : 0.0, (long long)rtcp.remote_lost,
                         lost > 0 ? lost : 0, rtcp.round_trip_last, (unsigned long)port->ssrc,
                         (unsigned long)(has_incoming ? incoming.ssrc : 0), octets_sent, octets_received,
                         jitter_dropped_count, jitter_lost_count, spreads);
}

/* -- playing -- */

static bool use_music(core_t *core, feed_t *feed, uint64_t music)
{
    feed->music = music ? core_music(core, music) : NULL;
    return !music || feed->music;
}

/* Nobody waits for longer; sums and products of it stay far from the limits of 64 bits. */
#define MOST_MS (1LL << 36)

static long long bounded_ms(long long ms) { return ms > MOST_MS ? MOST_MS : ms < -MOST_MS ? -MOST_MS : ms; }

/* play(port, offset_ms, music) -> id of the player; None when the port is closed. */
static PyObject *method_play(PyObject *self, PyObject *arguments)
{
    unsigned long long id, music;
    long long offset_ms;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KLK", &id, &offset_ms, &music))
        return NULL;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->core);
    uint64_t player_id = core_new_id(port->core);
    player_t *player = port_play(port, player_id, bounded_ms(offset_ms));
    bool good = player && use_music(port->core, &player->feed, music);
    core_unlock(port->core);
    return good ? PyLong_FromUnsignedLongLong(player_id) : PyErr_NoMemory();
}

enum player_verb { PLAYER_PAUSE, PLAYER_RESUME, PLAYER_STOP, PLAYER_RESTART, PLAYER_SKIP, PLAYER_FAIL, PLAYER_POSITION };

static void do_player(player_t *player, int verb, long long amount)
{
    switch (verb) {
    case PLAYER_PAUSE:
        player->paused = true;
        break;
    case PLAYER_RESUME:
        player->paused = false;
        core_activate(player->port->core, player->port);
        break;
    case PLAYER_STOP:
        player_finish(player, PLAY_STOPPED);
        break;
    case PLAYER_RESTART:
        player_restart(player);
        break;
    case PLAYER_SKIP:
        player_skip(player, bounded_ms(amount));
        break;
    case PLAYER_FAIL:
        player->failed = true;
        core_activate(player->port->core, player->port);
        break;
    default:
        break;
    }
}

/* player(port, player, verb, amount) -> position in ms; None when it ended. */
static PyObject *method_player(PyObject *self, PyObject *arguments)
{
    unsigned long long id, player_id;
    int verb;
    long long amount = 0, position = -1;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KKi|L", &id, &player_id, &verb, &amount))
        return NULL;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->core);
    player_t *player = port->player;
    if (player && player->id == player_id) {
        position = player_position_ms(player);
        do_player(player, verb, amount);
    }
    core_unlock(port->core);
    if (position < 0)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(position);
}

/* The feed of a player or generator by its id, among those of a port or mixer. */
static feed_t *feed_at(port_t *port, mixer_t *mixer, uint64_t id)
{
    if (port && port->player && port->player->id == id)
        return &port->player->feed;
    feed_t *generator = port ? port->generator : mixer ? mixer->generator : NULL;
    return generator && generator->id == id ? generator : NULL;
}

/* load(port or mixer, player or generator, track): does nothing when it ended meanwhile. */
static PyObject *method_load(PyObject *self, PyObject *arguments)
{
    unsigned long long id, feed_id;
    PyObject *object;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KKO", &id, &feed_id, &object))
        return NULL;
    track_t *track = track_of(object);
    if (!track)
        return NULL;
    port_t *port = port_at(engine, id);
    mixer_t *mixer = port ? NULL : mixer_at(engine, id);
    core_t *core = port ? port->core : mixer ? mixer->core : NULL;
    if (!core)
        Py_RETURN_NONE;
    core_lock(core);
    feed_t *feed = feed_at(port, mixer, feed_id);
    if (feed)
        feed_load(feed, track);
    core_unlock(core);
    Py_RETURN_NONE;
}

/* generate(port or mixer, on, music) -> id of the generator; None when off or closed. */
static PyObject *method_generate(PyObject *self, PyObject *arguments)
{
    unsigned long long id, music;
    int on;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KpK", &id, &on, &music))
        return NULL;
    port_t *port = port_at(engine, id);
    mixer_t *mixer = port ? NULL : mixer_at(engine, id);
    core_t *core = port ? port->core : mixer ? mixer->core : NULL;
    if (!core)
        Py_RETURN_NONE;
    uint64_t generator_id = 0;
    core_lock(core);
    if (port)
        port_generate(port, on);
    else
        mixer_generate(mixer, on);
    feed_t *generator = port ? port->generator : mixer->generator;
    if (generator) {
        generator->id = generator_id = core_new_id(core);
        use_music(core, generator, music);
    }
    core_unlock(core);
    if (generator_id == 0)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(generator_id);
}

/* load_music(shard, music, piece, form, track or None) */
static PyObject *method_load_music(PyObject *self, PyObject *arguments)
{
    int shard, form;
    unsigned long long id;
    long long piece;
    PyObject *object;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "iKLiO", &shard, &id, &piece, &form, &object))
        return NULL;
    track_t *track = object == Py_None ? NULL : track_of(object);
    if ((!track && PyErr_Occurred()) || shard < 0 || shard >= engine->count || form < 0 || form >= form_count())
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no form %d on shard %d", form, shard);
    core_t *core = engine_core(engine, shard);
    core_lock(core);
    music_t *music = core_music(core, id);
    if (music)
        music_take(music, piece, form_codec(form), track);
    core_unlock(core);
    Py_RETURN_NONE;
}

/* form(n) -> name of the codec, or rate of the host samples, in which music is wanted. */
static PyObject *method_form(PyObject *self, PyObject *arguments)
{
    int form;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "i", &form))
        return NULL;
    const codec_t *codec = form_codec(form);
    if (codec == codec_host(codec->rate))
        return PyLong_FromLong(codec->rate);
    return PyUnicode_FromString(codec->name);
}

/* codec(port) -> (name of what it sends, name or rate of what is played to it). */
static PyObject *method_codec(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    const codec_t *codec = port->codec;
    const codec_t *played = feed_codec(codec);
    if (played == codec_host(played->rate))
        return Py_BuildValue("(si)", codec->name, played->rate);
    return Py_BuildValue("(ss)", codec->name, played->name);
}

/* -- digits and switches -- */

/* send_digits(port, [(digit, duration_ms, gap_ms)], token); ValueError when they do not fit. */
static PyObject *method_send_digits(PyObject *self, PyObject *arguments)
{
    unsigned long long id, token;
    PyObject *digits;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KOK", &id, &digits, &token))
        return NULL;
    port_t *port = port_at(engine, id);
    Py_ssize_t count = PySequence_Size(digits);
    if (!port || count < 0)
        return count < 0 ? NULL : Py_NewRef(Py_False);
    core_lock(port->core);
    bool good = count <= port_digit_room(port);
    for (Py_ssize_t n = 0; good && n < count; n++) {
        PyObject *item = PySequence_GetItem(digits, n);
        int digit, duration_ms, gap_ms;
        good = item && PyArg_ParseTuple(item, "Cii", &digit, &duration_ms, &gap_ms) &&
               port_send_digit(port, (char)digit, duration_ms, gap_ms);
        Py_XDECREF(item);
    }
    good = good && port_mark_digits(port, token);
    core_unlock(port->core);
    if (good)
        Py_RETURN_TRUE;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "%zd digits do not fit the queue of %d", count, MOST_DIGITS);
    return NULL;
}

enum switch_kind { SWITCH_MUTE, SWITCH_ECHO, SWITCH_PASS_DIGITS, SWITCH_TALK, SWITCH_TONE, SWITCH_INBAND };

static bool do_switch(port_t *port, int kind, const int value[4])
{
    switch (kind) {
    case SWITCH_MUTE:
        port_mute(port, value[0], value[1]);
        return true;
    case SWITCH_ECHO:
        port_echo(port, value[0]);
        return true;
    case SWITCH_PASS_DIGITS:
        port->passes_digits = value[0];
        return true;
    case SWITCH_TALK:
        return port_detect_talk(port, value[0], value[1]);
    case SWITCH_TONE:
        return port_detect_tone(port, value[0], value[1], value[2], value[3]);
    case SWITCH_INBAND:
        return port_detect_digits(port, value[0]);
    default:
        return true;
    }
}

/* switch(port, kind, up to four numbers) */
static PyObject *method_switch(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int kind, value[4] = {0};
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kii|iii", &id, &kind, &value[0], &value[1], &value[2], &value[3]))
        return NULL;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->core);
    bool good = do_switch(port, kind, value);
    core_unlock(port->core);
    return good ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* -- recording -- */

/* record(port, rate, side, tracks, wait, max_duration_ms, max_silence_ms, silence_threshold) -> id; None when it is
   closed. */
static PyObject *method_record(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int tracks, wait;
    long long max_duration_ms, max_silence_ms;
    record_options_t options = {0};
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KiippLLi", &id, &options.rate, &options.side, &tracks, &wait,
                                     &max_duration_ms, &max_silence_ms, &options.silence_threshold))
        return NULL;
    options.tracks = tracks;
    options.wait = wait;
    options.max_duration_ms = max_duration_ms;
    options.max_silence_ms = max_silence_ms;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    recorder_t *recorder = recorder_new(port, core_new_id(port->core), &options);
    if (!recorder || !registry_put(&engine->recorders, recorder->id, recorder))
        return PyErr_NoMemory();
    core_lock(port->core);
    recorder_t **place = &port->recorders;
    while (*place)
        place = &(*place)->next;
    *place = recorder;
    port_changed(port);
    core_activate(port->core, port);
    core_unlock(port->core);
    return PyLong_FromUnsignedLongLong(recorder->id);
}

enum recorder_verb { RECORDER_BEGIN, RECORDER_PAUSE, RECORDER_MUTE, RECORDER_FINISH, RECORDER_DURATION };

/* recorder(id, verb, value) -> duration in ms; None when it is gone. */
static PyObject *method_recorder(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int verb, value = 0;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Ki|i", &id, &verb, &value))
        return NULL;
    recorder_t *recorder = registry_get(&engine->recorders, id);
    if (!recorder)
        Py_RETURN_NONE;
    core_lock(recorder->core);
    if (verb == RECORDER_BEGIN)
        recorder->started = true;
    else if (verb == RECORDER_PAUSE)
        recorder->paused = value;
    else if (verb == RECORDER_MUTE)
        recorder->muted = value;
    else if (verb == RECORDER_FINISH)
        recorder_finish(recorder, value);
    long long duration_ms = recorder->duration_ms;
    core_unlock(recorder->core);
    return PyLong_FromLongLong(duration_ms);
}

/* recorded(id) -> samples gathered since the last time. */
static PyObject *method_recorded(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int64_t count = 0;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    recorder_t *recorder = registry_get(&engine->recorders, id);
    int16_t *samples = NULL;
    if (recorder) {
        core_lock(recorder->core);
        samples = recorder_take(recorder, &count);
        core_unlock(recorder->core);
    }
    PyObject *data = PyBytes_FromStringAndSize((const char *)samples, (Py_ssize_t)count * 2);
    free(samples);
    return data;
}

/* free_recorder(id): of one that ended. */
static PyObject *method_free_recorder(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    recorder_t *recorder = registry_get(&engine->recorders, id);
    if (!recorder)
        Py_RETURN_NONE;
    core_t *core = recorder->core;
    core_lock(core);
    bool ended = recorder->port == NULL;
    core_unlock(core);
    if (!ended)
        return PyErr_Format(PyExc_RuntimeError, "recorder %llu has not ended", id);
    registry_remove(&engine->recorders, id);
    recorder_free(recorder);
    Py_RETURN_NONE;
}

/* -- streams -- */

static port_t *stream_at(engine_t *engine, uint64_t id)
{
    port_t *port = port_at(engine, id);
    return port && port->kind == &stream_kind ? port : NULL;
}

static PyObject *method_push(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    Py_buffer data;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Ky*", &id, &data))
        return NULL;
    port_t *port = stream_at(engine, id);
    if (port && data.len <= INT32_MAX) {
        core_lock(port->core);
        stream_push(port, data.buf, (int)data.len);
        core_unlock(port->core);
    }
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

static PyObject *method_flush(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *port = stream_at(engine, id);
    if (port) {
        core_lock(port->core);
        stream_flush(port);
        core_unlock(port->core);
    }
    Py_RETURN_NONE;
}

/* buffered(port) -> how much waits to be heard, and how much was pushed out unheard, in ms. */
static PyObject *method_buffered(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int buffered = 0;
    long long dropped = 0;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *port = stream_at(engine, id);
    if (port) {
        core_lock(port->core);
        buffered = stream_buffered_ms(port);
        dropped = stream_dropped_ms(port);
        core_unlock(port->core);
    }
    return Py_BuildValue("(iL)", buffered, dropped);
}

static PyObject *method_stream_digit(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int digit, duration_ms;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KCi", &id, &digit, &duration_ms))
        return NULL;
    port_t *port = stream_at(engine, id);
    if (port && telephone_event_code((char)digit) >= 0) {
        core_lock(port->core);
        stream_digit(port, (char)digit, duration_ms);
        core_unlock(port->core);
    }
    Py_RETURN_NONE;
}

/* frames(port) -> what was sent to the stream's far end since the last time. */
static PyObject *method_frames(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    PyObject *frames = PyList_New(0);
    port_t *port = stream_at(engine, id);
    if (!frames || !port)
        return frames;
    core_lock(port->core);
    int size;
    for (const uint8_t *data; (data = stream_take(port, &size));) {
        PyObject *frame = PyBytes_FromStringAndSize((const char *)data, size);
        if (!frame || PyList_Append(frames, frame) < 0)
            PyErr_Clear();
        Py_XDECREF(frame);
    }
    core_unlock(port->core);
    return frames;
}

/* -- what is told -- */

/* events() -> [(kind, subject, a, b)], in order. */
static PyObject *method_events(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    if (!engine)
        return NULL;
    int count;
    event_t *events = event_take_all(&engine->events, &count);
    PyObject *list = PyList_New(count);
    for (int n = 0; list && n < count; n++) {
        const event_t *event = &events[n];
        PyObject *item = Py_BuildValue("(iKLL)", (int)event->kind, (unsigned long long)event->subject,
                                       (long long)event->a, (long long)event->b);
        if (!item || PyList_SetItem(list, n, item) < 0) {
            Py_DECREF(list);
            list = NULL;
        }
    }
    free(events);
    return list;
}

/* post(subject, a, b): an event of the owner's own, in order with the others. */
static PyObject *method_post(PyObject *self, PyObject *arguments)
{
    unsigned long long subject;
    long long a, b;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "KLL", &subject, &a, &b))
        return NULL;
    event_put(&engine->events, EVENT_POSTED, subject, a, b);
    Py_RETURN_NONE;
}

/* Packets that never came; the core's lock held. */
static int64_t packets_lost(const core_t *core)
{
    int64_t lost = core->packets_lost;
    for (const port_t *port = core->ports; port; port = port->next)
        if (port->kind == &rtp_kind)
            lost += rtp_port_lost((const rtp_port_t *)port);
    return lost;
}

/* stats() -> numbers as native/core.py names them, summed over the shards. */
static PyObject *method_stats(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = engine_of(self);
    if (!engine)
        return NULL;
    long long total[11] = {0};
    for (int n = 0; n < engine->count; n++) {
        core_t *core = engine_core(engine, n);
        core_lock(core);
        const long long own[] = {core->port_count,       core->mixer_count,     core->ticks,
                                 core->late_ticks,       core->packets_sent,    core->packets_received,
                                 core->packets_dropped,  core->send_errors,     core->tick_ns,
                                 core->active_count,     packets_lost(core)};
        core_unlock(core);
        for (int k = 0; k < 11; k++)
            total[k] += own[k];
    }
    return Py_BuildValue("(LLLLLLLLLLLL)", total[0], total[1], total[2], total[3], total[4], total[5], total[6], total[7],
                         total[8], total[9], (long long)engine->events.dropped, total[10]);
}

/* -- the virtual wire -- */

/* The engine of a method for engines without threads; NULL with an error set for others. */
static engine_t *virtual_engine_of(PyObject *self)
{
    engine_t *engine = engine_of(self);
    if (engine && !engine->virtual_core) {
        PyErr_SetString(PyExc_RuntimeError, "the engine runs on threads of its own");
        return NULL;
    }
    return engine;
}

/* run(now_ns) */
static PyObject *method_run(PyObject *self, PyObject *arguments)
{
    long long now_ns;
    engine_t *engine = virtual_engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "L", &now_ns))
        return NULL;
    engine->wire.clock_ns = now_ns;
    core_lock(engine->virtual_core);
    core_run(engine->virtual_core, now_ns);
    core_unlock(engine->virtual_core);
    Py_RETURN_NONE;
}

/* set_clock(now_ns, wall_offset_ns) */
static PyObject *method_set_clock(PyObject *self, PyObject *arguments)
{
    long long now_ns, wall_offset_ns;
    engine_t *engine = virtual_engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "LL", &now_ns, &wall_offset_ns))
        return NULL;
    engine->wire.clock_ns = now_ns;
    engine->virtual_core->now_ns = now_ns;
    engine->virtual_core->wall_offset_ns = wall_offset_ns;
    Py_RETURN_NONE;
}

/* deadline() -> ns, None: not before a packet or a command. */
static PyObject *method_deadline(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = virtual_engine_of(self);
    if (!engine)
        return NULL;
    int64_t deadline = core_deadline(engine->virtual_core);
    if (deadline == INT64_MAX)
        Py_RETURN_NONE;
    return PyLong_FromLongLong(deadline);
}

/* receive(port, control, data, host, number, now_ns) */
static PyObject *method_receive(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int control, number;
    Py_buffer data;
    const char *host;
    long long now_ns;
    engine_t *engine = virtual_engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kpy*siL", &id, &control, &data, &host, &number, &now_ns))
        return NULL;
    address_t source;
    port_t *port = port_at(engine, id);
    uint8_t copy[MAX_PACKET];
    if (port && port->kind == &rtp_kind && data.len <= MAX_PACKET && address_parse(&source, host, number)) {
        memcpy(copy, data.buf, (size_t)data.len);
        core_lock(port->core);
        port->core->now_ns = engine->wire.clock_ns = now_ns;
        (control ? rtp_port_receive_control : rtp_port_receive)((rtp_port_t *)port, copy, (int)data.len, &source, now_ns);
        core_unlock(port->core);
    }
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

/* sent() -> [(local port, control, data, (host, port))], of the virtual wire. */
static PyObject *method_sent(PyObject *self, PyObject *none)
{
    (void)none;
    engine_t *engine = virtual_engine_of(self);
    if (!engine)
        return NULL;
    virtual_wire_t *wire = &engine->wire;
    PyObject *list = PyList_New(wire->count);
    for (int n = 0; list && n < wire->count; n++) {
        const datagram_t *sent = &wire->sent[n];
        PyObject *item = Py_BuildValue("(iNy#N)", sent->local_port, PyBool_FromLong(sent->control), sent->data,
                                       (Py_ssize_t)sent->size, host_of(&sent->target));
        if (!item || PyList_SetItem(list, n, item) < 0) {
            Py_DECREF(list);
            list = NULL;
        }
    }
    virtual_wire_clear(wire);
    return list;
}

static PyMethodDef engine_methods[] = {
    {"start", method_start, METH_NOARGS, "Start the threads that do not run."},
    {"close", method_close, METH_NOARGS, "Close every port and end the threads."},
    {"stop", method_stop, METH_NOARGS, "End the threads."},
    {"new_id", method_new_id, METH_NOARGS, "An id nothing else has."},
    {"open_rtp", method_open_rtp, METH_VARARGS, "open_rtp(host, port) -> id; None when it is taken."},
    {"open_pipe", method_open_pipe, METH_NOARGS, "open_pipe() -> (id, id)"},
    {"open_stream", method_open_stream, METH_VARARGS, "open_stream(format, buffer_ms, tells_digits) -> id"},
    {"open_snoop", method_open_snoop, METH_VARARGS, "open_snoop(target, spy, whisper) -> id"},
    {"open_mixer", method_open_mixer, METH_VARARGS, "open_mixer(holding) -> id"},
    {"mixer_port", method_mixer_port, METH_VARARGS, "mixer_port(mixer) -> id"},
    {"mixer_mode", method_mixer_mode, METH_VARARGS, "mixer_mode(mixer) -> 0 relay, 1 pair, 2 mix, 3 holding"},
    {"close_port", method_close_port, METH_VARARGS, "close_port(port)"},
    {"close_mixer", method_close_mixer, METH_VARARGS, "close_mixer(mixer)"},
    {"link", method_link, METH_VARARGS, "link(port, mixer, muted, announcer)"},
    {"link_pair", method_link_pair, METH_VARARGS, "link_pair(one, other, muted, announcer)"},
    {"configure", method_configure, METH_VARARGS, "configure(port, …): see RtpSettings"},
    {"secure", method_secure, METH_VARARGS, "secure(port, suite, key, suite, key)"},
    {"addresses", method_addresses, METH_VARARGS, "addresses(port) -> (learnt source, target)"},
    {"statistics", method_statistics, METH_VARARGS, "statistics(port) -> numbers"},
    {"play", method_play, METH_VARARGS, "play(port, offset_ms, music) -> player"},
    {"player", method_player, METH_VARARGS, "player(port, player, verb, amount=0) -> position in ms"},
    {"load", method_load, METH_VARARGS, "load(port or mixer, player or generator, track)"},
    {"generate", method_generate, METH_VARARGS, "generate(port or mixer, on, music) -> generator"},
    {"load_music", method_load_music, METH_VARARGS, "load_music(shard, music, piece, form, track)"},
    {"form", method_form, METH_VARARGS, "form(n) -> codec or rate"},
    {"codec", method_codec, METH_VARARGS, "codec(port) -> (codec, codec or rate of what is played)"},
    {"send_digits", method_send_digits, METH_VARARGS, "send_digits(port, digits, token)"},
    {"switch", method_switch, METH_VARARGS, "switch(port, kind, …)"},
    {"record", method_record, METH_VARARGS, "record(port, rate, side, …) -> recorder"},
    {"recorder", method_recorder, METH_VARARGS, "recorder(recorder, verb, value=0) -> duration in ms"},
    {"recorded", method_recorded, METH_VARARGS, "recorded(recorder) -> samples"},
    {"free_recorder", method_free_recorder, METH_VARARGS, "free_recorder(recorder)"},
    {"push", method_push, METH_VARARGS, "push(port, data)"},
    {"flush", method_flush, METH_VARARGS, "flush(port)"},
    {"buffered", method_buffered, METH_VARARGS, "buffered(port) -> ms that wait, ms pushed out"},
    {"stream_digit", method_stream_digit, METH_VARARGS, "stream_digit(port, digit, duration_ms)"},
    {"frames", method_frames, METH_VARARGS, "frames(port) -> [bytes]"},
    {"events", method_events, METH_NOARGS, "events() -> [(kind, subject, a, b)]"},
    {"post", method_post, METH_VARARGS, "post(subject, a, b)"},
    {"stats", method_stats, METH_NOARGS, "stats() -> numbers"},
    {"run", method_run, METH_VARARGS, "run(now_ns): a virtual engine's clock"},
    {"set_clock", method_set_clock, METH_VARARGS, "set_clock(now_ns, wall_offset_ns)"},
    {"deadline", method_deadline, METH_NOARGS, "deadline() -> ns or None"},
    {"receive", method_receive, METH_VARARGS, "receive(port, control, data, host, number, now_ns)"},
    {"sent", method_sent, METH_NOARGS, "sent() -> [(local port, control, data, (host, port))]"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot engine_slots[] = {
    {Py_tp_new, engine_create},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_methods, engine_methods},
    {Py_tp_doc, "Engine(shards, signal, strict, probation, relearn_ns, loudest, epoch_ns)"},
    {0, NULL},
};
static PyType_Spec engine_spec = {"arietta.media.native._engine.Engine", sizeof(EngineObject), 0, Py_TPFLAGS_DEFAULT,
                                  engine_slots};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **kept)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (!type)
        return -1;
    if (kept)
        *kept = type;
    int added = PyModule_AddObjectRef(module, name, type);
    Py_DECREF(type);
    return added;
}

int module_engine_add(PyObject *module)
{
    if (add_type(module, "Track", &track_spec, &track_type_object) < 0)
        return -1;
    return add_type(module, "Engine", &engine_spec, NULL);
}
