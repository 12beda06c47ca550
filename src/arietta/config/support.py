"""Which declared options this version acts on.

The tables to extend when a part learns an option: add its field to SUPPORTED, take it out of the others.
A class of settings that is not listed is supported whole. An option in neither table is an error when it is set to
anything but its default, because the server would then behave otherwise than its configuration says.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SUPPORTED: dict[str, frozenset[str]] = {
    "http.conf [general]": _words("""
        servername enabled bindaddr bindport prefix sessionlimit session_inactivity session_keep_alive enable_status
        enable_static redirect tlsenable tlsbindaddr tlscertfile tlsprivatekey tlscipher tlsdisablev1 tlsdisablev11
        tlsdisablev12 tlsservercipherorder"""),
    "ari.conf [general]": _words("enabled pretty auth_realm allowed_origins channelvars websocket_write_timeout"),
    "ari.conf type=user": _words("type read_only password password_format access acl"),
    "rtp.conf [general]": _words("""
        rtpstart rtpend strictrtp probation icesupport dtls_mtu ice_access ice_acl media_engine media_threads
        mix_loudest rtcpinterval rtpchecksums dtmftimeout srtpreplayprotection stunaddr
        stun_acl stun_access"""),
    "resolver_unbound.conf [general]": _words("hosts resolv nameserver"),
    "pjsip.conf type=global": _words("""
        type debug max_forwards user_agent default_realm default_from_user default_outbound_endpoint
        endpoint_identifier_order default_auth_algorithms_uas default_auth_algorithms_uac keep_alive_interval
        unidentified_request_count unidentified_request_period max_initial_qualify_time norefersub
        send_contact_status_on_update_registration
        default_voicemail_extension mwi_disable_initial_unsolicited disable_multi_domain"""),
    "pjsip.conf type=guard": _words("""
        type enabled trusted invite_rate register_rate options_rate other_rate strangers_rate auth_failures
        auth_failure_period ban_time scanners"""),
    "pjsip.conf type=system": _words("""
        type timer_t1 timer_b disable_tcp_switch compact_headers follow_early_media_fork
        accept_multiple_sdp_answers"""),
    "pjsip.conf type=transport": _words("""
        type protocol bind external_signaling_address external_signaling_port external_media_address local_net tos cos
        tcp_keepalive_enable tcp_keepalive_idle_time tcp_keepalive_interval_time tcp_keepalive_probe_count cert_file
        priv_key_file password ca_list_file ca_list_path cipher method verify_client verify_server require_client_cert
        allow_wildcard_certs domain allow_reload websocket_write_timeout"""),
    "pjsip.conf type=endpoint": _words("""
        one_touch_recording record_on_feature record_off_feature
        callerid_privacy trust_id_inbound trust_id_outbound send_pai send_rpid send_diversion
        trust_connected_line send_connected_line connected_line_method rpid_immediate
        call_group pickup_group named_call_group named_pickup_group
        callerid_tag allow_overlap overlap_context contact_access acl contact_acl follow_early_media_fork
        accept_multiple_sdp_answers
        type context transport allow auth outbound_auth aors rtp_symmetric force_rport rewrite_contact callerid
        from_user from_domain set_var accountcode language moh_suggest identify_by message_context
        device_state_busy_at tone_zone tenantid contact_user access allow_transfer refer_blind_progress moh_passthrough
        rtp_timeout media_address
        media_encryption webrtc bundle ice_support use_avpf force_avp dtls_verify dtls_auto_generate_cert dtls_cert_file
        dtls_private_key dtls_cipher dtls_ca_file dtls_ca_path dtls_fingerprint
        rtcp_mux suppress_q850_reason_headers media_encryption_optimistic srtp_tag_32 rtp_timeout_hold rtp_keepalive
        media_use_received_transport preferred_codec_only incoming_call_offer_pref outgoing_call_offer_pref
        codec_prefs_incoming_offer codec_prefs_outgoing_offer codec_prefs_incoming_answer codec_prefs_outgoing_answer
        rel100 timers timers_min_se timers_sess_expires inband_progress ignore_183_without_sdp
        user_eq_phone suppress_moh_on_sendonly
        tos_audio cos_audio dtmf_mode use_ptime rtp_ipv6 asymmetric_rtp_codec max_audio_streams
        aggregate_mwi mailboxes mwi_from_user mwi_subscribe_replaces_unsolicited voicemail_extension
        outbound_proxy sdp_owner sdp_session
        incoming_mwi_mailbox subscribe_context sub_min_expiry allow_subscribe notify_early_inuse_ringing"""),
    "pjsip.conf type=aor": _words("""
        type contact default_expiration maximum_expiration minimum_expiration max_contacts remove_existing
        remove_unavailable
        qualify_frequency qualify_timeout qualify_2xx_only support_path mailboxes voicemail_extension
        outbound_proxy"""),
    "pjsip.conf type=auth": _words("""
        type username password md5_cred password_digest realm nonce_lifetime supported_algorithms_uas
        supported_algorithms_uac"""),
    "pjsip.conf type=identify": _words("type endpoint match match_header srv_lookups match_request_uri transport"),
    "pjsip.conf type=registration": _words("""
        type server_uri client_uri contact_user expiration retry_interval forbidden_retry_interval fatal_retry_interval
        max_retries outbound_auth transport max_random_initial_delay outbound_proxy line_matching endpoint user_agent
        contact_header_params support_path support_outbound auth_rejection_permanent"""),
    "pjsip.conf type=contact": frozenset(("type",)),
    "pjsip_wizard.conf type=wizard": _words("""
        type sends_auth accepts_auth sends_registrations accepts_registrations remote_hosts transport server_uri_pattern
        client_uri_pattern contact_pattern has_hint hint_context hint_exten hint_application outbound_proxy
        sends_line_with_registrations"""),
    "pjsip.conf type=acl": _words("type access contact_access acl contact_acl"),
    "pjsip.conf type=domain_alias": frozenset(("type", "domain")),
    "extensions.conf [general]": _words("static writeprotect autofallthrough clearglobalvars"),
    "features.conf [featuremap]": _words("blindxfer atxfer disconnect automon automixmon"),
    "musiconhold.conf class": _words("mode directory entry sort"),
    "asterisk.conf [options]": _words("""
        verbose debug nocolor systemname defaultlanguage documentation_language execincludes
        live_dangerously entityid maxfiles maxcalls maxload minmemfree runuser rungroup
        alwaysfork nofork quiet timestamp console highpriority dumpcore"""),
    "logger.conf [general]": frozenset(("dateformat", "rotatestrategy")),
    "cdr.conf [general]": _words("""
        enable unanswered congestion canceldispositionenabled endbeforehexten initiatedseconds channeldefaultenabled
        batch size time safeshutdown debug ignorestatechanges ignoredialchanges"""),
    "res_http_media_cache.conf [general]": _words("""
        timeout_secs user_agent follow_location max_redirects protocols redirect_protocols"""),
}
"""Fields that do what the reference says, by the title of their settings."""

WITHOUT_EFFECT: dict[str, frozenset[str]] = {
    "res_http_media_cache.conf [general]": frozenset(("dns_cache_timeout_secs",)),
    "cdr.conf [general]": frozenset(("scheduleronly",)),
    "resolver_unbound.conf [general]": frozenset(("debug",)),
    "pjsip.conf type=global": _words("""
        contact_expiration_check_interval unidentified_request_prune_interval mwi_tps_queue_high mwi_tps_queue_low
        taskprocessor_overload_trigger"""),
    "pjsip.conf type=system": _words("""
        threadpool_initial_size threadpool_auto_increment threadpool_idle_timeout threadpool_max_size"""),
    "pjsip.conf type=transport": frozenset(("async_operations",)),
    "pjsip.conf type=endpoint": _words("""
        direct_media_method direct_media_glare_mitigation disable_direct_media_on_nat rtp_engine max_video_streams
        tos_video cos_video g726_non_standard fax_detect_timeout"""),
    "features.conf [featuremap]": frozenset(("parkcall",)),
    "extensions.conf [general]": _words("extenpatternmatchnew userscontext"),
    "musiconhold.conf class": _words(
        "announcement digit loop_last answeredonly format kill_escalation_delay kill_method"
    ),
    "asterisk.conf [options]": _words("""
        initcrypto languageprefix cache_record_files record_cache_dir transmit_silence transcode_via_sln internal_timing
        mindtmfduration lightbackground forceblackbackground dontwarn hideconnect lockconfdir stdexten
        hide_messaging_ami_events cache_media_frames phreaknet"""),
    "logger.conf [general]": _words("""
        appendhostname use_callids queue_log queue_log_to_file queue_log_name queue_log_realtime_use_gmt
        logger_queue_limit exec_after_rotate"""),
}
"""Fields whose absence nobody hears: they may be set, a warning says that nothing comes of it."""

_NO_MERGING = ("error", "is no preference for calls that come in: local, local_first, remote and remote_first are")
_NO_VERSION = ("error", "is not supported: it is broken, TLS 1.2 and 1.3 are spoken")
_NO_MODE = ("error", "is not supported by this version, supported are files and playlist")

VALUES: dict[str, dict[str, dict[object, tuple[str, str]]]] = {
    "http.conf [general]": {},
    "rtp.conf [general]": {
        "strictrtp": {"seqno": ("error", "is not supported by this version, supported are yes and no")},
    },
    "pjsip.conf type=transport": {
        "protocol": {
            "flow": ("error", "is not supported by this version, supported are udp, tcp, tls, ws and wss"),
        },
        "method": dict.fromkeys(("tlsv1", "tlsv1_1", "sslv2", "sslv3"), _NO_VERSION),
        "symmetric_transport": {
            False: ("warning", "has no effect: requests always leave by the transport of the registration"),
        },
    },
    "pjsip.conf type=auth": {
        "auth_type": {
            "google_oauth": ("error", "is not supported by this version, supported are digest, md5 and userpass"),
        },
    },
    "pjsip.conf type=endpoint": {
        "direct_media": {True: ("warning", "has no effect: media always flows through the server")},
        "max_audio_streams": {0: ("error", "is not supported: a call has an audio stream")},
        "dtls_setup": {"holdconn": ("error", "is not supported: nobody would begin; active, passive and actpass are")},
        "incoming_call_offer_pref": {"local_merge": _NO_MERGING, "remote_merge": _NO_MERGING},
    },
    "musiconhold.conf class": {
        "mode": {
            "custom": _NO_MODE,
            "mp3": _NO_MODE,
            "mp3nb": _NO_MODE,
            "quietmp3": _NO_MODE,
            "quietmp3nb": _NO_MODE,
        },
    },
    "extensions.conf [general]": {},
}
"""Verdicts on single values of options, whatever the default is."""

SECTIONS: dict[str, tuple[str, str]] = {
    "pjsip.conf type=contact": ("warning", "contacts are read from the aor's contact option, this section is ignored"),
}
"""Verdicts on whole sections."""

ALL_CODECS = ("ulaw", "alaw", "gsm", "g722", "opus", "slin", "slin16")
"""What `allow=all` means."""

CODECS = (*ALL_CODECS, "slin12", "slin24", "slin32", "slin44", "slin48", "slin96", "slin192")
"""Codecs of calls; others that Asterisk knows are left out of `allow` with a warning."""

SORCERY_WIZARDS = ("config", "memory", "astdb")
"""Stores of SIP objects that sorcery.conf may name."""


def state(title: str, field: str) -> str:
    """How the reference describes the support of an option: yes, partly, no effect or no."""
    severity, _ = SECTIONS.get(title, ("", ""))
    if severity:
        return "no effect" if severity == "warning" else "no"
    if field in VALUES.get(title, {}):
        return "partly"
    if title not in SUPPORTED or field in SUPPORTED[title]:
        return "yes"
    return "no effect" if field in WITHOUT_EFFECT.get(title, ()) else "no"
