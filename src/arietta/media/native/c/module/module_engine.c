/* The Engine type: opening, closing, linking, and what it tells. Its other commands are in files of their own. */
#include "module_engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "module_shared.h"

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
track_t *track_of(PyObject *object)
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
    int shards, signal, strict, probation, loudest, checksums, replays;
    long long epoch_ns, relearn_ns, rtcp_interval_ns, digit_silence_ns;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "iiL(piLiLLpp)", &shards, &signal, &epoch_ns, &strict, &probation, &relearn_ns,
                          &loudest, &rtcp_interval_ns, &digit_silence_ns, &checksums, &replays))
        return NULL;
    if (shards < 0 || shards > 256) {
        PyErr_Format(PyExc_ValueError, "%d media threads are outside 0..256", shards);
        return NULL;
    }
    EngineObject *self = (EngineObject *)PyType_GenericNew(type, NULL, NULL);
    if (!self)
        return NULL;
    settings_t settings = {
        .strict_rtp = strict,
        .probation = probation,
        .relearn_ns = relearn_ns,
        .loudest = loudest,
        .rtcp_interval_ns = rtcp_interval_ns,
        .digit_silence_ns = digit_silence_ns,
        .checksums = checksums,
        .takes_replays = replays,
    };
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
engine_t *engine_of(PyObject *self)
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
    core_t *core = engine_lightest(engine);
    int error = engine->shards ? shard_bind_pair(host, number, core->settings.checksums, sockets) : 0;
    if (error == EADDRINUSE || error == EACCES)
        Py_RETURN_NONE;
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
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

const codec_t *codec_argument(const char *name)
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

static const PyMethodDef own_methods[] = {
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
    {"events", method_events, METH_NOARGS, "events() -> [(kind, subject, a, b)]"},
    {"post", method_post, METH_VARARGS, "post(subject, a, b)"},
    {"stats", method_stats, METH_NOARGS, "stats() -> numbers"},
    {NULL, NULL, 0, NULL},
};

/* The type takes one list: those of all files, one after the other. */
static PyMethodDef engine_methods[96];

static void gather_methods(void)
{
    const PyMethodDef *const parts[] = {own_methods,       rtp_methods,     playing_methods, switches_methods,
                                        recording_methods, streams_methods, virtual_methods};
    size_t count = 0;
    for (size_t n = 0; n < sizeof parts / sizeof *parts; n++)
        for (const PyMethodDef *method = parts[n]; method->ml_name; method++) {
            assert(count < sizeof engine_methods / sizeof *engine_methods - 1);
            engine_methods[count++] = *method;
        }
}

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
    gather_methods();
    return add_type(module, "Engine", &engine_spec, NULL);
}
