/* The Engine and Track types of the extension module. */
#ifndef ARIETTA_MODULE_ENGINE_H
#define ARIETTA_MODULE_ENGINE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int module_engine_add(PyObject *module);

#endif
