"""rtp.conf: ports and rules of media packets."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import (
    AccessList,
    AccessRule,
    Address,
    Bool,
    Choice,
    HostPort,
    Integer,
    Milliseconds,
    Secret,
    Text,
    TextList,
    yes_no_or,
)
from arietta.config.settings import Report, Settings, merged, read_settings

MEDIA_ENGINES = ("auto", "native", "reference")


class RtpSettings(Settings, frozen=True, kw_only=True, eq=False):
    """Ports and rules of media packets."""

    TITLE: ClassVar[str] = "rtp.conf [general]"

    rtpstart: Annotated[int, Integer("First UDP port for media.", 1024, 65535)] = 5000
    rtpend: Annotated[int, Integer("Last UDP port for media.", 1024, 65535)] = 31000
    strictrtp: Annotated[
        str, yes_no_or("Whether packets of another source than the learnt one are dropped.", "seqno")
    ] = "yes"
    probation: Annotated[int, Integer("Packets in sequence until a source is learnt.", 1, 100)] = 4
    rtpchecksums: Annotated[bool, Bool("Whether UDP checksums are made.")] = True
    rtcpinterval: Annotated[int, Milliseconds("Time between RTCP reports.", 500, 60000)] = 5000
    dtmftimeout: Annotated[
        int, Integer("Samples at 8000 Hz after which a digit whose end is lost is over.", 160, 80000)
    ] = 3000
    dtls_mtu: Annotated[int, Integer("Largest DTLS packet in bytes.", 256, 65535)] = 1200
    srtpreplayprotection: Annotated[bool, Bool("Whether replayed SRTP packets are dropped.")] = True
    icesupport: Annotated[bool, Bool("Whether ICE may be used by endpoints that ask for it.")] = True
    ice_access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Addresses that may be ICE candidates.", names=("ice_permit", "ice_deny", "ice_blacklist")),
    ] = ()
    ice_acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf for ICE candidates.")] = ()
    stunaddr: Annotated[HostPort | None, Address("STUN server.")] = None
    stun_access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Local addresses STUN is used from.", names=("stun_permit", "stun_deny", "stun_blacklist")),
    ] = ()
    stun_acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf for STUN.")] = ()
    turnaddr: Annotated[HostPort | None, Address("TURN server.")] = None
    turnusername: Annotated[str, Text("User name at the TURN server.")] = ""
    turnpassword: Annotated[str, Secret("Password at the TURN server.")] = ""
    media_engine: Annotated[
        str, Choice("What carries the audio, of Arietta alone: the engine in C, or the one in Python.", *MEDIA_ENGINES)
    ] = "auto"
    media_threads: Annotated[
        int, Integer("Threads of the engine in C, of Arietta alone; 0 is one for each core.", 0, 256)
    ] = 0
    mix_loudest: Annotated[
        int, Integer("Members that a conference hears at a time, of Arietta alone; 0 is all of them.", 0, 1000)
    ] = 0


def read_rtp(file: ConfFile, report: Report) -> RtpSettings:
    """The settings of rtp.conf."""
    for section in file.active():
        if section.name.lower() == "ice_host_candidates":
            report.warn(section, "[ice_host_candidates] has no effect in this version")
        elif section.name.lower() != "general":
            report.warn(section, f"[{section.name}] is not a section of rtp.conf, it is ignored")
    settings = read_settings(RtpSettings, merged(file.named("general"), report), report)
    if settings.rtpend <= settings.rtpstart:
        at = settings.at("rtpend" if "rtpend" in settings.set_at else "rtpstart")
        report.error(at, f"rtpend {settings.rtpend} is not above rtpstart {settings.rtpstart}")
    return settings
