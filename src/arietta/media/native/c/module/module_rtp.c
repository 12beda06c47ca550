/* What RTP ports are told and asked, for Python. */
#include "module_shared.h"
#include "module_srtp.h"

#include <arpa/inet.h>

#include <stdlib.h>

/* ("host", port) or None. */
static bool parse_address(PyObject *object, address_t *address)
{
    const char *host;
    int port;
    memset(address, 0, sizeof *address);
    if (object == Py_None)
        return true;
    if (!PyArg_ParseTuple(object, "si", &host, &port))
        return false;
    if (address_parse(address, host, port))
        return true;
    PyErr_Format(PyExc_ValueError, "'%s' is no numeric address", host);
    return false;
}

static bool parse_receive(PyObject *pairs, rtp_settings_t *settings)
{
    Py_ssize_t count = PySequence_Size(pairs);
    for (Py_ssize_t n = 0; n < count && n < MOST_RECEIVED_TYPES; n++) {
        PyObject *pair = PySequence_GetItem(pairs, n);
        int type;
        const char *name;
        bool good = pair && PyArg_ParseTuple(pair, "is", &type, &name);
        const codec_t *codec = good ? codec_argument(name) : NULL;
        Py_XDECREF(pair);
        if (!codec)
            return false;
        settings->receive[settings->received].payload_type = (uint8_t)type;
        settings->receive[settings->received++].codec = codec;
    }
    return count >= 0;
}

static bool parse_events(PyObject *pairs, rtp_settings_t *settings)
{
    Py_ssize_t count = PySequence_Size(pairs);
    for (Py_ssize_t n = 0; n < count && n < MOST_EVENT_TYPES; n++) {
        PyObject *pair = PySequence_GetItem(pairs, n);
        int type, rate;
        bool good = pair && PyArg_ParseTuple(pair, "ii", &type, &rate);
        Py_XDECREF(pair);
        if (!good)
            return false;
        settings->events[settings->event_types++] = (struct received_event){(uint8_t)type, rate};
    }
    return count >= 0;
}

/* configure(port, remote, remote_rtcp, codec, payload_type, receive, ptime_ms, event_type, event_rate, events, sends,
   receives, symmetric, rtcp_mux, dtmf_inband, timeout_ms, keepalive_ms, awaits_keys, tos, cos) */
static PyObject *method_configure(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    PyObject *remote, *remote_rtcp, *receive, *events;
    const char *name;
    int sends, receives, symmetric, mux, inband, awaits_keys;
    long long timeout_ms, keepalive_ms;
    rtp_settings_t settings = {0};
    engine_t *engine = engine_of(self);
    if (!engine ||
        !PyArg_ParseTuple(arguments, "KOOsiOiiiOpppppLLpii", &id, &remote, &remote_rtcp, &name, &settings.send_payload_type,
                          &receive, &settings.ptime_ms, &settings.event_type, &settings.event_rate, &events, &sends,
                          &receives, &symmetric, &mux, &inband, &timeout_ms, &keepalive_ms, &awaits_keys,
                          &settings.tos, &settings.cos))
        return NULL;
    settings.send_codec = codec_argument(name);
    if (!settings.send_codec || !parse_address(remote, &settings.remote) ||
        !parse_address(remote_rtcp, &settings.remote_rtcp) || !parse_receive(receive, &settings) ||
        !parse_events(events, &settings))
        return NULL;
    settings.sends = sends;
    settings.receives = receives;
    settings.symmetric = symmetric;
    settings.rtcp_mux = mux;
    settings.dtmf_inband = inband;
    settings.awaits_keys = awaits_keys;
    settings.timeout_ns = timeout_ms * MS_NS;
    settings.keepalive_ns = keepalive_ms * MS_NS;
    port_t *port = port_at(engine, id);
    if (!port || port->kind != &rtp_kind)
        Py_RETURN_NONE;
    core_lock(port->core);
    bool configured = rtp_port_configure((rtp_port_t *)port, &settings);
    core_unlock(port->core);
    return configured ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* buffer(port, fixed, target_ms, largest_ms, resync_ms): see JitterRules */
static PyObject *method_buffer(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    int fixed;
    jitter_rules_t rules = {0};
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kpiii", &id, &fixed, &rules.target_ms, &rules.largest_ms,
                                     &rules.resync_ms))
        return NULL;
    rules.fixed = fixed;
    port_t *port = port_at(engine, id);
    if (!port || port->kind != &rtp_kind)
        Py_RETURN_NONE;
    core_lock(port->core);
    bool done = rtp_port_buffer((rtp_port_t *)port, &rules);
    core_unlock(port->core);
    return done ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* secure(port, suite, our_key, suite, their_key): keys with their salts, an empty one stays as it is; secure(port) ends
   it. A key that is used already must stay: given again it would begin to count anew. */
static PyObject *method_secure(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    const char *out_suite = NULL, *in_suite = NULL;
    Py_buffer out_key = {0}, in_key = {0};
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K|sy*sy*", &id, &out_suite, &out_key, &in_suite, &in_key))
        return NULL;
    bool keep_out = out_key.obj && out_key.len == 0, keep_in = in_key.obj && in_key.len == 0;
    srtp_t *protect = out_suite && !keep_out ? srtp_for_python(out_suite, &out_key) : NULL;
    srtp_t *unprotect = in_suite && !keep_in && !PyErr_Occurred() ? srtp_for_python(in_suite, &in_key) : NULL;
    if (out_key.obj)
        PyBuffer_Release(&out_key);
    if (in_key.obj)
        PyBuffer_Release(&in_key);
    port_t *port = PyErr_Occurred() ? NULL : port_at(engine, id);
    if (!port || port->kind != &rtp_kind) {
        srtp_free(protect);
        srtp_free(unprotect);
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    rtp_port_t *rtp = (rtp_port_t *)port;
    core_lock(port->core);
    rtp_port_secure(rtp, keep_out ? rtp->protect : protect, keep_in ? rtp->unprotect : unprotect);
    core_unlock(port->core);
    Py_RETURN_NONE;
}

static rtp_port_t *rtp_at(engine_t *engine, uint64_t id)
{
    port_t *port = port_at(engine, id);
    return port && port->kind == &rtp_kind ? (rtp_port_t *)port : NULL;
}

/* (port, on): what is kept for the owner from now on. */
static PyObject *keep(PyObject *self, PyObject *arguments, bool (*change)(rtp_port_t *port, bool on))
{
    unsigned long long id;
    int on;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Kp", &id, &on))
        return NULL;
    rtp_port_t *port = rtp_at(engine, id);
    if (!port)
        Py_RETURN_NONE;
    core_lock(port->base.core);
    bool done = change(port, on);
    core_unlock(port->base.core);
    return done ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

/* (port) -> [item], those that were kept since the last time; `next` is NULL when there is none, or an error. */
static PyObject *take_kept(PyObject *self, PyObject *arguments, PyObject *(*next)(rtp_port_t *port))
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    PyObject *items = PyList_New(0);
    rtp_port_t *port = rtp_at(engine, id);
    if (!items || !port)
        return items;
    core_lock(port->base.core);
    for (PyObject *item; (item = next(port)); Py_DECREF(item))
        PyList_Append(items, item);
    core_unlock(port->base.core);
    if (PyErr_Occurred())
        Py_CLEAR(items);
    return items;
}

static PyObject *next_packet(rtp_port_t *port)
{
    const struct aside_packet *one = port->aside ? aside_take(port->aside) : NULL;
    if (!one)
        return NULL;
    PyObject *control = one->control ? Py_True : Py_False;
    return Py_BuildValue("(y#NO)", one->data, (Py_ssize_t)one->size, host_of(&one->source), control);
}

static PyObject *next_report(rtp_port_t *port)
{
    const struct told_report *one = port->told ? told_reports_take(port->told) : NULL;
    if (!one)
        return NULL;
    PyObject *sent = one->sent ? Py_True : Py_False;
    return Py_BuildValue("(y#ON)", one->data, (Py_ssize_t)one->size, sent, host_of(&one->peer));
}

static PyObject *next_head(rtp_port_t *port)
{
    const head_t *one = port->heads ? heads_take(port->heads) : NULL;
    if (!one)
        return NULL;
    return Py_BuildValue("(ONiikI)", one->sent ? Py_True : Py_False, host_of(&one->peer), (int)one->payload_type,
                         (int)one->sequence, (unsigned long)one->timestamp, (unsigned)one->size);
}

/* set_aside(port, on): whether datagrams that are no media are kept for `packets`. */
static PyObject *method_set_aside(PyObject *self, PyObject *arguments)
{
    return keep(self, arguments, rtp_port_set_aside);
}

/* packets(port) -> [(data, (host, port), control)] */
static PyObject *method_packets(PyObject *self, PyObject *arguments) { return take_kept(self, arguments, next_packet); }

/* tell_reports(port, on): whether reports are kept for `reports`. */
static PyObject *method_tell_reports(PyObject *self, PyObject *arguments)
{
    return keep(self, arguments, rtp_port_tell_reports);
}

/* reports(port) -> [(data, sent, (host, port))], the latest. */
static PyObject *method_reports(PyObject *self, PyObject *arguments) { return take_kept(self, arguments, next_report); }

/* tell_heads(port, on): whether headers of packets are kept for `heads`. */
static PyObject *method_tell_heads(PyObject *self, PyObject *arguments)
{
    return keep(self, arguments, rtp_port_tell_heads);
}

/* heads(port) -> [(sent, (host, port), payload_type, sequence, timestamp, size)], the latest. */
static PyObject *method_heads(PyObject *self, PyObject *arguments) { return take_kept(self, arguments, next_head); }

/* send_packet(port, data, host, number, control) -> whether it was sent, as it is, from the port of RTP or of RTCP. */
static PyObject *method_send_packet(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    Py_buffer data;
    const char *host;
    int number, control;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "Ky*sip", &id, &data, &host, &number, &control))
        return NULL;
    address_t target;
    rtp_port_t *port = rtp_at(engine, id);
    bool sent = false;
    if (port && port->listening && data.len <= MAX_PACKET && address_parse(&target, host, number)) {
        core_t *core = port->base.core;
        core_lock(core);
        sent = core->wire->send(core, port, control, data.buf, (int)data.len, &target);
        if (!sent)
            core->send_errors++;
        core_unlock(core);
    }
    PyBuffer_Release(&data);
    return PyBool_FromLong(sent);
}

PyObject *host_of(const address_t *address)
{
    char host[64] = "";
    if (!address->family)
        return Py_NewRef(Py_None);
    inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->ip, host, sizeof host);
    return Py_BuildValue("(si)", host, (int)address->port);
}

/* addresses(port) -> (source that was learnt, where packets go), each (host, port) or None. */
static PyObject *method_addresses(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *port = port_at(engine, id);
    address_t locked = {0}, target = {0};
    if (port && port->kind == &rtp_kind) {
        core_lock(port->core);
        locked = ((rtp_port_t *)port)->learner.locked;
        target = ((rtp_port_t *)port)->target;
        core_unlock(port->core);
    }
    return Py_BuildValue("(NN)", host_of(&locked), host_of(&target));
}

static void add_spread(PyObject *list, const spread_t *spread)
{
    PyObject *values = Py_BuildValue("(dddd)", spread->greatest, spread->least, spread->mean, spread_deviation(spread));
    if (values)
        PyList_Append(list, values);
    Py_XDECREF(values);
}

/* statistics(port) -> (counts, [spreads]) as native/ports.py names them; None when it is closed. */
static PyObject *method_statistics(PyObject *self, PyObject *arguments)
{
    unsigned long long id;
    engine_t *engine = engine_of(self);
    if (!engine || !PyArg_ParseTuple(arguments, "K", &id))
        return NULL;
    port_t *base = port_at(engine, id);
    if (!base || base->kind != &rtp_kind)
        Py_RETURN_NONE;
    rtp_port_t *port = (rtp_port_t *)base;
    core_lock(base->core);
    rtcp_session_t rtcp = port->rtcp;
    receiver_t incoming = port->incoming;
    bool has_incoming = port->has_incoming;
    int rate = rtp_port_receive_rate(port);
    long long sent = port->packets_sent, received = port->packets_received;
    long long octets_sent = port->octets_sent, octets_received = port->octets_received;
    long long jitter_dropped_count = port->jitter ? jitter_dropped(port->jitter) : 0;
    long long jitter_lost_count = port->jitter ? jitter_lost(port->jitter) : 0;
    core_unlock(base->core);
    PyObject *spreads = PyList_New(0);
    if (!spreads)
        return NULL;
    add_spread(spreads, &rtcp.remote_jitter);
    add_spread(spreads, &rtcp.local_jitter);
    add_spread(spreads, &rtcp.remote_loss);
    add_spread(spreads, &rtcp.local_loss);
    add_spread(spreads, &rtcp.round_trip);
    long long lost = has_incoming ? receiver_lost(&incoming) : 0;
    return Py_BuildValue("(LLddLLdkkLLLLN)", sent, received, rtcp.tx_jitter,
                         has_incoming ? (double)receiver_jitter(&incoming) / rate : 0.0, (long long)rtcp.remote_lost,
                         lost > 0 ? lost : 0, rtcp.round_trip_last, (unsigned long)port->ssrc,
                         (unsigned long)(has_incoming ? incoming.ssrc : 0), octets_sent, octets_received,
                         jitter_dropped_count, jitter_lost_count, spreads);
}

const PyMethodDef rtp_methods[] = {
    {"configure", method_configure, METH_VARARGS, "configure(port, …): see RtpSettings"},
    {"buffer", method_buffer, METH_VARARGS, "buffer(port, fixed, target_ms, largest_ms, resync_ms)"},
    {"secure", method_secure, METH_VARARGS, "secure(port, suite, key, suite, key)"},
    {"set_aside", method_set_aside, METH_VARARGS, "set_aside(port, on)"},
    {"packets", method_packets, METH_VARARGS, "packets(port) -> [(data, (host, port), control)]"},
    {"tell_reports", method_tell_reports, METH_VARARGS, "tell_reports(port, on)"},
    {"reports", method_reports, METH_VARARGS, "reports(port) -> [(data, sent, (host, port))]"},
    {"tell_heads", method_tell_heads, METH_VARARGS, "tell_heads(port, on)"},
    {"heads", method_heads, METH_VARARGS, "heads(port) -> [(sent, (host, port), type, sequence, timestamp, size)]"},
    {"send_packet", method_send_packet, METH_VARARGS, "send_packet(port, data, host, number, control) -> sent"},
    {"addresses", method_addresses, METH_VARARGS, "addresses(port) -> (learnt source, target)"},
    {"statistics", method_statistics, METH_VARARGS, "statistics(port) -> numbers"},
    {NULL, NULL, 0, NULL},
};
