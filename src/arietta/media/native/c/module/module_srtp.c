#include "module_srtp.h"

/* One direction of one stream. Used under the interpreter's lock. */
typedef struct srtp_object {
    PyObject_HEAD
    srtp_t *srtp; /* ours */
} srtp_object_t;

enum { MOST_BYTES = 65535 + SRTP_OVERHEAD + 4 };

srtp_t *srtp_for_python(const char *suite_name, const Py_buffer *key)
{
    int suite = srtp_suite_named(suite_name);
    if (suite < 0) {
        PyErr_Format(PyExc_ValueError, "no SRTP suite '%s'", suite_name);
        return NULL;
    }
    if (!srtp_available()) {
        PyErr_SetString(PyExc_RuntimeError, "SRTP needs OpenSSL's libcrypto, which cannot be loaded");
        return NULL;
    }
    srtp_t *srtp = key->len <= MOST_BYTES ? srtp_new((srtp_suite_t)suite, key->buf, (int)key->len) : NULL;
    if (!srtp)
        PyErr_Format(PyExc_ValueError, "an SRTP key of %zd bytes does not fit %s, which has %d", key->len, suite_name,
                     srtp_key_bytes((srtp_suite_t)suite));
    return srtp;
}

static PyObject *object_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    const char *suite;
    Py_buffer key;
    (void)keywords;
    if (!PyArg_ParseTuple(arguments, "sy*", &suite, &key))
        return NULL;
    srtp_t *srtp = srtp_for_python(suite, &key);
    PyBuffer_Release(&key);
    if (!srtp)
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    srtp_object_t *self = (srtp_object_t *)allocate(type, 0);
    if (!self) {
        srtp_free(srtp);
        return NULL;
    }
    self->srtp = srtp;
    return (PyObject *)self;
}

static void object_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    srtp_free(((srtp_object_t *)object)->srtp);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

typedef int (*protector_t)(srtp_t *srtp, uint8_t *packet, int size, int room);
typedef int (*unprotector_t)(srtp_t *srtp, uint8_t *packet, int size);

/* The packet changed in a copy; None when it cannot be. */
static PyObject *changed(PyObject *self, PyObject *arguments, protector_t protect, unprotector_t unprotect)
{
    static uint8_t packet[MOST_BYTES];
    srtp_t *srtp = ((srtp_object_t *)self)->srtp;
    Py_buffer view;
    if (!PyArg_ParseTuple(arguments, "y*", &view))
        return NULL;
    int size = -1;
    if (view.len <= 65535) {
        memcpy(packet, view.buf, (size_t)view.len);
        size = (int)view.len;
        size = protect ? protect(srtp, packet, size, sizeof packet) : unprotect(srtp, packet, size);
    }
    PyBuffer_Release(&view);
    return size < 0 ? Py_NewRef(Py_None) : PyBytes_FromStringAndSize((const char *)packet, size);
}

static PyObject *method_protect(PyObject *self, PyObject *arguments)
{
    return changed(self, arguments, srtp_protect, NULL);
}

static PyObject *method_unprotect(PyObject *self, PyObject *arguments)
{
    return changed(self, arguments, NULL, srtp_unprotect);
}

static PyObject *method_protect_control(PyObject *self, PyObject *arguments)
{
    return changed(self, arguments, srtcp_protect, NULL);
}

static PyObject *method_unprotect_control(PyObject *self, PyObject *arguments)
{
    return changed(self, arguments, NULL, srtcp_unprotect);
}

static PyMethodDef methods[] = {
    {"protect", method_protect, METH_VARARGS, "protect(packet) -> packet of SRTP, or None"},
    {"unprotect", method_unprotect, METH_VARARGS, "unprotect(packet of SRTP) -> packet, or None"},
    {"protect_control", method_protect_control, METH_VARARGS, "protect_control(compound) -> SRTCP, or None"},
    {"unprotect_control", method_unprotect_control, METH_VARARGS, "unprotect_control(SRTCP) -> compound, or None"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot object_slots[] = {
    {Py_tp_doc, "Srtp(suite, key): master key with its salt; one direction of one stream (RFC 3711, RFC 7714)."},
    {Py_tp_new, object_new},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec object_spec = {
    .name = "arietta.media.native._engine.Srtp",
    .basicsize = sizeof(srtp_object_t),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = object_slots,
};

int module_srtp_add(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&object_spec);
    int result = type ? PyModule_AddObjectRef(module, "Srtp", type) : -1;
    Py_XDECREF(type);
    return result;
}
