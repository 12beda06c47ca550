"""A whole server on the virtual loop: its media on virtual time, its sockets on the virtual network.

server = await start(folder)      # the folder holds http.conf, ari.conf, pjsip.conf, extensions.conf ...
...
await server.stop()

What it writes (its store, recordings, spool) goes into `state` in the folder.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from arietta.config.tree import load
from arietta.media.engine import MediaEngine
from arietta.server import Server
from arietta.server.audio import engine_settings

from .loop import VirtualLoop
from .media import VirtualEngine

__all__ = ["start"]


async def start(folder: Path, *, native: bool = False) -> Server:
    """Start a server with the configuration of a folder; `stop()` ends it. ConfigError, OSError as the server's.

    `native`: its audio is carried by the engine in C, which can encrypt; the module must have been built.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TypeError(f"a virtual server runs on a VirtualLoop, not on {type(loop).__name__}")
    config = load(folder, {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")})
    engine: MediaEngine
    if native:
        from .native_media import VirtualNativeEngine

        engine = VirtualNativeEngine(loop, engine_settings(config))
    else:
        engine = VirtualEngine(loop, engine_settings(config))
    server = Server(config, engine=engine)
    await server.start()
    return server
