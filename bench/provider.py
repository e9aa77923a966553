"""An SMS provider that accepts every message and counts them, for bench.outbox. `python -m bench.provider PORT`."""

import json
import sys
from collections import Counter
from itertools import count
from urllib.parse import parse_qs

import uvloop
from aiohttp import web

JSON_HEADERS = {"Content-Type": "application/json"}  # the SDK parses no other


def build_app() -> web.Application:
    """Return an application with the message route of Africa's Talking, and `/counts`: the counts since its last request."""
    taken: Counter[str] = Counter()
    ids = count(1)

    async def messaging(request: web.Request) -> web.Response:
        fields = parse_qs((await request.read()).decode())
        (number,), (text,) = fields["to"], fields["message"]
        taken[text] += 1
        recipient = {"statusCode": 101, "number": number, "status": "Success", "cost": "KES 0.8000"}
        said = {"Message": "Sent to 1/1", "Recipients": [{**recipient, "messageId": f"ATXid_{next(ids):032x}"}]}
        return web.Response(status=201, body=json.dumps({"SMSMessageData": said}).encode(), headers=JSON_HEADERS)

    async def report_counts(_: web.Request) -> web.Response:
        counts = {"requests": taken.total(), "different": len(taken)}
        taken.clear()
        return web.Response(body=json.dumps(counts).encode(), headers=JSON_HEADERS)

    app = web.Application()
    app.add_routes([web.post("/version1/messaging", messaging), web.get("/counts", report_counts)])
    return app


if __name__ == "__main__":
    web.run_app(build_app(), host="127.0.0.1", port=int(sys.argv[1]), loop=uvloop.new_event_loop(), print=None)
