"""SIP objects that are made, changed and deleted at run time, over those of pjsip.conf.

An object is kept as the attributes it was given, and read like a section of pjsip.conf: what a file may not say, an
attribute may not say either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from arietta.config.conf import ConfFile, Option, Section
from arietta.config.endpoint import Endpoint
from arietta.config.kinds import AccessList, CallerId, Codecs, Kind, Variables
from arietta.config.pjsip import TYPES, Aor, PjsipSettings, Registration, read_pjsip
from arietta.config.settings import Declared, Report, Settings, declared
from arietta.config.system import SorcerySettings
from arietta.errors import BadRequest, Forbidden, NotFound
from arietta.model import snapshots
from arietta.store import Store

log = logging.getLogger(__name__)

CONFIG_CLASS = "res_pjsip"
CHANGEABLE = ("endpoint", "auth", "aor", "identify", "registration")
"""The types that take effect at run time; transports and what holds for all of SIP are set at the start."""
SORCERY_SECTIONS = {
    "identify": "res_pjsip_endpoint_identifier_ip",
    "registration": "res_pjsip_outbound_registration",
}
"""Where sorcery.conf says how objects of a type are kept, if that is not [res_pjsip]."""
DURABLE = {"memory": False, "astdb": True}
"""The stores of sorcery.conf that can be written, and whether they outlive the process."""
ORIGIN = "the REST interface"
UNKNOWN_CALLER, NO_CODECS = "<unknown>", "(nothing)"

Fields = tuple[tuple[str, str], ...]


class _Made(msgspec.Struct, frozen=True):
    """One object of run time: its attributes as they were given, and what they mean."""

    fields: Fields
    settings: Settings
    durable: bool


class DynamicConfig:
    """The SIP objects of pjsip.conf and of run time."""

    def __init__(
        self,
        store: Store,
        settings: PjsipSettings,
        sorcery: SorcerySettings,
        on_change: Callable[[PjsipSettings], object],
    ) -> None:
        """`on_change` gets all objects, those of the file included, after every change."""
        self._store = store
        self._file = settings
        self._sorcery = sorcery
        self._on_change = on_change
        self._made: dict[str, dict[str, _Made]] = {object_type: {} for object_type in CHANGEABLE}
        for object_type in CHANGEABLE:
            self._restore(object_type)
        self.settings = self._overlaid()

    def configure(self, settings: PjsipSettings, sorcery: SorcerySettings) -> PjsipSettings:
        """Take another pjsip.conf; returns it with the objects of run time added."""
        self._file, self._sorcery = settings, sorcery
        self.settings = self._overlaid()
        return self.settings

    # ------------------------------------------------------------------------------------------------ operations

    def get(self, kind: str, object_type: str, name: str) -> Sequence[snapshots.ConfigTuple]:
        """Every attribute of an object, those with their default included. 404."""
        found = self._table(kind, object_type).get(name)
        if found is None:
            raise NotFound(f"{kind} has no {object_type} {name!r}")
        return attributes(found)

    def update(
        self, kind: str, object_type: str, name: str, fields: Iterable[tuple[str, str]] | None
    ) -> Sequence[snapshots.ConfigTuple]:
        """Make an object, or change the attributes that are named. 400; 403; 404 for an unknown type."""
        self._table(kind, object_type)
        durable = self._may_change(object_type, name)
        before = self._made[object_type].get(name)
        if before is not None and fields is None:
            raise BadRequest(f"{object_type} {name!r} exists, and there are no fields to change")
        given = _checked(object_type, name, fields or ())
        if before is not None:
            given, durable = _merged(object_type, before.fields, given), before.durable
        made = _made(object_type, name, given, durable)
        if durable:
            self._store.put(_family(object_type), name, made.fields)
        self._made[object_type][name] = made
        self._changed()
        return attributes(made.settings)

    def delete(self, kind: str, object_type: str, name: str) -> None:
        """Forget an object of run time. 403 for one of the file; 404."""
        table = self._table(kind, object_type)
        self._may_change(object_type, name)
        if name not in table:
            raise NotFound(f"{kind} has no {object_type} {name!r}")
        del self._made[object_type][name]
        self._store.delete(_family(object_type), name)
        self._changed()

    # ------------------------------------------------------------------------------------------------- inside

    def _table(self, kind: str, object_type: str) -> Mapping[str, Settings]:
        """All objects of a type by name. 404."""
        if kind != CONFIG_CLASS or object_type not in TYPES:
            raise NotFound(f"there is no configuration {kind}/{object_type}")
        found = getattr(self.settings, TYPES[object_type][0])
        return found if isinstance(found, dict) else {found.name or object_type: found}

    def _may_change(self, object_type: str, name: str) -> bool:
        """Whether a new object outlives the process. 403 if objects of the type or of that name cannot be changed."""
        durable = self._durable(object_type)
        if durable is None:
            raise Forbidden(f"{object_type} objects are changed in pjsip.conf, not at run time")
        written = getattr(self._file, TYPES[object_type][0]).get(name)
        if written is not None:
            raise Forbidden(f"{object_type} {name!r} is written in {written.file}, where it is changed")
        return durable

    def _durable(self, object_type: str) -> bool | None:
        """What sorcery.conf says of a type, None if its objects cannot be written; without that file all are kept."""
        if object_type not in CHANGEABLE:
            return None
        if not self._sorcery.modules:
            return True
        own = SORCERY_SECTIONS.get(object_type, CONFIG_CLASS)
        mappings = self._sorcery.wizards(object_type, own) or self._sorcery.wizards(object_type, CONFIG_CLASS)
        return next((DURABLE[m.wizard] for m in mappings if m.wizard in DURABLE and not m.cache), None)

    def _overlaid(self) -> PjsipSettings:
        """The objects of run time after those of the file, which win."""
        tables: dict[str, Any] = {}
        for object_type, made in self._made.items():
            written = getattr(self._file, TYPES[object_type][0])
            added = {name: entry.settings for name, entry in made.items() if name not in written}
            tables[TYPES[object_type][0]] = written | added
        return msgspec.structs.replace(self._file, **tables)

    def _changed(self) -> None:
        self.settings = self._overlaid()
        self._on_change(self.settings)

    def _restore(self, object_type: str) -> None:
        if not self._durable(object_type):
            return
        for name, kept in self._store.items(_family(object_type)):
            try:
                self._made[object_type][name] = _made(object_type, name, _checked(object_type, name, kept), True)
            except BadRequest as problem:
                log.error("the %s %r kept from an earlier run is left out: %s", object_type, name, problem)


def _family(object_type: str) -> str:
    return f"pjsip {object_type}"


def _names(object_type: str) -> dict[str, Declared]:
    """The attributes of a type as they are spelled."""
    return {name: entry for entry in declared(TYPES[object_type][1]) for name in entry.names}


def _checked(object_type: str, name: str, fields: Iterable[tuple[str, str]]) -> Fields:
    """The attributes to read, in the spelling of a file. 400 for what no file can say."""
    if not name.strip() or not name.isprintable():
        raise BadRequest(f"{name!r} cannot be the id of a {object_type}")
    known = _names(object_type)
    found = []
    for attribute, value in fields:
        attribute = attribute.lower()
        entry = known.get(attribute)
        if entry is None:
            raise BadRequest(f"{attribute!r} is not an attribute of a {object_type}")
        if not value.isprintable():
            raise BadRequest(f"the value of {attribute} holds a control character")
        if attribute == "type":
            if value.strip().lower() != object_type:
                raise BadRequest(f"type is {value!r}, not {object_type}")
            continue
        found.append((attribute, _as_written(entry.kind, value.strip())))
    return tuple(found)


def _as_written(kind: Kind, value: str) -> str:
    """A value as a file has it, where `attributes` shows it in another form."""
    if isinstance(kind, Codecs) and value.startswith("(") and value.endswith(")"):
        return "" if value == NO_CODECS else value[1:-1].replace("|", ",")
    return "" if value == UNKNOWN_CALLER else value


def _merged(object_type: str, before: Fields, given: Fields) -> Fields:
    """Former attributes without those that are given anew; codecs build on what they were, as in a file."""
    known = _names(object_type)
    anew = {known[name].field for name, _ in given if not isinstance(known[name].kind, Codecs)}
    return (*((name, value) for name, value in before if known[name].field not in anew), *given)


def _made(object_type: str, name: str, fields: Fields, durable: bool) -> _Made:
    """The object that attributes describe. 400 with everything that is wrong with them."""
    known = _names(object_type)
    options = tuple(Option(attribute, value, ORIGIN, 0) for attribute, value in fields)
    section = Section(name, (Option("type", object_type, ORIGIN, 0), *options), ORIGIN, 0)
    report = Report()
    tree = read_pjsip(ConfFile(ORIGIN, (section,)), report)
    settings: Settings = getattr(tree, TYPES[object_type][0])[name]
    _check_uris(settings, report)
    errors = [problem.message for problem in report.problems if problem.severity == "error"]
    if errors:
        raise BadRequest("; ".join(errors))
    for problem in report.problems:
        log.warning("%s %r: %s", object_type, name, problem.message)
    codecs = {attribute for attribute, entry in known.items() if isinstance(entry.kind, Codecs)}
    if isinstance(settings, Endpoint) and any(attribute in codecs for attribute, _ in fields):
        rest = [(attribute, value) for attribute, value in fields if attribute not in codecs]
        fields = (*rest, ("allow", ",".join(settings.allow)))
    return _Made(fields, settings, durable)


def _check_uris(settings: Settings, report: Report) -> None:
    """Report what a file is refused for when it is looked at as a whole."""
    uris: list[tuple[str, str]] = []
    if isinstance(settings, Aor):
        uris = [("contact", uri) for uri in settings.contact]
        least, most = settings.minimum_expiration, settings.maximum_expiration
        if least > most:
            report.error(settings, f"minimum_expiration {least} is above maximum_expiration {most}")
    elif isinstance(settings, Registration):
        uris = [("server_uri", settings.server_uri), ("client_uri", settings.client_uri)]
    for attribute, uri in uris:
        if not uri.lower().startswith(("sip:", "sips:")):
            report.error(settings, f"{attribute} {uri or 'without value'} does not begin with sip: or sips:")


def attributes(settings: Settings) -> list[snapshots.ConfigTuple]:
    """Every attribute of an object in the spelling of Asterisk; secrets too, as there."""
    shown: list[snapshots.ConfigTuple] = []
    for entry in declared(type(settings)):
        if entry.field == "type":
            continue
        value = getattr(settings, entry.field)
        for name in entry.names:
            shown.extend(snapshots.ConfigTuple(name, text) for text in _texts(entry.kind, name, value))
    return shown


def _texts(kind: Kind, name: str, value: Any) -> list[str]:
    """The texts of one attribute: one, or for variables one each."""
    match kind:
        case Variables():
            return [f"{variable}={content}" for variable, content in value]
        case AccessList():
            permit = name.endswith("permit")
            return [",".join(str(rule.network) for rule in value if rule.permit is permit)]
        case Codecs():
            return [f"({'|'.join(value)})" if value else NO_CODECS] if name == "allow" else [""]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, CallerId):
        return str(value) or UNKNOWN_CALLER
    return "" if value is None else str(value)
