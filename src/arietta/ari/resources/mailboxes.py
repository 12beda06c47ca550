"""Counts of waiting messages."""

from collections.abc import Sequence
from typing import Annotated

from arietta.model.snapshots import Mailbox
from arietta.model.wire import Encoded

from ..contract import Path, Query, operation
from ..domain import Mailboxes as Domain
from ..domain import Soon
from ..failures import MAILBOX_NOT_FOUND

MailboxName = Annotated[str, Path("mailboxName", "Name of the mailbox.")]


class Mailboxes:
    """Mailbox resources"""

    NAME = "mailboxes"

    def __init__(self, mailboxes: Domain) -> None:
        self._mailboxes = mailboxes

    @operation("GET", "/mailboxes", nickname="list", since=("12.1.0",))
    def list(self) -> Sequence[Mailbox | Encoded] | Encoded:
        """List all mailboxes."""
        return self._mailboxes.list()

    @operation(
        "GET",
        "/mailboxes/{mailboxName}",
        nickname="get",
        since=("12.1.0",),
        failures=(MAILBOX_NOT_FOUND,),
    )
    def get(self, *, mailbox_name: MailboxName) -> Mailbox | Encoded:
        """Retrieve the current state of a mailbox."""
        return self._mailboxes.get(mailbox_name)

    @operation(
        "PUT",
        "/mailboxes/{mailboxName}",
        nickname="update",
        since=("12.1.0",),
        failures=(MAILBOX_NOT_FOUND,),
    )
    def update(
        self,
        *,
        mailbox_name: MailboxName,
        old_messages: Annotated[int, Query("oldMessages", "Messages that were heard.", required=True)] = 0,
        new_messages: Annotated[int, Query("newMessages", "Messages that were not.", required=True)] = 0,
    ) -> Soon[None]:
        """Change the state of a mailbox, and make it if need be.

        Counts are taken as they come; one that is left out is 0.
        """
        return self._mailboxes.update(mailbox_name, old_messages, new_messages)

    @operation(
        "DELETE",
        "/mailboxes/{mailboxName}",
        nickname="delete",
        since=("12.1.0",),
        failures=(MAILBOX_NOT_FOUND,),
    )
    def delete(self, *, mailbox_name: MailboxName) -> Soon[None]:
        """Destroy a mailbox."""
        return self._mailboxes.delete(mailbox_name)
