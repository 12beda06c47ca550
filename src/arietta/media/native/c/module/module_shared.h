/* What the files of the Engine type share; all of it under the interpreter's lock. */
#ifndef ARIETTA_MODULE_SHARED_H
#define ARIETTA_MODULE_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "engine.h"

/* The engine of a method's self; NULL with an error set once it is closed. */
engine_t *engine_of(PyObject *self);
/* NULL with an error set when it is no Track. */
track_t *track_of(PyObject *object);
/* A codec that can be used, by name; NULL with a LookupError set. */
const codec_t *codec_argument(const char *name);
/* ("host", port), or None when it is nobody. */
PyObject *host_of(const address_t *address);

/* NULL when it was closed: every command then does nothing. */
static inline port_t *port_at(engine_t *engine, uint64_t id) { return registry_get(&engine->ports, id); }
static inline mixer_t *mixer_at(engine_t *engine, uint64_t id) { return registry_get(&engine->mixers, id); }

/* The methods of each file, to the end by a NULL. */
extern const PyMethodDef rtp_methods[]; /* module_rtp.c */
extern const PyMethodDef playing_methods[]; /* module_playing.c */
extern const PyMethodDef switches_methods[]; /* module_switches.c */
extern const PyMethodDef recording_methods[]; /* module_recording.c */
extern const PyMethodDef streams_methods[]; /* module_streams.c */
extern const PyMethodDef virtual_methods[]; /* module_virtual.c */

#endif
