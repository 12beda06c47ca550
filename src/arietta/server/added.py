"""What the server adds to the dialplan's own applications and functions, for whoever reads of it without a server."""

from __future__ import annotations

from arietta.server import bridging, dialplan, dns_functions, moving, pjsip_functions, records

APPLICATIONS = (*dialplan.APPLICATIONS, bridging.BRIDGE, *moving.APPLICATIONS, *records.APPLICATIONS)
FUNCTIONS = (*dialplan.FUNCTIONS, *dns_functions.FUNCTIONS, *pjsip_functions.FUNCTIONS, *records.FUNCTIONS)
