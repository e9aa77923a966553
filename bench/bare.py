"""The least that aiohttp can do with a callback: read the form, touch nothing, say hello."""

import sys

import uvloop
from aiohttp import web

from bench.session import HELLO, ROUTE


async def hello(request: web.Request) -> web.Response:
    """The same to everybody."""
    await request.post()
    return web.Response(text=HELLO)


def main() -> None:
    """Serve on the loopback port that is given, until terminated."""
    app = web.Application()
    app.add_routes([web.post(ROUTE, hello)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), access_log=None, print=None)


if __name__ == "__main__":
    main()
