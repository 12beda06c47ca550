"""Why something of Asterisk is not here, and what does it instead: by its module, or by its own name."""

from __future__ import annotations

from functools import cache

from arietta.asterisk.names import FORMER, KINDS, names

NOT_YET = "not yet"


def _program(*examples: str) -> str:
    return f"an application of the REST interface does that, see {' and '.join(f'examples/{one}' for one in examples)}"


_QUEUE = _program("call_queue.py")
_ROOM = _program("conference.py")
_PARKING = _program("park.py")
_MAILBOX = _program("voicemail_record.py", "voicemail_review.py")
_HARDWARE = "there is no telephony hardware here"
_PROTOCOL = "of the signalling protocols there is SIP alone, as PJSIP has it"
_SIP = "chan_sip is gone from Asterisk, too: PJSIP is here"
_DATABASE = "configuration is files, and no SQL database is asked"
_SPEECH = "a program that gets the audio by externalMedia or chan_websocket recognises speech"
_FAX = "there is no fax"
_SOUND = "sound is not changed but in loudness"
_LANGUAGE = "there is one language of the dialplan: extensions.conf"
_METRICS = "metrics are those of Prometheus, at the page that prometheus.conf names"
_PHONES = "a web server hands out the files of phones"
_WRITERS = "it is an example for those who write modules"
_XMPP = "there is no XMPP"
_SHARED = "states are not shared between servers"
_CONSOLE = "the console is for the owner of the process and for root"
_NAMES = "names are asked for when they are needed, and kept as long as DNS says"
_LISTS = "lists of resources are not notified"

MODULES = {
    "app_adsiprog": _HARDWARE,
    "app_agent_pool": _QUEUE,
    "app_alarmreceiver": _HARDWARE,
    "app_bridgeaddchan": "Bridge and the operation addChannel of a bridge do that",
    "app_bridgewait": _PARKING,
    "app_broadcast": "a bridge of ARI lets one channel speak to many",
    "app_confbridge": _ROOM,
    "app_dahdiras": _HARDWARE,
    "app_dictate": _program("voicemail_record.py"),
    "app_externalivr": "AGI and the REST interface let programs steer a call",
    "app_festival": "a program that plays by externalMedia or chan_websocket makes speech",
    "app_flash": _HARDWARE,
    "app_followme": _program("followme.py"),
    "app_getcpeid": _HARDWARE,
    "app_ivrdemo": _WRITERS,
    "app_jack": "a program gets the audio by externalMedia or chan_websocket",
    "app_macro": "it is gone from Asterisk, too: Gosub does that",
    "app_meetme": _ROOM,
    "app_mf": _HARDWARE,
    "app_minivm": _MAILBOX,
    "app_mp3": "Playback plays what can be decoded here, which MP3 cannot",
    "app_osplookup": "it is gone from Asterisk, too",
    "app_page": _program("page.py"),
    "app_queue": _QUEUE,
    "app_sf": _HARDWARE,
    "app_skel": _WRITERS,
    "app_sms": _HARDWARE,
    "app_speech_utils": _SPEECH,
    "app_statsd": _METRICS,
    "app_stream_echo": "a call has one stream of audio: Echo does that",
    "app_test": "it is for those who test Asterisk",
    "app_tonedetect": "TONE_DETECT tells applications of tones",
    "app_voicemail": _MAILBOX,
    "cdr_mysql": _DATABASE,
    "cdr_odbc": "records go to CSV, to files of your own, to SQLite and to the manager interface",
    "cdr_pgsql": _DATABASE,
    "cel_odbc": "the log of channels goes to files, to SQLite and to the manager interface",
    "cel_pgsql": _DATABASE,
    "chan_alsa": _HARDWARE,
    "chan_console": _HARDWARE,
    "chan_dahdi": _HARDWARE,
    "chan_iax2": _PROTOCOL,
    "chan_mgcp": _PROTOCOL,
    "chan_misdn": _HARDWARE,
    "chan_mobile": _HARDWARE,
    "chan_motif": _PROTOCOL,
    "chan_ooh323": _PROTOCOL,
    "chan_phone": _HARDWARE,
    "chan_sip": _SIP,
    "chan_skinny": _PROTOCOL,
    "chan_unistim": _PROTOCOL,
    "chan_vpb": _HARDWARE,
    "func_dialgroup": "a variable with the destinations, & between them, does that",
    "func_frame_drop": _SOUND,
    "func_iconv": "every text is UTF-8",
    "func_odbc": _DATABASE,
    "func_pitchshift": _SOUND,
    "func_realtime": _DATABASE,
    "func_scramble": _SOUND,
    "func_sorcery": "PJSIP_ENDPOINT(), PJSIP_AOR() and PJSIP_CONTACT() do that",
    "func_speex": _SOUND,
    "pbx_ael": _LANGUAGE,
    "pbx_dundi": "numbers are not looked up at other servers: DNS and trunks are there",
    "pbx_lua": _LANGUAGE,
    "res_aeap": _SPEECH,
    "res_calendar": "a program that knows the calendar asks for the call over ARI",
    "res_clialiases": "the commands have the names of today's Asterisk",
    "res_config_curl": _DATABASE,
    "res_config_ldap": _DATABASE,
    "res_config_mysql": _DATABASE,
    "res_config_odbc": _DATABASE,
    "res_config_pgsql": _DATABASE,
    "res_config_sqlite3": _DATABASE,
    "res_corosync": _SHARED,
    "res_fax": _FAX,
    "res_geolocation": "no places are carried in SIP",
    "res_hep": "`pjsip set logger` writes messages to the log and to a capture file",
    "res_monitor": "it is gone from Asterisk, too: MixMonitor does that",
    "res_odbc": _DATABASE,
    "res_odbc_transaction": _DATABASE,
    "res_parking": _PARKING,
    "res_phoneprov": _PHONES,
    "res_pjproject": "there is no PJPROJECT here",
    "res_pjsip_history": "`pjsip show ladder` shows the messages of a call, with its times",
    "res_pjsip_outbound_publish": _SHARED,
    "res_pjsip_phoneprov_provider": _PHONES,
    "res_smdi": _HARDWARE,
    "res_snmp": _METRICS,
    "res_sorcery_memory_cache": "objects are in memory: there is no cache of them",
    "res_speech": _SPEECH,
    "res_statsd": _METRICS,
    "res_stir_shaken": "calls are not signed (RFC 8224)",
    "res_stun_monitor": "the addresses of a NAT are options of the transport in pjsip.conf",
    "res_xmpp": _XMPP,
    FORMER: "it is gone from Asterisk, too",
}
"""By the module of Asterisk."""

_REMOVED = {
    "AbsoluteTimeout": "TIMEOUT(absolute)",
    "DBget": "DB()",
    "DBput": "DB()",
    "DigitTimeout": "TIMEOUT(digit)",
    "Random": "RAND()",
    "ReadFile": "FILE()",
    "ResponseTimeout": "TIMEOUT(response)",
    "SIPGetHeader": "PJSIP_HEADER(read,…)",
    "SetCallerID": "CALLERID()",
    "SetGlobalVar": "GLOBAL()",
    "SetLanguage": "CHANNEL(language)",
    "SetMusicOnHold": "CHANNEL(musicclass)",
    "SetVar": "Set",
    "WaitMusicOnHold": "MusicOnHold with a time",
}
REASONS: dict[str, dict[str, str]] = {
    "applications": {
        "DAHDIScan": _HARDWARE,
        "PJSIPHangup": "Hangup with a cause does that",
        "AudioSocket": "Dial(AudioSocket/ADDRESS/UUID) does that",
        **{name: f"it is gone from Asterisk, too: {instead} does that" for name, instead in _REMOVED.items()},
        "AgentCallbackLogin": _QUEUE,
        "AgentMonitorOutgoing": _QUEUE,
        "CallCompletionCancel": "nobody is called back when a line is free",
        "CallCompletionRequest": "nobody is called back when a line is free",
        "MailboxExists": _MAILBOX,
        "HasVoicemail": _MAILBOX,
        "SIPAddHeader": "PJSIP_HEADER(add,…) does that, in a handler of Dial's option b",
        "SIPDtmfMode": "PJSIP_DTMF_MODE() does that",
        "SIPRemoveHeader": "PJSIP_HEADER(remove,…) does that, in a handler of Dial's option b",
        "SetAMAFlags": "CHANNEL(amaflags) does that",
        "VoiceMail": _program("voicemail_record.py"),
        "VoiceMailMain": _program("voicemail_review.py"),
        "VoiceMailPlayMsg": _program("voicemail_review.py"),
    },
    "functions": {
        "TXTCIDNAME": "CURL() or AstDB have names",
        "LOG_GROUP": "lines of the log have the channel's name",
        "AUDIOHOOK_INHERIT": "it is gone from Asterisk, too: recorders stay with their channel",
        "CALLERPRES": "it is gone from Asterisk, too: CALLERID(pres) does that",
        "CALLCOMPLETION": "nobody is called back when a line is free",
        "CHECKSIPDOMAIN": _SIP,
        "SIPCHANINFO": _SIP,
        "SIP_HEADER": "PJSIP_HEADER(read,…) does that",
        "SIP_HEADERS": "PJSIP_HEADERS() does that",
        "SIPPEER": "PJSIP_ENDPOINT(), PJSIP_AOR() and PJSIP_CONTACT() do that",
        "TESTTIME": "it is for those who test Asterisk",
        "FRAME_TRACE": "packets are not shown one by one: `pjsip set logger` and captures are",
    },
    "agi": {"tdd mode": "there are no text telephones"},
    "actions": {
        "BridgeTechnologySuspend": "the media engine chooses what carries a bridge",
        "BridgeTechnologyUnsuspend": "the media engine chooses what carries a bridge",
        "Queues": _QUEUE,
        "AOCMessage": "there is no advice of charge",
        "LocalOptimizeAway": "halves of Local channels stay",
        "PJSIPHangup": "Hangup with a Cause answers a call with the status of that cause",
    },
    "events": {
        "AGIExecEnd": "AsyncAGIExec tells of commands of clients",
        "AGIExecStart": "AsyncAGIExec tells of commands of clients",
        "OutboundSubscriptionDetail": "there are no subscriptions of ours",
        "ResourceListDetail": _LISTS,
        "AOC-D": "there is no advice of charge",
        "AOC-E": "there is no advice of charge",
        "AOC-S": "there is no advice of charge",
        "AuthMethodNotAllowed": "what raises it is not there, or is told as another security event",
        "DeadlockStart": "there are no locks that two could wait for",
        "Flash": _HARDWARE,
        "InvalidTransport": "what raises it is not there, or is told as another security event",
        "LoadAverageLimit": "what raises it is not there, or is told as another security event",
        "LocalOptimizationBegin": "halves of Local channels stay",
        "LocalOptimizationEnd": "halves of Local channels stay",
        "MemoryLimit": "what raises it is not there, or is told as another security event",
        "Rename": "channels keep their names",
        "RequestNotSupported": "what raises it is not there, or is told as another security event",
        "UnexpectedAddress": "what raises it is not there, or is told as another security event",
        "Wink": _HARDWARE,
    },
    "commands": {
        "cli check permissions": _CONSOLE,
        "cli reload permissions": _CONSOLE,
        "cli show permissions": _CONSOLE,
        "core show config mappings": _DATABASE,
        "config show help": "docs/configuration.md has every option",
        "dnsmgr refresh": _NAMES,
        "dnsmgr reload": _NAMES,
        "dnsmgr status": _NAMES,
        "keys init": _PROTOCOL,
        "keys show": _PROTOCOL,
        "dialplan locations show": "there is one place of the dialplan: extensions.conf",
        "dialplan set extenpatternmatchnew": "there is one way of matching, which is fast",
        "core show image formats": "there are no images",
        "core show translation": "the media engine converts as it mixes: `core show codecs` lists what",
        "pjsip dump endpt": "there is no PJPROJECT here",
        "pjsip show scheduled_tasks": "there is no list of timers",
        "pjsip show resource_list": _LISTS,
        "say load": "digits, numbers and letters are spoken in English",
        "agi dump html": "docs/compatibility.md has the commands",
        "bridge technology show": "the media engine chooses what carries a bridge",
        "bridge technology suspend": "the media engine chooses what carries a bridge",
        "bridge technology unsuspend": "the media engine chooses what carries a bridge",
        "agi exec": "the action AGI of the manager interface does that",
        "aoc set debug": "there is no advice of charge",
        "ari start websocket sessions": "sockets are opened as soon as ari.conf has them",
        "cc cancel": "nobody is called back when a line is free",
        "cc report status": "nobody is called back when a line is free",
        "channel set debug": "`core set debug` is for all channels",
        "channel set debug category": "debug lines have no categories",
        "config reload": "`module reload` reads the files of one part again, `core reload` all",
        "core set debug category": "debug lines have no categories",
        "core show codec": "`core show codecs` shows all there is to show",
        "database query": "there is no SQL: `database show` lists keys",
        "locks show": "there are no locks that two could wait for",
        "logger mute": "`asterisk -rm` opens a console without lines",
        "manager set debug": "debug=yes in manager.conf and `manager reload` do that",
        "module refresh": "parts are not exchanged while they run",
        "pjsip disable logger": "`pjsip set logger off` does that",
        "pjsip reload qualify aor": "`pjsip qualify` asks at once, `pjsip reload` takes another frequency",
        "pjsip reload qualify endpoint": "`pjsip qualify` asks at once, `pjsip reload` takes another frequency",
        "pjsip show channel": "`core show channel` does that",
        "pjsip list channel": "`pjsip list channels` does that",
        "pjsip show unidentified_requests": "`pjsip show bans` and `pjsip show counters` tell of strangers",
        "prometheus show metrics": "the page that prometheus.conf names shows them",
        "core ping taskprocessor": "there are no taskprocessors: `core show threads` is there",
        "core show license": "`arietta --version` and the file LICENSE",
        "core show locks": "there are no locks that two could wait for",
        "core show taskprocessor": "there are no taskprocessors: `core show threads` is there",
        "core show taskprocessors": "there are no taskprocessors: `core show threads` is there",
        "core show warranty": "`arietta --version` and the file LICENSE",
        "memory show": "memory is not counted by place",
        "memory show allocations": "memory is not counted by place",
        "memory show summary": "memory is not counted by place",
        "threadpool show": "there is no pool of threads: `core show threads` is there",
        "timing test": "the media engine has its own clock: `core show engine`",
        "udptl set debug": _FAX,
        "udptl show config": _FAX,
        "xmldoc dump": "docs/ and `arietta reference` have the pages",
        **dict.fromkeys(
            ("stasis show app", "stasis show topic", "stasis show topics", "stasis statistics show messages",
             "stasis statistics show subscription", "stasis statistics show subscriptions",
             "stasis statistics show topic", "stasis statistics show topics"),
            "what happens is told at once: there are no queues between parts to count",
        ),
        **dict.fromkeys(
            ("realtime destroy", "realtime destroy2", "realtime load", "realtime store", "realtime store2",
             "realtime update", "realtime update2"),
            _DATABASE,
        ),
    },
    "files": {
        "cli.conf": "commands at the start are asked for by `arietta asterisk -x`",
        "dnsmgr.conf": _NAMES,
        "enum.conf": "ENUMLOOKUP() takes the zone as an argument",
        "dsp.conf": "detectors of tones and silence have no settings",
        "ast_debug_tools.conf": "it is for those who debug Asterisk",
        "ccss.conf": "nobody is called back when a line is free",
        "chan_websocket.conf": "messages of chan_websocket are texts",
        "cli_permissions.conf": _CONSOLE,
        "dbsep.conf": _DATABASE,
        "extconfig.conf": _DATABASE,
        "muted.conf": "it is for a program of its own",
        "say.conf": "digits, numbers and letters are spoken in English",
        "udptl.conf": _FAX,
        "users.conf": "pjsip_wizard.conf has phones and trunks in short",
        "stasis.conf": "there are no pools of threads to set",
        "codecs.conf": "codecs have no settings",
    },
}  # fmt: skip
"""By kind and name, where the module does not say it."""

SECTIONS = {
    "asterisk.conf [files]": "the socket of the console opens for the owner of the process and for root",
    "pjsip.conf type=asterisk-publication": _SHARED,
    "pjsip.conf type=inbound-publication": _SHARED,
    "pjsip.conf type=outbound-publish": _SHARED,
    "pjsip.conf type=phoneprov": _PHONES,
    "pjsip.conf type=resource_list": (
        "phones that subscribe to a list of resources (RFC 4662) get 404, single extensions are served"
    ),
    "pjsip.conf type=subscription_persistence": "subscriptions end with a restart, with a NOTIFY",
}
"""Sections of files that are read."""


def why_absent(kind: str, name: str) -> str:
    """Why something of that name is not here, NOT_YET where there is no better reason; "" for a name nobody knows."""
    known = names(kind).get(name.lower())
    if known is None:
        return ""
    return _reasons(kind).get(name.lower()) or MODULES.get(known.module, NOT_YET)


@cache
def _reasons(kind: str) -> dict[str, str]:
    assert kind in KINDS, kind
    return {name.lower(): reason for name, reason in REASONS.get(kind, {}).items()}
