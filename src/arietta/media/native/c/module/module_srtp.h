/* SRTP of one direction for Python: virtual phones speak it, the engine has its own (rtp_port.h). */
#ifndef ARIETTA_MODULE_SRTP_H
#define ARIETTA_MODULE_SRTP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "srtp.h"

/* A new one, by the name of its suite; NULL with an exception set. */
srtp_t *srtp_for_python(const char *suite_name, const Py_buffer *key);
/* Adds Srtp to the module; -1 with an exception set. */
int module_srtp_add(PyObject *module);

#endif
