"""The server: the composition root, the only package that knows every part.

server = Server(load(Path("etc")))
await server.start()
...
await server.stop(drain_seconds=10)
"""

from arietta.server.reloading import ReloadReport
from arietta.server.server import Server

__all__ = ["ReloadReport", "Server"]
