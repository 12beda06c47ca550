"""Messages that wait: MailboxStatus, MailboxCount, and the mailboxes that others count (MWI...)."""

from __future__ import annotations

from arietta.errors import NotFound
from arietta.manager.declared import Call, Reply, action, item, listing, regex, success
from arietta.model.snapshots import Mailbox

MAILBOX = ("Mailbox", "The mailbox, such as 6001@default.")
MAX_COUNT = 1_000_000


@action("MailboxStatus", "Tell whether messages wait in a mailbox.", MAILBOX, write="call,reporting")
def mailbox_status(call: Call) -> Reply:
    name = call.need("Mailbox", "Mailbox not specified")
    waiting = any(call.domain.mailboxes.waiting(one)[0] for one in name.split(","))
    return success("Mailbox Status", ("Mailbox", name), ("Waiting", str(int(waiting))))


@action("MailboxCount", "Count the messages of a mailbox.", MAILBOX, write="call,reporting")
def mailbox_count(call: Call) -> Reply:
    name = call.need("Mailbox", "Mailbox not specified")
    counts = [call.domain.mailboxes.waiting(one) for one in name.split(",")]
    return success(
        "Mailbox Message Count",
        ("Mailbox", name),
        ("UrgMessages", "0"),
        ("NewMessages", str(sum(new for new, _ in counts))),
        ("OldMessages", str(sum(old for _, old in counts))),
    )


@action(
    "MWIGet",
    "Show the mailboxes that others count.",
    ("Mailbox", "The mailbox, or /REGULAR EXPRESSION/ for several."),
    write="call,reporting",
)
def mwi_get(call: Call) -> Reply:
    items = [
        item(
            "MWIGet",
            ("Mailbox", mailbox.name),
            ("OldMessages", mailbox.old_messages),
            ("NewMessages", mailbox.new_messages),
        )
        for mailbox in _matching(call)
    ]
    return listing("Mailboxes will follow", items, "MWIGetComplete")


@action(
    "MWIUpdate",
    "Say how many messages wait in a mailbox that others count.",
    MAILBOX,
    ("[OldMessages]", "Those that were heard."),
    ("[NewMessages]", "Those that were not."),
    write="call",
)
def mwi_update(call: Call) -> Reply:
    name = call.need("Mailbox", "Missing mailbox parameter in request")
    counts = call.number("OldMessages", 0, 0, MAX_COUNT), call.number("NewMessages", 0, 0, MAX_COUNT)
    call.domain.mailboxes.update(name, *counts)
    return success("")


@action(
    "MWIDelete",
    "Forget mailboxes that others count.",
    ("Mailbox", "The mailbox, or /REGULAR EXPRESSION/ for several."),
    write="call",
)
def mwi_delete(call: Call) -> Reply:
    for mailbox in _matching(call):
        call.domain.mailboxes.delete(mailbox.name)
    return success("")


def _matching(call: Call) -> list[Mailbox]:
    wanted = call.need("Mailbox", "Missing mailbox parameter in request")
    if len(wanted) < 2 or wanted[0] != "/" or wanted[-1] != "/":
        try:
            return [call.domain.mailboxes.get(wanted)]
        except NotFound:
            return []
    expression = regex(wanted[1:-1])
    return [mailbox for mailbox in call.domain.mailboxes.list() if expression.found_in(mailbox.name)]
