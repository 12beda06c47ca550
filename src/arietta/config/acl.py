"""acl.conf: access lists by name, for whoever refers to them."""

from typing import Annotated, ClassVar

from arietta.config.ari import keep
from arietta.config.conf import ConfFile
from arietta.config.kinds import AccessList, AccessRule
from arietta.config.settings import Report, Settings


class NamedAcl(Settings, frozen=True, kw_only=True, eq=False):
    """One access list; the name of the section is its name."""

    TITLE: ClassVar[str] = "acl.conf list"

    access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Addresses that are admitted (permit) or refused (deny).", names=("permit", "deny")),
    ] = ()


def read_acl(file: ConfFile, report: Report) -> dict[str, NamedAcl]:
    """The lists of acl.conf by name."""
    lists: dict[str, NamedAcl] = {}
    for section in file.active():
        keep(NamedAcl, section, lists, report)
    return lists
