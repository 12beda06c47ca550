/* Recorders, for Python. */
#include "module_shared.h"

#include <stdlib.h>

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

/* recorded(id) -> samples gathered since the last time, and how many channels they have. */
static PyObject *method_recorded(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int64_t count = 0;
    int channels = 1;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    recorder_t *recorder = registry_get(&engine->recorders, id);
    int16_t *samples = NULL;
    if (recorder) {
        core_lock(recorder->core);
        samples = recorder_take(recorder, &count);
        channels = recorder->channels;
        core_unlock(recorder->core);
    }
    PyObject *taken = Py_BuildValue("(y#i)", samples ? (const char *)samples : "", (Py_ssize_t)count * 2, channels);
    free(samples);
    return taken;
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

const PyMethodDef recording_methods[] = {
    {"record", method_record, METH_VARARGS, "record(port, rate, side, …) -> recorder"},
    {"recorder", method_recorder, METH_VARARGS, "recorder(recorder, verb, value=0) -> duration in ms"},
    {"recorded", method_recorded, METH_VARARGS, "recorded(recorder) -> (samples, channels)"},
    {"free_recorder", method_free_recorder, METH_VARARGS, "free_recorder(recorder)"},
    {NULL, NULL, 0, NULL},
};
