#include "module_codecs.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "codec.h"
#include "resample.h"

/* Inputs of more bytes are converted without the interpreter's lock. */
enum { WITHOUT_LOCK = 4096, LONGEST_OPUS = 5760, ENCODED_OPUS = 1276 };

/* One stream's encoder or decoder. Used by one thread at a time: `busy` says so, under the interpreter's lock. */
typedef struct coder {
    PyObject_HEAD
    const codec_t *codec;
    void *state; /* ours; NULL for stateless codecs */
    bool encodes;
    bool busy;
} coder_t;

/* A conversion under way: from `data` to `out`. */
typedef struct job {
    coder_t *coder;
    const uint8_t *data;
    Py_ssize_t size;
    uint8_t *out;
    Py_ssize_t room, written; /* bytes; written -1: it failed */
} job_t;

static int frame_samples(const codec_t *codec) { return codec_samples(codec, codec->frame_ms); }

/* -- encoding -- */

static Py_ssize_t encoded_room(const codec_t *codec, Py_ssize_t size)
{
    Py_ssize_t frames = (size / 2 + frame_samples(codec) - 1) / frame_samples(codec);
    return codec->frame_bytes > 0 ? frames * codec->frame_bytes : ENCODED_OPUS;
}

/* Samples that are encoded at once: whole frames; the last is filled with silence where nothing shorter can be. */
static int next_samples(const codec_t *codec, const job_t *job, Py_ssize_t at, int16_t samples[MAX_FRAME_SAMPLES])
{
    int frame = frame_samples(codec), most = MAX_FRAME_SAMPLES / frame * frame;
    Py_ssize_t left = (job->size - at) / 2;
    int count = left < most ? (int)left : most;
    memcpy(samples, job->data + at, (size_t)count * 2);
    if (codec->frame_ms < FRAME_MS || count % frame == 0)
        return count;
    int whole = (count / frame + 1) * frame;
    memset(samples + count, 0, (size_t)(whole - count) * 2);
    return whole;
}

static void encode(job_t *job)
{
    const codec_t *codec = job->coder->codec;
    int16_t samples[MAX_FRAME_SAMPLES];
    if (codec->frame_bytes == 0 && job->size > 2 * frame_samples(codec)) {
        job->written = -1; /* nobody could tell the packets apart */
        return;
    }
    for (Py_ssize_t at = 0; at + 1 < job->size;) {
        int count = next_samples(codec, job, at, samples);
        Py_ssize_t room = job->room - job->written;
        int written = codec->encode(job->coder->state, samples, count, job->out + job->written,
                                    room > MAX_PACKET ? MAX_PACKET : (int)room);
        if (written < 0) {
            job->written = -1;
            return;
        }
        job->written += written;
        at += 2 * (Py_ssize_t)count;
    }
}

/* -- decoding -- */

static Py_ssize_t decoded_room(const codec_t *codec, Py_ssize_t size)
{
    if (codec->frame_bytes == 0)
        return 2 * LONGEST_OPUS;
    return (size + codec->frame_bytes - 1) / codec->frame_bytes * frame_samples(codec) * 2;
}

/* One packet; 20 ms are made up for none, or for a broken one. */
static void decode_packet(job_t *job)
{
    const codec_t *codec = job->coder->codec;
    int16_t *out = (int16_t *)job->out;
    int count = -1;
    if (job->size <= MAX_PACKET)
        count = codec->decode(job->coder->state, job->data, (int)job->size, out, LONGEST_OPUS);
    if (count <= 0)
        count = codec->conceal(job->coder->state, out, codec_samples(codec, FRAME_MS));
    job->written = count < 0 ? -1 : 2 * (Py_ssize_t)count;
}

static void decode(job_t *job)
{
    const codec_t *codec = job->coder->codec;
    if (codec->frame_bytes == 0) {
        decode_packet(job);
        return;
    }
    Py_ssize_t most = MAX_PACKET / codec->frame_bytes * codec->frame_bytes;
    for (Py_ssize_t at = 0; at < job->size; at += most) {
        int size = (int)(job->size - at < most ? job->size - at : most);
        Py_ssize_t room = (job->room - job->written) / 2;
        int count = codec->decode(job->coder->state, job->data + at, size, (int16_t *)(job->out + job->written),
                                  room > INT_MAX ? INT_MAX : (int)room);
        if (count < 0) {
            job->written = -1;
            return;
        }
        job->written += 2 * (Py_ssize_t)count;
    }
}

/* -- objects -- */

static void run(job_t *job)
{
    void (*work)(job_t *) = job->coder->encodes ? encode : decode;
    job->coder->busy = true;
    if (job->size > WITHOUT_LOCK) {
        Py_BEGIN_ALLOW_THREADS
        work(job);
        Py_END_ALLOW_THREADS
    } else {
        work(job);
    }
    job->coder->busy = false;
}

static PyObject *convert(coder_t *self, const Py_buffer *view)
{
    const codec_t *codec = self->codec;
    if (self->busy) {
        PyErr_Format(PyExc_RuntimeError, "this coder of %s is in use on another thread", codec->name);
        return NULL;
    }
    Py_ssize_t room = self->encodes ? encoded_room(codec, view->len) : decoded_room(codec, view->len);
    PyObject *result = PyBytes_FromStringAndSize(NULL, room);
    if (!result)
        return NULL;
    job_t job = {.coder = self, .data = view->buf, .size = view->len, .room = room};
    job.out = (uint8_t *)PyBytes_AsString(result);
    run(&job);
    if (job.written < 0) {
        Py_DECREF(result);
        return PyErr_Format(PyExc_ValueError, "%s cannot convert these %zd bytes", codec->name, view->len);
    }
    if (job.written == room)
        return result;
    PyObject *exact = PyBytes_FromStringAndSize((const char *)job.out, job.written);
    Py_DECREF(result);
    return exact;
}

static PyObject *coder_call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    Py_buffer view;
    if (keywords && PyDict_Size(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "a coder takes bytes and no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "y*", &view))
        return NULL;
    PyObject *result = convert((coder_t *)self, &view);
    PyBuffer_Release(&view);
    return result;
}

static bool open_state(coder_t *self)
{
    size_t size = self->encodes ? self->codec->encoder_size : self->codec->decoder_size;
    if (size == 0)
        return true;
    bool (*open)(void *) = self->encodes ? self->codec->encoder_open : self->codec->decoder_open;
    self->state = calloc(1, size);
    if (!self->state || (open && !open(self->state))) {
        free(self->state);
        self->state = NULL;
        return false;
    }
    return true;
}

static PyObject *coder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords, bool encodes)
{
    static char *names[] = {"name", NULL};
    const char *name;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s", names, &name))
        return NULL;
    const codec_t *codec = codec_named(name);
    if (!codec)
        return PyErr_Format(PyExc_KeyError, "no codec '%s'", name);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    coder_t *self = (coder_t *)allocate(type, 0);
    if (!self)
        return NULL;
    self->codec = codec;
    self->encodes = encodes;
    if (!open_state(self)) {
        Py_DECREF(self);
        return PyErr_Format(PyExc_ValueError, "codec '%s' is not available", name);
    }
    return (PyObject *)self;
}

static PyObject *encoder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    return coder_new(type, arguments, keywords, true);
}

static PyObject *decoder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    return coder_new(type, arguments, keywords, false);
}

static void coder_dealloc(PyObject *object)
{
    coder_t *self = (coder_t *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->state) {
        void (*close)(void *) = self->encodes ? self->codec->encoder_close : self->codec->decoder_close;
        if (close)
            close(self->state);
        free(self->state);
    }
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

static PyType_Slot encoder_slots[] = {
    {Py_tp_doc, "Encoder(name): called with samples in host order, it gives a codec's bytes."},
    {Py_tp_new, encoder_new},
    {Py_tp_dealloc, coder_dealloc},
    {Py_tp_call, coder_call},
    {0, NULL},
};

static PyType_Slot decoder_slots[] = {
    {Py_tp_doc, "Decoder(name): called with a codec's bytes, it gives samples in host order."},
    {Py_tp_new, decoder_new},
    {Py_tp_dealloc, coder_dealloc},
    {Py_tp_call, coder_call},
    {0, NULL},
};

static PyType_Spec encoder_spec = {
    .name = "arietta.media.native._engine.Encoder",
    .basicsize = sizeof(coder_t),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = encoder_slots,
};

static PyType_Spec decoder_spec = {
    .name = "arietta.media.native._engine.Decoder",
    .basicsize = sizeof(coder_t),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = decoder_slots,
};

/* -- sample rates -- */

/* A whole recording's conversion: what lies before the delay is left out, silence behind it brings the end. */
typedef struct conversion {
    resampler_t *resampler;
    const uint8_t *data;
    Py_ssize_t count, skip, wanted, written; /* samples */
    int16_t *out;
} conversion_t;

/* Converts samples and keeps what falls into the result. */
static void feed(conversion_t *to, const int16_t *samples, int count, int16_t *scratch, int room)
{
    int fresh = resampler_process(to->resampler, samples, count, scratch, room);
    Py_ssize_t first = to->skip < fresh ? to->skip : fresh;
    to->skip -= first;
    Py_ssize_t kept = fresh - first;
    if (kept > to->wanted - to->written)
        kept = to->wanted - to->written;
    memcpy(to->out + to->written, scratch + first, (size_t)kept * 2);
    to->written += kept;
}

enum { CHUNK = 1024, MOST_UP = 24 }; /* 8 to 192 kHz */

static void convert_all(conversion_t *to, int16_t scratch[CHUNK * MOST_UP + 1])
{
    int16_t samples[CHUNK];
    for (Py_ssize_t at = 0; to->written < to->wanted; at += CHUNK) {
        Py_ssize_t left = to->count > at ? to->count - at : 0;
        int count = left < CHUNK ? (int)left : CHUNK;
        memcpy(samples, to->data + 2 * at, (size_t)count * 2);
        memset(samples + count, 0, (size_t)(CHUNK - count) * 2);
        feed(to, samples, CHUNK, scratch, CHUNK * MOST_UP + 1);
    }
}

static PyObject *resampled(const Py_buffer *view, int from_rate, int to_rate)
{
    conversion_t to = {.data = view->buf, .count = view->len / 2};
    to.wanted = (to.count * to_rate + from_rate - 1) / from_rate;
    PyObject *result = PyBytes_FromStringAndSize(NULL, 2 * to.wanted);
    if (!result)
        return NULL;
    to.out = (int16_t *)PyBytes_AsString(result);
    to.resampler = resampler_new(from_rate, to_rate);
    int16_t *scratch = malloc((CHUNK * MOST_UP + 1) * sizeof *scratch);
    if (!to.resampler || !scratch) {
        resampler_free(to.resampler);
        free(scratch);
        Py_DECREF(result);
        return PyErr_NoMemory();
    }
    to.skip = (Py_ssize_t)nearbyint(resampler_delay(to.resampler) * to_rate / from_rate);
    if (view->len > WITHOUT_LOCK) {
        Py_BEGIN_ALLOW_THREADS
        convert_all(&to, scratch);
        Py_END_ALLOW_THREADS
    } else {
        convert_all(&to, scratch);
    }
    resampler_free(to.resampler);
    free(scratch);
    return result;
}

static PyObject *resample(PyObject *module, PyObject *arguments)
{
    Py_buffer view;
    int from_rate, to_rate;
    if (!PyArg_ParseTuple(arguments, "y*ii", &view, &from_rate, &to_rate))
        return NULL;
    PyObject *result;
    if (!codec_host(from_rate) || !codec_host(to_rate))
        result = PyErr_Format(PyExc_ValueError, "no conversion from %d to %d Hz", from_rate, to_rate);
    else if (from_rate == to_rate)
        result = PyBytes_FromStringAndSize(view.buf, view.len);
    else
        result = resampled(&view, from_rate, to_rate);
    PyBuffer_Release(&view);
    return result;
}

static PyMethodDef functions[] = {
    {"resample", resample, METH_VARARGS,
     "resample(data, from_rate, to_rate): a recording at another sample rate, without delay."},
    {NULL, NULL, 0, NULL},
};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    int result = type ? PyModule_AddObjectRef(module, name, type) : -1;
    Py_XDECREF(type);
    return result;
}

int module_codecs_add(PyObject *module)
{
    codecs_init();
    if (add_type(module, "Encoder", &encoder_spec) < 0 || add_type(module, "Decoder", &decoder_spec) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
