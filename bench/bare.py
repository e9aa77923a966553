"""The least that aiohttp can do with a webhook: read the form and respond with a fixed text."""

import sys

import uvloop
from aiohttp import web

from bench.session import HELLO_REPLY, USSD_ROUTE


async def hello(request: web.Request) -> web.Response:
    """Respond to every request with the same text."""
    await request.post()
    return web.Response(text=HELLO_REPLY)


def main() -> None:
    """Serve on the given loopback port until terminated."""
    app = web.Application()
    app.add_routes([web.post(USSD_ROUTE, hello)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), access_log=None, print=None)


if __name__ == "__main__":
    main()
