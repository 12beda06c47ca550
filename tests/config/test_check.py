"""What `arietta check` finds: mistakes, what is unknown or not supported, names that lead nowhere."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arietta.config.check import check
from arietta.config.conf import Problem
from arietta.config.pjsip import TYPES
from arietta.config.reference import FILES
from arietta.config.settings import declared

LAB = Path(__file__).parent / "data" / "lab"
HOME = {"HOME": "/home/ann"}

ENDPOINT = "[a]\ntype=endpoint\nallow=ulaw\ncontext=default\n"


def found(folder: Path, severity: str | None = None) -> list[str]:
    return [
        f"{problem.severity}: {problem}" if severity is None else str(problem)
        for problem in check(folder, HOME)
        if severity is None or problem.severity == severity
    ]


def write(folder: Path, **files: str) -> Path:
    (folder / "extensions.conf").write_text("[default]\nexten => 1,1,Hangup()\n")
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    return folder


def test_the_lab_has_no_errors() -> None:
    assert found(LAB, "error") == []


def test_sections_of_asterisk_that_are_not_here_are_told_from_what_nobody_knows(tmp_path: Path) -> None:
    pjsip = "[a]\ntype=phoneprov\n[b]\ntype=endpiont\n"
    first, second = found(write(tmp_path, pjsip=pjsip), "warning")
    assert first == "pjsip.conf line 1: [a]: type=phoneprov is not served: a web server hands out the files of phones"
    assert second.startswith("pjsip.conf line 4: [b]: type endpiont is not known, the section is ignored; known are")


def test_a_file_that_was_misspelt_is_told_from_one_that_is_not_read(tmp_path: Path) -> None:
    files = {"queues": "", "musiconhol": "", "extensions_custom": ""}
    ignored, misspelt = found(write(tmp_path, **files), "warning")
    assert "ignored: extensions_custom.conf, musiconhol.conf, queues.conf" in ignored
    assert misspelt == "musiconhol.conf: is not read: is musiconhold.conf meant?"


def test_an_option_of_asterisk_that_is_not_here_and_one_that_was_misspelt(tmp_path: Path) -> None:
    asterisk = "[options]\nautosystemname=yes\nsystemnam=x\n"
    ours, misspelt = found(write(tmp_path, asterisk=asterisk), "warning")
    assert ours.endswith("autosystemname of asterisk.conf [options] is not supported by this version, it is ignored")
    assert misspelt.endswith("asterisk.conf [options], it is ignored: is systemname meant?")


def test_problems_print_as_place_and_reason() -> None:
    assert (
        str(Problem("http.conf", 7, "error", "bindport 99999 is outside 1..65535"))
        == "http.conf line 7: bindport 99999 is outside 1..65535"
    )
    assert str(Problem("http.conf", 0, "error", "does not exist")) == "http.conf: does not exist"


@pytest.mark.parametrize(
    ("option", "finding"),
    [
        (
            "rtcp_mux=yes\nmedia_encryption=dtls",
            "error: pjsip.conf line 6: media_encryption=dtls of endpoint [a] needs dtls_cert_file or"
            " dtls_auto_generate_cert=yes",
        ),
        (
            "dtls_auto_generate_cert=yes\nmedia_encryption=dtls",
            "error: pjsip.conf line 6: media_encryption=dtls of endpoint [a] needs rtcp_mux=yes:"
            " two ports are not supported with it",
        ),
        ("ice_support=yes", ""),
        ("cos_audio=6", ""),
        (
            "cos_audio=7",
            "warning: pjsip.conf line 5: cos_audio 7 has no effect without CAP_NET_ADMIN, up to 6 has",
        ),
        ("max_audio_streams=1", ""),
        (
            "max_audio_streams=2",
            "warning: pjsip.conf line 5: max_audio_streams 2: one audio stream is carried, others are refused",
        ),
        (
            "max_audio_streams=0",
            "error: pjsip.conf line 5: max_audio_streams=0 is not supported: a call has an audio stream",
        ),
        ("bundle=yes\nice_support=yes", ""),
        ("webrtc=yes", ""),
        ("webrtc=yes\ndtls_cert_file=ghost.pem", "error: pjsip.conf line 6: dtls_cert_file ghost.pem cannot be read"),
        (
            "webrtc=yes\ndtls_verify=yes",
            "error: pjsip.conf line 6: dtls_verify=yes of endpoint [a] needs dtls_ca_file or dtls_ca_path:"
            " who is to be trusted?",
        ),
        (
            "dtls_setup=holdconn",
            "error: pjsip.conf line 5: dtls_setup=holdconn is not supported: nobody would begin;"
            " active, passive and actpass are",
        ),
        ("dtls_rekey=60", "error: pjsip.conf line 5: dtls_rekey=60 is not supported by this version"),
        (
            "codec_prefs_incoming_offer=prefer: cheapest",
            "error: pjsip.conf line 5: codec_prefs_incoming_offer 'prefer: cheapest' is no choice of prefer, operation,"
            " keep, transcode with one of its words",
        ),
        ("codec_prefs_incoming_offer=keep:first , prefer : configured", ""),
        ("incoming_call_offer_pref=local_first", ""),
        ("rtp_keepalive=15", ""),
        ("t38_udptl=yes", "error: pjsip.conf line 5: t38_udptl=yes is not supported by this version"),
        (
            "redirect_method=uri_pjsip",
            "error: pjsip.conf line 5: redirect_method=uri_pjsip is not supported by this version",
        ),
        ("100rel=required", ""),
        ("100rel=sometimes", "error: pjsip.conf line 5: 100rel sometimes is none of no, yes, required, peer_supported"),
        ("timers=forced", ""),
        ("timers_sess_expires=600", ""),
        (
            "direct_media=yes",
            "warning: pjsip.conf line 5: direct_media=yes has no effect: media always flows through the server",
        ),
        ("tos_video=ef", "warning: pjsip.conf line 5: tos_video has no effect in this version"),
        (
            "colour=red",
            "warning: pjsip.conf line 5: colour is not an option of pjsip.conf type=endpoint, it is ignored",
        ),
        (
            "dtmf_mode=morse",
            "error: pjsip.conf line 5: dtmf_mode morse is none of rfc4733, inband, info, auto, auto_info, none",
        ),
        ("timers_min_se=10", "error: pjsip.conf line 5: timers_min_se 10 is outside 90..2147483647 seconds"),
        ("rtp_symmetric=", "error: pjsip.conf line 5: rtp_symmetric has no value, it takes yes/no"),
        ("auth=ghost", "error: pjsip.conf line 5: auth ghost is not a section with type=auth"),
        ("outbound_auth=ghost", "error: pjsip.conf line 5: outbound_auth ghost is not a section with type=auth"),
        ("aors=ghost", "error: pjsip.conf line 5: aors ghost is not a section with type=aor"),
        ("transport=ghost", "error: pjsip.conf line 5: transport ghost is not a section with type=transport"),
        ("context=ghost", "warning: pjsip.conf line 5: context ghost is not in extensions.conf"),
        ("disallow=all", "warning: pjsip.conf line 5: endpoint [a] allows no codec, its calls have no audio"),
        ("webrtc=no", ""),
        ("media_encryption=no", ""),
        ("dtls_rekey=0", ""),
        ("100rel=yes", ""),
    ],
)
def test_options_of_an_endpoint(tmp_path: Path, option: str, finding: str) -> None:
    transport = "[t]\ntype=transport\nbind=127.0.0.1\n"
    assert found(write(tmp_path, pjsip=f"{ENDPOINT}{option}\n{transport}")) == ([finding] if finding else [])


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        ("protocol=tls", "error: pjsip.conf line 1: transport [t] has protocol=tls without cert_file"),
        ("protocol=tls\ncert_file=x.pem", "error: pjsip.conf line 5: cert_file x.pem cannot be read"),
        ("protocol=ws", "error: pjsip.conf line 4: protocol=ws needs the HTTP server: http.conf enabled=yes"),
        (
            "protocol=flow",
            "error: pjsip.conf line 4: protocol=flow is not supported by this version,"
            " supported are udp, tcp, tls, ws and wss",
        ),
        (
            "method=tlsv1",
            "error: pjsip.conf line 4: method=tlsv1 is not supported: it is broken, TLS 1.2 and 1.3 are spoken",
        ),
        ("method=tlsv1_3", ""),
        (
            "symmetric_transport=no",
            "warning: pjsip.conf line 4: symmetric_transport=no has no effect:"
            " requests always leave by the transport of the registration",
        ),
        ("symmetric_transport=yes", ""),
        ("external_media_address=192.0.2.1\nexternal_signaling_address=192.0.2.1\nlocal_net=10.0.0.0/8", ""),
    ],
)
def test_options_of_a_transport(tmp_path: Path, options: str, finding: str) -> None:
    text = f"[t]\ntype=transport\nbind=127.0.0.1\n{options}\n"
    assert found(write(tmp_path, pjsip=text)) == ([finding] if finding else [])


def test_secure_sockets_without_https_are_worth_a_word(tmp_path: Path) -> None:
    text = "[t]\ntype=transport\nprotocol=wss\nbind=127.0.0.1\n"
    folder = write(tmp_path, pjsip=text, http="[general]\nenabled=yes\nbindaddr=127.0.0.1\n")
    assert (
        "pjsip.conf line 3: protocol=wss without tlsenable=yes in http.conf:"
        " only a web server on this machine can pass phones on"
    ) in found(folder, "warning")


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "[x]\ntype=identify\nendpoint=ghost\nmatch=1.2.3.4\n",
            "line 3: endpoint ghost is not a section with type=endpoint",
        ),
        (
            "[x]\ntype=identify\nendpoint=\nmatch=1.2.3.4\n",
            "line 3: endpoint without value is not a section with type=endpoint",
        ),
        (
            "[x]\ntype=registration\nserver_uri=sip:a\nclient_uri=sip:b\noutbound_auth=ghost\n",
            "line 5: outbound_auth ghost is not a section with type=auth",
        ),
        (
            "[x]\ntype=registration\nserver_uri=a\nclient_uri=sip:b\n",
            "line 3: server_uri a does not begin with sip: or sips:",
        ),
        ("[x]\ntype=aor\ncontact=127.0.0.1\n", "line 3: contact 127.0.0.1 does not begin with sip: or sips:"),
        (
            "[x]\ntype=aor\nminimum_expiration=90\nmaximum_expiration=60\n",
            "line 3: minimum_expiration 90 is above maximum_expiration 60",
        ),
        ("[x]\ntype=transport\n", "line 1: transport [x] has no bind address"),
        (
            "[x]\ntype=transport\nbind=127.0.0.1\n[y]\ntype=transport\nbind=127.0.0.1:5060\n",
            "line 6: bind 127.0.0.1:5060 is taken already by transport [x]",
        ),
        ("[x]\ntype=auth\nusername=x\n", "line 1: auth [x] has no password"),
        (
            "[x]\ntype=auth\nauth_type=md5\nmd5_cred=secretsecret\n",
            "line 4: auth [x]: md5_cred is not 32 hexadecimal digits",
        ),
        ("[x]\ntype=aor\n[x]\ntype=aor\n", "line 3: [x] of this type exists already at pjsip.conf line 1"),
        ("[x]\ntype=acl\ncontact_acl=ghost\n", "line 3: contact_acl ghost of [x] is not a section of acl.conf"),
    ],
)
def test_other_sip_objects(tmp_path: Path, text: str, finding: str) -> None:
    assert f"pjsip.conf {finding}" in found(write(tmp_path, pjsip=text), "error")


@pytest.mark.parametrize(
    ("file", "text", "finding"),
    [
        (
            "http",
            "[general]\nenabled=yes\n",
            "error: http.conf line 2: enabled=yes without bindaddr: there is no address to listen on",
        ),
        (
            "http",
            "[general]\ntlsenable=yes\ntlscertfile=absent.pem\n",
            "error: http.conf line 3: tlscertfile absent.pem cannot be read",
        ),
        (
            "http",
            "[general]\ntlsenable=yes\n",
            "error: http.conf line 2: tlsenable=yes without tlscertfile: there is no certificate",
        ),
        (
            "http",
            "[general]\n[post_mappings]\na=b\n",
            "warning: http.conf line 2: [post_mappings]: uploads by POST are not supported by this version",
        ),
        (
            "http",
            "[general]\n[general]\n",
            "warning: http.conf line 2: [general] is repeated, its options are added to those of line 1",
        ),
        ("ari", "[general]\n[u]\ntype=user\n", "error: ari.conf line 2: user [u] has no password"),
        (
            "ari",
            "[u]\ntype=user\npassword=x\npassword_format=crypt\n",
            "error: ari.conf line 3: password of user [u] is not a crypt hash such as $6$salt$hash",
        ),
        (
            "ari",
            "[u]\ntype=outbound_websocket\nwebsocket_client_id=x\napps=y\nlocal_ari_user=z\n",
            "error: ari.conf line 5: local_ari_user z is not a user",
        ),
        (
            "pjsip",
            "[team]\ntype=resource_list\nevent=presence\nlist_item=6001\n",
            "warning: pjsip.conf line 1: [team]: type=resource_list is not served: phones that subscribe to a list of"
            " resources (RFC 4662) get 404, single extensions are served",
        ),
        (
            "ari",
            "[u]\ntype=robot\n",
            "warning: ari.conf line 2: [u]: type robot is not known, the section is ignored; known are user"
            " and outbound_websocket",
        ),
        (
            "websocket_client",
            "[u]\ntype=websocket_client\nuri=http://x\n",
            "error: websocket_client.conf line 3: uri http://x does not begin with ws:// or wss://",
        ),
        (
            "rtp",
            "[general]\nrtpstart=6000\nrtpend=5999\n",
            "error: rtp.conf line 3: rtpend 5999 is not above rtpstart 6000",
        ),
        (
            "ari",
            "[u]\ntype=user\npassword=p\nacl=ghost\n",
            "error: ari.conf line 4: acl ghost of user [u] is not a section of acl.conf",
        ),
        (
            "rtp",
            "[general]\nice_acl=ghost\n",
            "error: rtp.conf line 2: ice_acl ghost is not a section of acl.conf",
        ),
        (
            "rtp",
            "[general]\nturnaddr=turn.example.com\n",
            "error: rtp.conf line 2: turnaddr=turn.example.com is not supported by this version",
        ),
        (
            "res_http_media_cache",
            "[general]\nprotocols=https, file\n",
            "error: res_http_media_cache.conf line 2: protocols file is none of http, https",
        ),
        (
            "res_http_media_cache",
            "[general]\nproxy=http://proxy.example.com\n",
            "error: res_http_media_cache.conf line 2: proxy=http://proxy.example.com is not supported by this version",
        ),
        (
            "res_http_media_cache",
            "[general]\nuser_agent=Gerät\n",
            "error: res_http_media_cache.conf line 2: user_agent 'Gerät' is not plain ASCII",
        ),
        (
            "amd",
            "[general]\ngreeting=0\n",
            "error: amd.conf line 2: greeting 0 is outside 1..60000",
        ),
        (
            "amd",
            "[general]\n[words]\n",
            "warning: amd.conf line 2: [words] is not a section of amd.conf, it is ignored",
        ),
        (
            "prometheus",
            "[general]\nenabled=yes\nuri=/ari/metrics\n",
            "error: prometheus.conf line 3: uri '/ari/metrics' is empty or a path of something else",
        ),
        (
            "prometheus",
            "[general]\nenabled=yes\nauth_username=p\n",
            "error: prometheus.conf line 3: auth_username without auth_password: nobody could read the metrics",
        ),
        (
            "prometheus",
            "[general]\nenabled=yes\nauth_password=p\n",
            "warning: prometheus.conf line 3: auth_password has no effect without auth_username",
        ),
        (
            "prometheus",
            '[general]\nenabled=yes\nauth_realm=a "realm"\n',
            "error: prometheus.conf line 3: auth_realm 'a \"realm\"' has characters of no realm",
        ),
        (
            "indications",
            "[us]\nbusy=480+x/500\n",
            "error: indications.conf line 2: busy 480+x/500: frequency x is not a number of hertz in 0..20000",
        ),
        (
            "indications",
            "[general]\ncountry=xx\n[us]\n",
            "error: indications.conf line 2: country xx is not in this file",
        ),
        (
            "musiconhold",
            "[m]\nmode=custom\n",
            "error: musiconhold.conf line 2: mode=custom is not supported by this version, supported are files and"
            " playlist",
        ),
        ("musiconhold", "[m]\n", "error: musiconhold.conf line 1: class [m] with mode=files has no directory"),
        (
            "logger",
            "[logfiles]\nfull => shouting\n",
            "error: logger.conf line 2: full: level shouting is none of debug, trace, notice, warning,"
            " error, verbose, dtmf, fax, security or *",
        ),
        (
            "sorcery",
            "[res_pjsip]\nendpoint=realtime,ps_endpoints\n",
            "error: sorcery.conf line 2: endpoint: wizard realtime is not supported by this version,"
            " supported are config, memory, astdb",
        ),
        (
            "asterisk",
            "[options]\nmaxload=-1\n",
            "error: asterisk.conf line 2: maxload -1 is outside 0..10000 load",
        ),
        (
            "asterisk",
            "[directories]\nastlogdir=log\n",
            "error: asterisk.conf line 2: astlogdir log is not an absolute path",
        ),
    ],
)
def test_other_files(tmp_path: Path, file: str, text: str, finding: str) -> None:
    assert finding in found(write(tmp_path, **{file: text}))


def test_a_refused_value_is_told_once(tmp_path: Path) -> None:
    text = "[x]\ntype=transport\nbind=127.0.0.1:sip\n[y]\ntype=auth\nauth_type=none\npassword=x\n"
    assert found(write(tmp_path, pjsip=text)) == [
        "error: pjsip.conf line 3: bind 127.0.0.1:sip: port sip is not a number in 1..65535",
        "error: pjsip.conf line 6: auth_type none is none of userpass, md5, digest, google_oauth",
    ]


def test_users_that_nobody_can_reach(tmp_path: Path) -> None:
    assert found(write(tmp_path, ari="[u]\ntype=user\npassword=x\n")) == [
        "warning: http.conf: enabled is not yes, the REST interface cannot be reached"
    ]


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    text = "[x]\ntype=auth\nusername=x\npassword=p4ssphrase\noauth_secret=p4ssphrase\nauth_type=google_oauth\n"
    findings = found(write(tmp_path, pjsip=text))
    assert len(findings) == 2
    assert not any("p4ssphrase" in finding for finding in findings)


VALUES = st.sampled_from(
    (
        *("", "yes", "no", "1", "-1", "99999999999", "0.5", "nan", "a", "a,b", "all", "!all,ulaw", "10.0.0.0/8", "::1"),
        *("[", "<", "sip:a", "a=b", "ws://x", "files", "user", "dtls", "tls", "crypt", "verbose(", "[json]*", "²"),
        *("config,x", "!350+4/5"),
    )
)
SECTIONS = ("general", "global", "options", "directories", "logfiles", "modules", "a", "b")
NAMES = {
    name: sorted({option for one in classes for entry in declared(one) for option in entry.names} | {"x/cache"})
    for name, _, classes in FILES
}


@st.composite
def folders(draw: st.DrawFn) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, options in NAMES.items():
        lines = []
        for section in draw(st.lists(st.sampled_from(SECTIONS), max_size=3)):
            lines.append(f"[{section}]")
            if kind := draw(st.sampled_from(("", *TYPES, "user", "outbound_websocket", "websocket_client"))):
                lines.append(f"type={kind}")
            pair = st.tuples(st.sampled_from(options), st.one_of(VALUES, st.text(max_size=9)))
            chosen = draw(st.lists(pair, max_size=4))
            lines += [f"{option} = {value}" for option, value in chosen]
        texts[name] = "\n".join(lines)
    return texts


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(folders())
def test_any_configuration_is_judged_without_a_crash(tmp_path: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8", errors="replace")
    for problem in check(tmp_path, HOME):
        assert problem.severity in ("error", "warning") and problem.message and problem.file
