/* Streams: the owner as the far end, for Python. */
#include "module_shared.h"

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

const PyMethodDef streams_methods[] = {
    {"push", method_push, METH_VARARGS, "push(port, data)"},
    {"flush", method_flush, METH_VARARGS, "flush(port)"},
    {"buffered", method_buffered, METH_VARARGS, "buffered(port) -> ms that wait, ms pushed out"},
    {"stream_digit", method_stream_digit, METH_VARARGS, "stream_digit(port, digit, duration_ms)"},
    {"frames", method_frames, METH_VARARGS, "frames(port) -> [bytes]"},
    {NULL, NULL, 0, NULL},
};
