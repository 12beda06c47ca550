/* Digits and switches of ports, for Python. */
#include "module_shared.h"

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

/* volume(port, side, factor): side 1 is what is heard of it, 2 what it sends */
static PyObject *method_volume(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int side;
    double factor;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kid", &id, &side, &factor))
        return NULL;
    port_t *port = port_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->core);
    port_volume(port, side, factor);
    core_unlock(port->core);
    Py_RETURN_NONE;
}

const PyMethodDef switches_methods[] = {
    {"send_digits", method_send_digits, METH_VARARGS, "send_digits(port, digits, token)"},
    {"switch", method_switch, METH_VARARGS, "switch(port, kind, …)"},
    {"volume", method_volume, METH_VARARGS, "volume(port, side, factor)"},
    {NULL, NULL, 0, NULL},
};
