/* A port on RTP. */
#ifndef ARIETTA_RTP_PORT_H
#define ARIETTA_RTP_PORT_H

#include "aside.h"
#include "heads.h"
#include "jitter.h"
#include "learning.h"
#include "mixer.h"
#include "noise.h"
#include "rtcp.h"
#include "told_reports.h"
#include "rtp.h"
#include "srtp.h"
#include "telephone_event.h"

extern const port_kind_t rtp_kind;

enum { MOST_RECEIVED_TYPES = 32, MOST_EVENT_TYPES = 8 };

/* What offer and answer agreed for one stream. */
typedef struct rtp_settings {
    address_t remote, remote_rtcp; /* family 0: unknown */
    const codec_t *send_codec;
    int send_payload_type;
    int received; /* payload types that are understood */
    struct received_type {
        uint8_t payload_type;
        const codec_t *codec;
    } receive[MOST_RECEIVED_TYPES];
    int ptime_ms;
    int event_type; /* RFC 4733 payload type of both directions; -1: digits are sent in-band */
    int event_rate; /* its clock; 0: that of the codec */
    int event_types; /* further ones that are understood */
    struct received_event {
        uint8_t payload_type;
        int rate;
    } events[MOST_EVENT_TYPES];
    bool sends, receives, symmetric, rtcp_mux, dtmf_inband;
    bool awaits_keys; /* nothing is sent or heard without */
    int64_t timeout_ns;
    int tos, cos; /* of IP's header (RFC 2474), and of the link's (SO_PRIORITY) */
    int64_t keepalive_ns; /* a packet at least so often; 0: none */
} rtp_settings_t;

/* One RTP stream each way. */
typedef struct rtp_port {
    port_t base;
    int local_port;  /* of RTP, even; RTCP is on the next */
    int sockets[2];  /* RTP, RTCP; -1 without (a virtual wire) */
    bool ipv6;
    struct wire_end { /* what the wire knows a socket by */
        struct rtp_port *port;
        bool control, urgent, listened;
    } ends[2];
    bool configured, listening;
    rtp_settings_t settings;
    aside_t *aside; /* NULL: what is no media is dropped */
    srtp_t *protect, *unprotect; /* NULL: plain RTP */
    address_t target;
    learner_t learner;
    /* sending */
    uint32_t ssrc, timestamp_base;
    uint16_t sequence;
    int step;              /* clock units of a tick */
    int64_t last_tick;
    bool in_pieces;        /* packets of another length than the tick */
    uint8_t *pieces;
    int pieces_size, piece_size;
    int64_t piece_tick;
    uint32_t digit_timestamp;
    struct relay_tie {
        bool tied;
        uint32_t ssrc, timestamp;
        uint16_t sequence;
    } tie;
    int64_t packets_sent, octets_sent;
    int64_t sent_ns;
    /* receiving */
    jitter_rules_t jitter_rules;
    bool evens_out;   /* by rules that somebody asked for: its packets are not passed on as they come */
    jitter_t *jitter; /* NULL until it is configured */
    stream_t stream;
    comfort_noise_t noise;
    address_t heard_from;
    bool has_source, has_candidate, has_incoming;
    uint32_t source, candidate;
    uint16_t candidate_following;
    int candidate_count;
    receiver_t incoming;
    int64_t packets_received, octets_received;
    int64_t heard_ns;
    bool started;
    const codec_t *last_codec;
    const codec_t *told_codec; /* since it was configured: what came in place of what is sent; NULL: nothing */
    digit_receiver_t digit_receiver;
    int digit_rate; /* the clock of what it has */
    int64_t event_ns;
    struct rtp_port *relay; /* where the mixer lets packets pass to */
    /* timers; INT64_MAX: not set */
    int64_t report_at, watch_at, event_silence_at, keepalive_at;
    /* RTCP */
    rtcp_session_t rtcp;
    address_t rtcp_learnt;
    told_reports_t *told; /* NULL: nobody wants to see reports */
    heads_t *heads;       /* NULL: nobody wants to see headers of packets */
} rtp_port_t;

/* Takes the sockets over. NULL without memory: they stay the caller's. */
rtp_port_t *rtp_port_open(core_t *core, int local_port, const int sockets[2]);
/* False when an encoder cannot be had. */
bool rtp_port_configure(rtp_port_t *port, const rtp_settings_t *settings);
/* Evens out what arrives in another way, from now on; false without memory. */
bool rtp_port_buffer(rtp_port_t *port, const jitter_rules_t *rules);
/* Takes both over (NULL: plain); one that the port has already stays. */
void rtp_port_secure(rtp_port_t *port, srtp_t *protect, srtp_t *unprotect);
/* Whether datagrams that are no media are kept for the owner, from now on. False without memory. */
bool rtp_port_set_aside(rtp_port_t *port, bool on);
/* Whether reports are kept for the owner; false without memory. */
bool rtp_port_tell_reports(rtp_port_t *port, bool on);
/* Whether headers of packets are kept for the owner; false without memory. */
bool rtp_port_tell_heads(rtp_port_t *port, bool on);
/* Whether media must not pass yet: it is to be encrypted, and there is no key. */
static inline bool rtp_port_lacks_keys(const rtp_port_t *port)
{
    return port->settings.awaits_keys && (!port->protect || !port->unprotect);
}
/* One datagram, which is changed in place. */
void rtp_port_receive(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns);
void rtp_port_receive_control(rtp_port_t *port, uint8_t *data, int size, const address_t *source, int64_t now_ns);
int64_t rtp_port_lost(const rtp_port_t *port); /* packets of its present source that never came */
const codec_t *rtp_port_received_codec(const rtp_port_t *port); /* what the far end sends, once it did */
int rtp_port_receive_rate(const rtp_port_t *port);
void rtp_port_set_relay(rtp_port_t *port, rtp_port_t *relay);

#endif
