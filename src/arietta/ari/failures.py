"""The failures that operations declare: which `Refused` is raised, and what clients read about it.

The code of an answer is that of the exception; the reason is for the documents.
"""

from typing import NamedTuple

from arietta import errors


class Failure(NamedTuple):
    """One way an operation may be refused."""

    kind: type[errors.Refused]
    reason: str

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.kind.status


CHANNEL_NOT_FOUND = Failure(errors.NotFound, "Channel not found.")
BRIDGE_NOT_FOUND = Failure(errors.NotFound, "Bridge not found.")
APPLICATION_NOT_FOUND = Failure(errors.NotFound, "Application does not exist.")
CHANNEL_OR_APPLICATION_NOT_FOUND = Failure(errors.NotFound, "Channel or application not found.")
CHANNEL_OR_BRIDGE_NOT_FOUND = Failure(errors.NotFound, "Bridge or channel not found.")
PLAYBACK_NOT_FOUND = Failure(errors.NotFound, "The playback cannot be found.")
RECORDING_NOT_FOUND = Failure(errors.NotFound, "Recording not found.")
ENDPOINT_NOT_FOUND = Failure(errors.NotFound, "Endpoint not found.")
MAILBOX_NOT_FOUND = Failure(errors.NotFound, "Mailbox not found.")
MODULE_NOT_FOUND = Failure(errors.NotFound, "Module could not be found in running modules.")
LOG_CHANNEL_NOT_FOUND = Failure(errors.NotFound, "Log channel does not exist.")
OBJECT_NOT_FOUND = Failure(errors.NotFound, "No such class, type or object of the configuration.")
DEVICE_NAME_MISSING = Failure(errors.NotFound, "Device name is missing.")
SOUND_NOT_FOUND = Failure(errors.NotFound, "No such sound is installed.")
VARIABLE_NOT_FOUND = Failure(errors.NotFound, "Channel or variable not found.")
BRIDGE_VARIABLE_NOT_FOUND = Failure(errors.NotFound, "Bridge or variable not found.")
PLACE_NOT_FOUND = Failure(errors.NotFound, "The label does not exist at that place of the dialplan.")

INVALID_PARAMETERS = Failure(errors.BadRequest, "Invalid parameters.")
MISSING_PARAMETER = Failure(errors.BadRequest, "A required parameter is missing.")
MISSING_VARIABLE = Failure(errors.BadRequest, "Missing variable parameter.")
EVENT_SOURCE_INVALID = Failure(errors.BadRequest, "Missing parameter, or event source scheme unknown.")
BODY_INVALID = Failure(errors.BadRequest, "The body is not what the operation takes.")
DTMF_REQUIRED = Failure(errors.BadRequest, "DTMF is required.")
REASON_INVALID = Failure(errors.BadRequest, "Invalid reason for hangup provided.")
DIRECTION_INVALID = Failure(errors.BadRequest, "Invalid direction specified.")
CHANNEL_UNKNOWN = Failure(errors.BadRequest, "A channel that was named does not exist.")
OPERATION_UNKNOWN = Failure(errors.BadRequest, "The operation parameter is unknown.")
CONFIGURATION_REQUIRED = Failure(errors.BadRequest, "Missing configuration of the log channel.")

NOT_IN_STASIS = Failure(errors.Conflict, "Channel not in a Stasis application.")
NOT_DIALABLE = Failure(errors.Conflict, "Channel is not in a state to be dialled.")
ID_TAKEN = Failure(errors.Conflict, "An object with this identifier exists already.")
BRIDGE_NOT_CONTROLLED = Failure(errors.Conflict, "Bridge not in a Stasis application.")
BRIDGE_BUSY = Failure(errors.Conflict, "Bridge not in a Stasis application, or a channel is being recorded.")
RECORDING_EXISTS = Failure(errors.Conflict, "A recording with this name exists already or is being made.")
RECORDING_IDLE = Failure(errors.Conflict, "Recording not in session.")
PLAYBACK_STATE = Failure(errors.Conflict, "The operation cannot be done in the playback's state.")
DEVICE_UNCONTROLLED = Failure(errors.Conflict, "Uncontrolled device specified.")
MODULE_UNUSABLE = Failure(errors.Conflict, "The module is in a state that does not allow it.")
LOG_CHANNEL_EXISTS = Failure(errors.Conflict, "Log channel exists already or cannot be opened.")
SUBSCRIPTION_CONFLICT = Failure(errors.Conflict, "Application is not subscribed to the event source.")
ALREADY_CLAIMED = Failure(errors.Conflict, "Channel is claimed already.")

INVALID_STATE = Failure(errors.InvalidState, "Channel in invalid state.")

EVENT_SOURCE_NOT_FOUND = Failure(errors.Unprocessable, "Event source does not exist.")
FORMAT_UNKNOWN = Failure(errors.Unprocessable, "The format specified is unknown on this system.")
CHANNEL_NOT_IN_STASIS = Failure(errors.Unprocessable, "Channel not in a Stasis application.")
CHANNEL_NOT_IN_BRIDGE = Failure(errors.Unprocessable, "Channel is not in this bridge.")
ENDPOINT_UNSUITABLE = Failure(errors.Unprocessable, "Endpoint is not of the channel's technology.")

CONFIGURATION_READ_ONLY = Failure(errors.Forbidden, "The object cannot be changed by this interface.")
FILE_FORBIDDEN = Failure(errors.Forbidden, "The recording's file cannot be opened.")
OUTSIDE_OF_FOLDER = Failure(errors.Forbidden, "The name leads out of the recordings' folder.")
NO_RTP = Failure(errors.Forbidden, "Channels of this technology have no RTP.")

FAILED = Failure(errors.ServerFailure, "The server could not do it.")
ALLOCATION_FAILED = Failure(errors.AllocationFailed, "What was to be made could not be made.")
UNSUPPORTED = Failure(errors.NotSupported, "The combination is not supported.")
