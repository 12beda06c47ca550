/* The extension module: tracks and the engine for Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "module_codecs.h"
#include "module_engine.h"
#include "module_srtp.h"

static int fill(PyObject *module)
{
    if (module_codecs_add(module) < 0 || module_srtp_add(module) < 0 || module_engine_add(module) < 0)
        return -1;
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_engine",
    .m_doc = "The media engine in C: see arietta.media.native.",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__engine(void) { return PyModuleDef_Init(&definition); }
