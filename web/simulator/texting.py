"""An inbound SMS and a delivery report in Africa's Talking's wire format."""

from datetime import UTC, datetime

from aiohttp import ClientSession

from web.simulator.sim_card import SimCard, WebhookResponse, format_timestamp, new_id, post_webhook


async def send_sms(http: ClientSession, sim_card: SimCard, text: str) -> WebhookResponse:
    """Send `text` to the gateway; its response."""
    form = {
        "linkId": "",
        "text": text,
        "to": sim_card.sms_code,
        "id": new_id("ATXid_"),
        "date": format_timestamp(datetime.now(UTC)),
        "from": sim_card.msisdn,
        "networkCode": sim_card.network_code,
    }
    return await post_webhook(http, sim_card.sms_path, form)


async def report_delivery(http: ClientSession, sim_card: SimCard, sms_id: str) -> WebhookResponse:
    """Report to the gateway that the SMS with this id is delivered; its response."""
    form = {
        "phoneNumber": sim_card.msisdn,
        "retryCount": "0",
        "id": sms_id,
        "status": "Success",
        "networkCode": sim_card.network_code,
    }
    return await post_webhook(http, sim_card.delivery_path, form)
