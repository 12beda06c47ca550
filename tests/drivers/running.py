"""A small server for the stories of drivers: three phones, a trunk, and an application."""

from __future__ import annotations

SERVER = ("10.0.0.1", 5060)
PASSWORD = "a-well-kept-secret"

EXTENSIONS = """
[default]
exten => 1000,1,Answer()
 same => n,Stasis(app)
 same => n,Hangup()
exten => 1002,1,Answer()
 same => n,Stasis(other,second)
 same => n,Hangup()
exten => 1100,1,Dial(PJSIP/bob,20)
 same => n,Hangup()
exten => 1101,1,Dial(PJSIP/carol,20)
 same => n,Hangup()
exten => 1200,1,Answer()
 same => n,Echo()
exten => 1300,1,Answer()
 same => n,Stasis(app,transferred)
"""


def phone_sections(name: str, number: str, more: str = "") -> str:
    """The endpoint, password and address of record of one phone."""
    return f"""
[{name}]
type=endpoint
context=default
auth={name}
aors={name}
allow=ulaw
callerid="{name.title()}" <{number}>
{more}
[{name}]
type=auth
auth_type=userpass
username={name}
password={PASSWORD}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
"""


PJSIP = (
    f"""
[udp]
type=transport
protocol=udp
bind={SERVER[0]}:{SERVER[1]}
"""
    + phone_sections("alice", "6001", "rtp_keepalive=10")
    + phone_sections("bob", "6002")
    + phone_sections("carol", "6003")
    + phone_sections("dora", "6004", "set_var=PJSIP_TRANSFER_HANDLING()=ari-only")
    + phone_sections("eve", "6005", "allow_transfer=no")
)

FILES = {
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\n",
    "ari.conf": "[general]\nenabled=yes\n[asterisk]\ntype=user\npassword=asterisk\n",
    "pjsip.conf": PJSIP,
    "extensions.conf": EXTENSIONS,
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10099\n",
    "websocket_client.conf": "[robot]\ntype=websocket_client\nuri=ws://127.0.0.1:9100/robot\n"
    "connection_type=per_call_config\n[events]\ntype=websocket_client\nuri=ws://127.0.0.1:9101/\n"
    "connection_type=persistent\n",
}
