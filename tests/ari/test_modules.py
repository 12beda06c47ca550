"""Modules: what is listed, what can be switched, and what the dialplan knows afterwards."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from arietta.ari.behaviour.modules import PARTS, Modules
from arietta.config.conf import ConfigError, Problem
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.functions.standard import standard_functions
from arietta.errors import Refused


class Stage:
    """Modules over the dialplan's own registries; `channels` are in the applications they name."""

    def __init__(self) -> None:
        self.applications = standard_applications()
        self.functions = standard_functions()
        self.channels: list[Any] = []
        self.reloaded: list[str] = []
        self.refuse_reload = False
        self.modules = Modules(
            self.applications, self.functions, self.channels, use_count=lambda name: 7, reload=self._reload
        )

    def _reload(self, module: str) -> None:
        if self.refuse_reload:
            raise ConfigError((Problem("musiconhold.conf", 3, "error", "mode is unknown"),))
        self.reloaded.append(module)

    def names(self) -> list[str]:
        return [module.name for module in self.modules.list()]

    def status(self, operation: str, name: str) -> int:
        """The status a refusal is answered with; 204 without one."""
        try:
            getattr(self.modules, operation)(name)
        except Refused as refusal:
            assert name in refusal.message
            return refusal.status
        return 204


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield Stage()


def test_modules_are_listed_by_name_with_the_parts_there_are(stage: Stage) -> None:
    names = stage.names()
    assert names == sorted(names)
    assert {"res_ari.so", "res_pjsip.so", "app_echo.so", "app_morsecode.so", "func_channel.so"} <= set(names)
    assert "app_stasis.so" not in names  # this dialplan has no Stasis()


def test_an_application_leaves_the_dialplan_and_comes_back(stage: Stage) -> None:
    assert stage.status("unload", "app_morsecode.so") == 204
    assert stage.applications.get("morsecode") is None
    assert "app_morsecode.so" not in stage.names()
    assert [stage.status(what, "app_morsecode.so") for what in ("get", "unload", "reload")] == [404, 404, 404]
    assert [stage.status("load", "app_morsecode.so") for _ in range(2)] == [204, 409]
    assert stage.applications.get("morsecode") is not None
    assert stage.modules.get("app_morsecode.so").status == "Running"


def test_functions_go_with_their_module(stage: Stage) -> None:
    stage.modules.unload("app_stack.so")
    assert "Gosub" not in stage.applications and "LOCAL" not in stage.functions
    stage.modules.load("app_stack.so")
    assert "Gosub" in stage.applications and "LOCAL" in stage.functions
    stage.modules.unload("func_math.so")
    assert "MATH" not in stage.functions and "LEN" in stage.functions


def test_what_a_channel_executes_stays(stage: Stage) -> None:
    stage.channels += [SimpleNamespace(app_name="ECHO"), SimpleNamespace(app_name="Wait"), SimpleNamespace(app_name="")]
    assert stage.modules.get("app_echo.so").use_count == 1
    assert stage.status("unload", "app_echo.so") == 409
    assert "Echo" in stage.applications
    stage.channels.clear()
    assert stage.status("unload", "app_echo.so") == 204


@pytest.mark.parametrize(
    "name", ["res_ari.so", "res_ari_channels.so", "res_pjsip.so", "chan_pjsip.so", "codec_ulaw.so"]
)
def test_fixed_parts_cannot_be_unloaded(stage: Stage, name: str) -> None:
    assert stage.status("unload", name) == 409
    assert stage.status("load", name) == 409
    assert stage.modules.get(name).use_count == 7


def test_names_that_are_none(stage: Stage) -> None:
    statuses = {what: stage.status(what, "nonsense.so") for what in ("get", "load", "unload", "reload")}
    assert statuses == {"get": 404, "load": 409, "unload": 404, "reload": 404}
    assert stage.status("get", "res_ari") == 409
    assert stage.status("load", "app_stasis.so") == 409


def test_reload_reads_the_files_or_says_why_not(stage: Stage) -> None:
    assert stage.status("reload", "res_musiconhold.so") == 204
    assert stage.reloaded == ["res_musiconhold.so"]
    assert stage.status("reload", "app_echo.so") == 409
    stage.refuse_reload = True
    with pytest.raises(Refused, match=r"keeps its configuration: musiconhold\.conf line 3: mode is unknown"):
        stage.modules.reload("res_musiconhold.so")


def test_every_application_belongs_to_one_module_at_most() -> None:
    applications = [name for part in PARTS.values() for name in part.applications]
    functions = [name for part in PARTS.values() for name in part.functions]
    assert len(applications) == len(set(applications))
    assert len(functions) == len(set(functions))


def test_what_is_here_has_a_module_where_asterisk_has_it_in_one(stage: Stage) -> None:
    assert {"func_lock.so", "func_math.so", "app_while.so", "res_agi.so"} <= set(stage.names())
    assert "app_queue.so" not in stage.names()
    stage.modules.unload("func_lock.so")
    assert "TRYLOCK" not in stage.functions
    stage.modules.load("func_lock.so")
    assert "TRYLOCK" in stage.functions


def test_whether_a_module_is_at_work_is_asked_with_and_without_its_suffix(stage: Stage) -> None:
    assert stage.modules.runs("app_echo.so") and stage.modules.runs("app_echo")
    assert not stage.modules.runs("app_nothing.so")
    stage.modules.unload("app_echo.so")
    assert not stage.modules.runs("app_echo.so")
