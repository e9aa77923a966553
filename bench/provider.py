"""A provider of SMS that takes everything and remembers what, for the benchmark of the outbox; `python -m bench.provider PORT`."""

import json
import sys
from collections import Counter
from itertools import count
from urllib.parse import parse_qs

import uvloop
from aiohttp import web

TYPE = {"Content-Type": "application/json"}  # exactly this, or the SDK does not read it


def application() -> web.Application:
    """Africa's Talking's address for messages, and one that tells what was taken since it was last asked."""
    taken: Counter[str] = Counter()
    ids = count(1)

    async def messaging(request: web.Request) -> web.Response:
        fields = parse_qs((await request.read()).decode())
        (number,), (text,) = fields["to"], fields["message"]
        taken[text] += 1
        recipient = {"statusCode": 101, "number": number, "status": "Success", "cost": "KES 0.8000"}
        said = {"Message": "Sent to 1/1", "Recipients": [{**recipient, "messageId": f"ATXid_{next(ids):032x}"}]}
        return web.Response(status=201, body=json.dumps({"SMSMessageData": said}).encode(), headers=TYPE)

    async def heard(_: web.Request) -> web.Response:
        told = {"requests": taken.total(), "different": len(taken)}
        taken.clear()
        return web.Response(body=json.dumps(told).encode(), headers=TYPE)

    app = web.Application()
    app.add_routes([web.post("/version1/messaging", messaging), web.get("/heard", heard)])
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), print=None)
