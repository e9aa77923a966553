"""SMS on the wire as Africa's Talking puts them there: one that was written, and the report of one that came."""

from datetime import UTC, datetime

from aiohttp import ClientSession

from web.simulator.line import Line, Reply, new_id, post, written


async def send(http: ClientSession, line: Line, text: str) -> Reply:
    """Write `text` to the gateway."""
    form = {
        "linkId": "",
        "text": text,
        "to": line.sms_code,
        "id": new_id("ATXid_"),
        "date": written(datetime.now(UTC)),
        "from": line.number,
        "networkCode": line.network,
    }
    return await post(http, line.inbound, form)


async def report(http: ClientSession, line: Line, sms: str) -> Reply:
    """Tell the gateway that the SMS with this id is on the phone."""
    form = {
        "phoneNumber": line.number,
        "retryCount": "0",
        "id": sms,
        "status": "Success",
        "networkCode": line.network,
    }
    return await post(http, line.delivery, form)
