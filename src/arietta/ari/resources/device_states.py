"""States of devices."""

from collections.abc import Sequence
from typing import Annotated, cast

from arietta.errors import Conflict, NotFound, ServerFailure
from arietta.model.snapshots import DeviceState, DeviceStateValue
from arietta.model.wire import Encoded

from ..contract import Path, Query, operation
from ..domain import DeviceStates as Domain
from ..domain import Soon
from ..failures import DEVICE_NAME_MISSING, DEVICE_UNCONTROLLED, FAILED

DeviceName = Annotated[str, Path("deviceName", "Name of the device.")]
STATES = ("NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD")
OWN_SCHEME = "stasis:"


class DeviceStates:
    """Device state resources"""

    NAME = "deviceStates"

    def __init__(self, device_states: Domain) -> None:
        self._device_states = device_states

    @operation("GET", "/deviceStates", nickname="list", since=("12.0.0",))
    def list(self) -> Sequence[DeviceState | Encoded] | Encoded:
        """List all device states that are controlled here."""
        return self._device_states.list()

    @operation("GET", "/deviceStates/{deviceName}", nickname="get", since=("12.0.0",))
    def get(self, *, device_name: DeviceName) -> DeviceState | Encoded:
        """Retrieve the current state of a device."""
        return self._device_states.get(device_name)

    @operation(
        "PUT",
        "/deviceStates/{deviceName}",
        nickname="update",
        since=("12.0.0",),
        failures=(DEVICE_NAME_MISSING, DEVICE_UNCONTROLLED),
        undocumented=(FAILED,),
    )
    def update(
        self,
        *,
        device_name: DeviceName,
        device_state: Annotated[str | None, Query("deviceState", "State to set.", values=STATES, required=True)] = None,
    ) -> Soon[None]:
        """Change the state of a device that is controlled here, and make it if need be.

        Only devices named `Stasis:NAME` are; the state may be written in any case.
        """
        _refuse_uncontrolled(device_name)
        state = (device_state or "").upper()
        if state not in STATES:
            raise ServerFailure(f"Device state {device_state or 'none'} cannot be set")
        return self._device_states.update(device_name, cast(DeviceStateValue, state))

    @operation(
        "DELETE",
        "/deviceStates/{deviceName}",
        nickname="delete",
        since=("12.0.0",),
        failures=(DEVICE_NAME_MISSING, DEVICE_UNCONTROLLED),
    )
    def delete(self, *, device_name: DeviceName) -> Soon[None]:
        """Destroy a device that is controlled here."""
        _refuse_uncontrolled(device_name)
        return self._device_states.delete(device_name)


def _refuse_uncontrolled(name: str) -> None:
    if not name.lower().startswith(OWN_SCHEME):
        raise Conflict(f"Uncontrolled device specified: {name}")
    if len(name) == len(OWN_SCHEME):
        raise NotFound("Device name is missing")
