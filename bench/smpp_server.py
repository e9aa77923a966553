"""The SMSC of `bench.smpp`: the server of `smpp34` on 127.0.0.1, which accepts whatever is submitted, until stdin ends."""

import asyncio
import json
import os
import socket
import sys
from itertools import count

import smpp34


async def accept_all(server: smpp34.Server) -> None:
    """Accept every submit, each with an id of its own."""
    for number in count():
        event = await server.next()
        if isinstance(event, smpp34.SubmitSmEvent):
            event.accept(f"m{number}")


async def main() -> None:
    """Serve until stdin ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server = smpp34.Server("127.0.0.1", port, inbound_capacity=10_000)
    await server.start()
    sys.stdout.write(json.dumps({"event": "listening", "port": port}) + "\n")
    sys.stdout.flush()
    accepting = asyncio.create_task(accept_all(server))
    await asyncio.to_thread(sys.stdin.read)
    accepting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)  # the package now and then ends the process with an error when the interpreter stops
