/* Players, generators and music, for Python. */
#include "module_shared.h"

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

const PyMethodDef playing_methods[] = {
    {"play", method_play, METH_VARARGS, "play(port, offset_ms, music) -> player"},
    {"player", method_player, METH_VARARGS, "player(port, player, verb, amount=0) -> position in ms"},
    {"load", method_load, METH_VARARGS, "load(port or mixer, player or generator, track)"},
    {"generate", method_generate, METH_VARARGS, "generate(port or mixer, on, music) -> generator"},
    {"load_music", method_load_music, METH_VARARGS, "load_music(shard, music, piece, form, track)"},
    {"form", method_form, METH_VARARGS, "form(n) -> codec or rate"},
    {"codec", method_codec, METH_VARARGS, "codec(port) -> (codec, codec or rate of what is played)"},
    {NULL, NULL, 0, NULL},
};
