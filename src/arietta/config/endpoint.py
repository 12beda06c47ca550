"""pjsip.conf type=endpoint: a SIP phone or trunk."""

from typing import Annotated, ClassVar

from arietta.config.codec_preferences import IN_COMMON, MERGED, CodecPreferences
from arietta.config.kinds import (
    AccessList,
    AccessRule,
    Bool,
    Caller,
    CallerId,
    Choice,
    ChoiceList,
    Codecs,
    FilePath,
    Groups,
    Host,
    Integer,
    Seconds,
    Text,
    TextList,
    Tos,
    Variables,
    yes_no_or,
)
from arietta.config.settings import Settings

DIRECT_METHODS = ("invite", "reinvite", "update")
OFFER_PREFERENCES = ("local", "local_first", "local_merge", "remote", "remote_first", "remote_merge")


class Endpoint(Settings, frozen=True, kw_only=True, eq=False):
    """A SIP phone or trunk; the name of the section is the resource of `PJSIP/name`."""

    TITLE: ClassVar[str] = "pjsip.conf type=endpoint"

    type: Annotated[str, Choice("Kind of the section.", "endpoint")] = "endpoint"

    # --- calls ---
    context: Annotated[str, Text("Dialplan context its calls arrive in.")] = "default"
    transport: Annotated[str, Text("Transport to use; the first that fits the address if empty.")] = ""
    aors: Annotated[tuple[str, ...], TextList("Addresses of record that say where it is reached.")] = ()
    auth: Annotated[tuple[str, ...], TextList("Auth sections its requests are checked against.")] = ()
    outbound_auth: Annotated[tuple[str, ...], TextList("Auth sections used when it challenges us.")] = ()
    outbound_proxy: Annotated[str, Text("SIP URI of the proxy its requests are sent through.")] = ""
    identify_by: Annotated[
        tuple[str, ...],
        ChoiceList(
            "How its requests are recognised.", "username", "auth_username", "ip", "header", "request_uri", "transport"
        ),
    ] = ("username", "ip")
    allow_subscribe: Annotated[bool, Bool("Whether it may subscribe.")] = True
    allow_transfer: Annotated[bool, Bool("Whether it may transfer with REFER.")] = True
    allow_overlap: Annotated[bool, Bool("Whether it may dial in pieces (RFC 3578).")] = True
    overlap_context: Annotated[str, Text("Context in which pieces of numbers are looked up.")] = ""
    allow_unauthenticated_options: Annotated[bool, Bool("Whether OPTIONS is answered without authentication.")] = False
    accountcode: Annotated[str, Text("Account code of its channels.")] = ""
    language: Annotated[str, Text("Language of its channels.")] = ""
    tone_zone: Annotated[str, Text("Country of indications.conf its tones come from.")] = ""
    tenantid: Annotated[str, Text("Tenant id of its channels.")] = ""
    set_var: Annotated[tuple[tuple[str, str], ...], Variables("Variables set on its channels.")] = ()
    call_group: Annotated[tuple[int, ...], Groups("Numbered groups its ringing calls belong to.")] = ()
    pickup_group: Annotated[tuple[int, ...], Groups("Numbered groups whose calls it may pick up.")] = ()
    named_call_group: Annotated[tuple[str, ...], TextList("Named groups its ringing calls belong to.")] = ()
    named_pickup_group: Annotated[tuple[str, ...], TextList("Named groups whose calls it may pick up.")] = ()
    device_state_busy_at: Annotated[int, Integer("Calls from which it counts as busy; 0 for never.")] = 0
    message_context: Annotated[str, Text("Context for MESSAGE requests, context if empty.")] = ""
    subscribe_context: Annotated[str, Text("Context for subscriptions, context if empty.")] = ""
    sub_min_expiry: Annotated[int, Seconds("Shortest time of a subscription.")] = 0
    notify_early_inuse_ringing: Annotated[bool, Bool("Whether InUse&Ringing is notified as early.")] = False
    redirect_method: Annotated[
        str, Choice("What a 302 leads to: the user part as extension, or the URI.", "user", "uri_core", "uri_pjsip")
    ] = "user"
    refer_blind_progress: Annotated[bool, Bool("Whether all progress of a blind transfer is notified.")] = True
    one_touch_recording: Annotated[bool, Bool("Whether INFO with Record starts a recording.")] = False
    record_on_feature: Annotated[str, Text("Feature run by Record: on.")] = "automixmon"
    record_off_feature: Annotated[str, Text("Feature run by Record: off.")] = "automixmon"

    # --- SIP ---
    force_rport: Annotated[bool, Bool("Whether answers go to the port a request came from.")] = True
    rewrite_contact: Annotated[bool, Bool("Whether its Contact is replaced by where it sends from.")] = False
    from_user: Annotated[str, Text("User in the From header of requests to it.")] = ""
    from_domain: Annotated[str, Text("Host in the From header of requests to it.")] = ""
    contact_user: Annotated[str, Text("User in the Contact header of requests to it.")] = ""
    user_eq_phone: Annotated[bool, Bool("Whether user=phone is added to URIs with a number.")] = False
    rel100: Annotated[
        str,
        Choice(
            "Reliable provisional answers (RFC 3262).",
            "no",
            "yes",
            "required",
            "peer_supported",
            aliases={"true": "yes", "false": "no", "1": "yes", "0": "no", "on": "yes", "off": "no"},
            names=("100rel",),
        ),
    ] = "yes"
    timers: Annotated[
        str,
        Choice(
            "Session timers (RFC 4028).",
            "no",
            "yes",
            "required",
            "always",
            aliases={"forced": "always", "true": "yes", "false": "no", "1": "yes", "0": "no", "on": "yes", "off": "no"},
        ),
    ] = "yes"
    timers_min_se: Annotated[int, Seconds("Shortest session interval.", 90)] = 90
    timers_sess_expires: Annotated[int, Seconds("Session interval asked for.", 90)] = 1800
    inband_progress: Annotated[bool, Bool("Whether ringing is played as audio with 183.")] = False
    ignore_183_without_sdp: Annotated[bool, Bool("Whether a 183 without SDP is swallowed.")] = False
    follow_early_media_fork: Annotated[bool, Bool("Whether media follows SDP of another To tag.")] = True
    accept_multiple_sdp_answers: Annotated[bool, Bool("Whether media follows a changed SDP of the same To tag.")] = (
        False
    )
    suppress_q850_reason_headers: Annotated[bool, Bool("Whether Reason: Q.850 is left out.")] = False
    send_aoc: Annotated[bool, Bool("Whether advice of charge is sent.")] = False
    security_negotiation: Annotated[str, Choice("Security agreement (RFC 3329).", "no", "mediasec")] = "no"
    security_mechanisms: Annotated[tuple[str, ...], TextList("Security mechanisms offered.")] = ()
    stir_shaken: Annotated[str, yes_no_or("Signed caller identities (RFC 8224).", "attest", "verify")] = "no"
    stir_shaken_profile: Annotated[str, Text("Profile of stir_shaken.conf.")] = ""
    geoloc_incoming_call_profile: Annotated[str, Text("Geolocation profile of its calls.")] = ""
    geoloc_outgoing_call_profile: Annotated[str, Text("Geolocation profile of calls to it.")] = ""

    # --- who is who ---
    callerid: Annotated[CallerId, Caller("Caller id of its calls.")] = CallerId()
    callerid_privacy: Annotated[
        str,
        Choice(
            "Presentation of its caller id.",
            "allowed_not_screened",
            "allowed_passed_screen",
            "allowed_failed_screen",
            "allowed",
            "prohib_not_screened",
            "prohib_passed_screen",
            "prohib_failed_screen",
            "prohib",
            "unavailable",
        ),
    ] = "allowed_not_screened"
    callerid_tag: Annotated[str, Text("Tag of its caller id.")] = ""
    trust_id_inbound: Annotated[bool, Bool("Whether identity headers it sends are believed.")] = False
    trust_id_outbound: Annotated[bool, Bool("Whether it is told private identities.")] = False
    send_pai: Annotated[bool, Bool("Whether P-Asserted-Identity is sent.")] = False
    send_rpid: Annotated[bool, Bool("Whether Remote-Party-ID is sent.")] = False
    send_diversion: Annotated[bool, Bool("Whether Diversion is sent.")] = True
    send_history_info: Annotated[bool, Bool("Whether History-Info is sent.")] = False
    trust_connected_line: Annotated[bool, Bool("Whether its connected line updates are accepted.")] = True
    send_connected_line: Annotated[bool, Bool("Whether connected line updates are sent to it.")] = True
    connected_line_method: Annotated[str, Choice("Method of connected line updates.", *DIRECT_METHODS)] = "invite"
    rpid_immediate: Annotated[bool, Bool("Whether connected line updates go out before the answer.")] = False

    # --- access ---
    access: Annotated[tuple[AccessRule, ...], AccessList("Addresses it may come from.", names=("permit", "deny"))] = ()
    contact_access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Addresses its Contact may name.", names=("contact_permit", "contact_deny")),
    ] = ()
    acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf its address must pass.")] = ()
    contact_acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf its Contact must pass.")] = ()

    # --- media ---
    allow: Annotated[
        tuple[str, ...], Codecs("Codecs it may use, in order of preference.", names=("allow", "disallow"))
    ] = ()
    dtmf_mode: Annotated[
        str, Choice("How digits travel.", "rfc4733", "inband", "info", "auto", "auto_info", "none")
    ] = "rfc4733"
    rtp_symmetric: Annotated[bool, Bool("Whether audio is sent to where its audio comes from.")] = False
    rtp_ipv6: Annotated[bool, Bool("Whether IPv6 may be used for media.")] = False
    direct_media: Annotated[bool, Bool("Whether media may flow past the server.")] = True
    direct_media_method: Annotated[str, Choice("Method that redirects media.", *DIRECT_METHODS)] = "invite"
    direct_media_glare_mitigation: Annotated[
        str, Choice("Which side waits when both redirect.", "none", "outgoing", "incoming")
    ] = "none"
    disable_direct_media_on_nat: Annotated[bool, Bool("Whether media stays when NAT is seen.")] = False
    media_address: Annotated[str, Host("Address in SDP instead of the transport's.")] = ""
    bind_rtp_to_media_address: Annotated[bool, Bool("Whether media is also received on media_address.")] = False
    media_use_received_transport: Annotated[bool, Bool("Whether the offer's RTP profile is answered.")] = False
    rtp_engine: Annotated[str, Text("Name of the RTP engine.")] = "asterisk"
    rtp_keepalive: Annotated[int, Seconds("Time between comfort noise packets; 0 for none.")] = 0
    rtp_timeout: Annotated[int, Seconds("Silence after which a call is ended; 0 for never.")] = 0
    rtp_timeout_hold: Annotated[int, Seconds("The same while on hold; 0 for never.")] = 0
    use_ptime: Annotated[bool, Bool("Whether its packet length is used.")] = False
    asymmetric_rtp_codec: Annotated[bool, Bool("Whether both directions may use different codecs.")] = False
    g726_non_standard: Annotated[bool, Bool("Whether G.726 is packed as AAL2.")] = False
    preferred_codec_only: Annotated[bool, Bool("Whether only one codec is answered.")] = False
    incoming_call_offer_pref: Annotated[str, Choice("Codecs of its calls.", *OFFER_PREFERENCES)] = "local"
    outgoing_call_offer_pref: Annotated[str, Choice("Codecs of calls to it.", *OFFER_PREFERENCES)] = "remote_merge"
    codec_prefs_incoming_offer: Annotated[str, CodecPreferences("Codec choice for offers it makes.")] = IN_COMMON
    codec_prefs_outgoing_offer: Annotated[str, CodecPreferences("Codec choice for offers made to it.", MERGED)] = MERGED
    codec_prefs_incoming_answer: Annotated[str, CodecPreferences("Codec choice for answers it gives.")] = IN_COMMON
    codec_prefs_outgoing_answer: Annotated[str, CodecPreferences("Codec choice for answers given to it.")] = IN_COMMON
    max_audio_streams: Annotated[int, Integer("Most audio streams in a call.")] = 1
    max_video_streams: Annotated[int, Integer("Most video streams in a call.")] = 1
    bundle: Annotated[bool, Bool("Whether streams share one transport.")] = False
    rtcp_mux: Annotated[bool, Bool("Whether RTCP shares the port of RTP (RFC 5761).")] = False
    ice_support: Annotated[bool, Bool("Whether ICE is used (RFC 8445).")] = False
    use_avpf: Annotated[bool, Bool("Whether the AVPF profile is used.")] = False
    force_avp: Annotated[bool, Bool("Whether the AVP profile is written whatever is used.")] = False
    webrtc: Annotated[bool, Bool("Whether it is a browser: sets what WebRTC needs.")] = False
    sdp_owner: Annotated[str, Text("User in the origin line of SDP.")] = "-"
    sdp_session: Annotated[str, Text("Session name of SDP.")] = "Asterisk"
    tos_audio: Annotated[int, Tos("Traffic class of audio packets.")] = 0
    tos_video: Annotated[int, Tos("Traffic class of video packets.")] = 0
    cos_audio: Annotated[int, Integer("Link layer priority of audio packets.", 0, 7)] = 0
    cos_video: Annotated[int, Integer("Link layer priority of video packets.", 0, 7)] = 0
    moh_suggest: Annotated[str, Text("Music on hold class it suggests to the other side.")] = "default"
    moh_passthrough: Annotated[bool, Bool("Whether hold is passed on instead of playing music.")] = False
    suppress_moh_on_sendonly: Annotated[bool, Bool("Whether sendonly starts no music.")] = False

    # --- encryption ---
    media_encryption: Annotated[str, Choice("Encryption of media.", "no", "sdes", "dtls", aliases={"none": "no"})] = (
        "no"
    )
    media_encryption_optimistic: Annotated[bool, Bool("Whether a call goes on without encryption.")] = False
    srtp_tag_32: Annotated[bool, Bool("Whether SRTP tags have 32 bits.")] = False
    dtls_verify: Annotated[str, yes_no_or("What of its DTLS certificate is checked.", "fingerprint", "certificate")] = (
        "no"
    )
    dtls_rekey: Annotated[int, Seconds("Time between DTLS negotiations; 0 for one.")] = 0
    dtls_auto_generate_cert: Annotated[bool, Bool("Whether a DTLS certificate is made.")] = False
    dtls_cert_file: Annotated[str, FilePath("DTLS certificate.")] = ""
    dtls_private_key: Annotated[str, FilePath("Private key of the DTLS certificate.")] = ""
    dtls_cipher: Annotated[str, Text("DTLS ciphers in OpenSSL's notation.")] = ""
    dtls_ca_file: Annotated[str, FilePath("Certificates to trust for DTLS.")] = ""
    dtls_ca_path: Annotated[str, FilePath("Folder of certificates to trust for DTLS.")] = ""
    dtls_setup: Annotated[str, Choice("Who begins DTLS.", "active", "passive", "actpass", "holdconn")] = "actpass"
    dtls_fingerprint: Annotated[str, Choice("Hash of the DTLS fingerprint.", "sha-256", "sha-1")] = "sha-256"

    # --- fax ---
    t38_udptl: Annotated[bool, Bool("Whether T.38 is accepted.")] = False
    t38_udptl_ec: Annotated[str, Choice("T.38 error correction.", "none", "fec", "redundancy")] = "none"
    t38_udptl_maxdatagram: Annotated[int, Integer("Largest T.38 packet in bytes; 0 for what is offered.")] = 0
    t38_udptl_nat: Annotated[bool, Bool("Whether T.38 is sent to where it comes from.")] = False
    t38_udptl_ipv6: Annotated[bool, Bool("Whether T.38 may use IPv6.")] = False
    t38_bind_udptl_to_media_address: Annotated[bool, Bool("Whether T.38 is received on media_address.")] = False
    fax_detect: Annotated[bool, Bool("Whether fax tones lead to the extension fax.")] = False
    fax_detect_timeout: Annotated[int, Seconds("Time after which fax tones are ignored; 0 for never.")] = 0

    # --- mailboxes ---
    mailboxes: Annotated[tuple[str, ...], TextList("Mailboxes whose state is notified unasked.")] = ()
    aggregate_mwi: Annotated[bool, Bool("Whether one NOTIFY covers all mailboxes.")] = True
    mwi_from_user: Annotated[str, Text("User in the From header of those NOTIFYs.")] = ""
    mwi_subscribe_replaces_unsolicited: Annotated[bool, Bool("Whether a subscription ends unasked NOTIFYs.")] = False
    incoming_mwi_mailbox: Annotated[str, Text("Mailbox that its own NOTIFYs update.")] = ""
    voicemail_extension: Annotated[str, Text("Extension named in the Message-Account header.")] = ""
