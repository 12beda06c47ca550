/* Engines without threads: their clock and their wire, for Python. */
#include "module_shared.h"

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

const PyMethodDef virtual_methods[] = {
    {"run", method_run, METH_VARARGS, "run(now_ns): a virtual engine's clock"},
    {"set_clock", method_set_clock, METH_VARARGS, "set_clock(now_ns, wall_offset_ns)"},
    {"deadline", method_deadline, METH_NOARGS, "deadline() -> ns or None"},
    {"receive", method_receive, METH_VARARGS, "receive(port, control, data, host, number, now_ns)"},
    {"sent", method_sent, METH_NOARGS, "sent() -> [(local port, control, data, (host, port))]"},
    {NULL, NULL, 0, NULL},
};
