/* Codecs and sample rates for Python. */
#ifndef ARIETTA_MODULE_CODECS_H
#define ARIETTA_MODULE_CODECS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Adds Encoder, Decoder and resample to the module; -1 with an exception set. */
int module_codecs_add(PyObject *module);

#endif
