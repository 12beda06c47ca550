"""The frame of a program in one file: its options, its connection, its end by Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from .client import Client
from .errors import ClientError

Serve = Callable[[Client, str], Awaitable[None]]


def program(serve: Serve, description: str, app: str, arguments: Sequence[str] | None = None) -> int:
    """Run `serve(client, application)` until it ends or Ctrl-C; gives the exit code.

    Options: --url, --user, --password (else ARI_PASSWORD of the environment), --app.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8088/ari", help="where the server is (%(default)s)")
    parser.add_argument("--user", default="asterisk", help="user of ari.conf (%(default)s)")
    parser.add_argument("--password", help="password of the user (ARI_PASSWORD of the environment, else asterisk)")
    parser.add_argument("--app", default=app, help="name of the application (%(default)s)")
    options = parser.parse_args(arguments)
    password = options.password or os.environ.get("ARI_PASSWORD", "asterisk")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        asyncio.run(_serve(serve, options.url, options.user, password, options.app))
    except KeyboardInterrupt:
        return 0
    except (ClientError, ValueError) as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 1
    return 0


async def _serve(serve: Serve, url: str, user: str, password: str, app: str) -> None:
    async with Client(url, user, password) as ari:
        await serve(ari, app)
