"""Messages of Amazon SNS: what is signed by one of our topics is accepted, and nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.http.client import NoResponseError
from core.http.sns import SnsRejectedError, SnsUnavailableError, SnsVerifier
from tests.fakes.sns_topic import CERTIFICATE_URL, HOST, TOPIC, SnsTopic


@pytest.fixture(scope="module")
def topic():
    return SnsTopic()


@pytest.fixture
def verifier(topic):
    topic.requests, topic.is_down = [], False
    return SnsVerifier([TOPIC], topic.answer)


async def verify(verifier, message):
    return await verifier.verify(json.dumps(message).encode())


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "payment"}])
async def test_a_message_of_our_topic_is_accepted_in_both_versions_of_the_signature(topic, verifier, version, subject):
    message = await verify(verifier, topic.notify("{}", SignatureVersion=version, **subject))
    assert (message.kind, message.topic, message.text) == ("Notification", TOPIC, "{}")
    assert message.is_current(datetime.now(UTC))


async def test_a_certificate_is_fetched_once_until_it_ends(topic, verifier):
    for _ in range(3):
        await verify(verifier, topic.notify("{}"))
    assert topic.requests == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "key", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "SignatureVersion", "Subject"]
)
async def test_a_message_that_was_changed_after_it_was_signed_is_refused(topic, verifier, key):
    changed = {"Timestamp": "2026-11-30T10:00:00.000Z", "Type": "SubscriptionConfirmation", "SignatureVersion": "2"}
    message = {**topic.notify("{}"), key: changed.get(key, "AAAA")}
    with pytest.raises(SnsRejectedError):
        await verify(verifier, message)


@pytest.mark.parametrize(
    "address",
    [
        "https://sns.ap-southeast-1.amazonaws.com.evil.example/x.pem",
        "https://sns.attacker.example/x.pem",
        "https://sns.ap-southeast-1.amazonaws.com@evil.example/x.pem",
        "https://sns.ap-southeast-1.amazonaws.com:8443/x.pem",
        "http://sns.ap-southeast-1.amazonaws.com/x.pem",
        "https://evil.s3.ap-southeast-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem",
        f"{HOST}/x.pem?y=.pem",
        f"{HOST}/../x.pem",
        f"{HOST}/x.txt",
        f"{HOST}/x.pem\n",
        "",
    ],
)
async def test_a_certificate_from_elsewhere_is_not_even_fetched(topic, verifier, address):
    with pytest.raises(SnsRejectedError, match="certificate_url"):
        await verify(verifier, topic.notify("{}", SigningCertURL=address))
    assert topic.requests == []


async def test_the_message_of_another_topic_is_refused_before_anything_is_fetched(topic, verifier):
    other = TOPIC.replace("bpt_01823072645", "bpt_01999999999")
    with pytest.raises(SnsRejectedError, match="topic"):
        await verify(verifier, topic.notify("{}", TopicArn=other))
    assert topic.requests == []


async def test_a_signature_of_another_key_is_refused(topic, verifier):
    with pytest.raises(SnsRejectedError, match="signature"):
        await verify(verifier, SnsTopic().notify("{}"))


@pytest.mark.parametrize("version", ["3", "", "01"])
async def test_a_version_that_amazon_does_not_have_is_refused(topic, verifier, version):
    with pytest.raises(SnsRejectedError, match="signature"):
        await verify(verifier, topic.notify("{}", SignatureVersion=version))


async def test_a_certificate_that_has_ended_is_refused():
    topic = SnsTopic(ends=datetime.now(UTC) - timedelta(minutes=1))
    with pytest.raises(SnsRejectedError, match="certificate"):
        await verify(SnsVerifier([TOPIC], topic.answer), topic.notify("{}"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"Type":["Notification"]}', b'{"Type":"Other"}'])
async def test_what_is_no_message_is_refused(verifier, body):
    with pytest.raises(SnsRejectedError, match="form"):
        await verifier.verify(body)


@pytest.mark.parametrize("stamp", ["yesterday", "2026-11-30T10:00:00", ""])
async def test_a_message_without_a_time_is_refused(topic, verifier, stamp):
    with pytest.raises(SnsRejectedError, match="form"):
        await verify(verifier, topic.notify("{}", Timestamp=stamp))


@pytest.mark.parametrize(("hours", "is_current"), [(0, True), (-24 * 13, True), (-24 * 15, False), (2, False)])
async def test_a_message_may_come_late_and_not_from_the_future(topic, verifier, hours, is_current):
    now = datetime.now(UTC)
    message = await verify(verifier, topic.notify("{}", Timestamp=(now + timedelta(hours=hours)).isoformat()))
    assert message.is_current(now) is is_current


async def test_nothing_is_known_of_a_message_while_amazon_does_not_answer(topic, verifier):
    topic.is_down = True
    with pytest.raises(SnsUnavailableError):
        await verify(verifier, topic.notify("{}"))

    async def fail(_):
        raise NoResponseError(never_arrived=False)

    with pytest.raises(SnsUnavailableError):
        await verify(SnsVerifier([TOPIC], fail), topic.notify("{}"))


async def test_a_subscription_is_confirmed_at_amazon_alone(topic, verifier):
    await verifier.confirm_subscription(await verify(verifier, topic.invite()))
    assert len(topic.confirmed) == 1
    for address in (
        "https://evil.example/?Action=ConfirmSubscription&Token=1",
        f"{HOST}.evil.example/?Action=ConfirmSubscription&Token=1",
        f"{HOST}/?Action=Unsubscribe&Token=1",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        "http://169.254.169.254/latest/meta-data",
    ):
        message = await verify(verifier, topic.invite(SubscribeURL=address))
        with pytest.raises(SnsRejectedError, match="subscribe_url"):
            await verifier.confirm_subscription(message)
    assert len(topic.confirmed) == 1
    topic.is_down = True
    with pytest.raises(SnsUnavailableError):
        await verifier.confirm_subscription(await verify(verifier, topic.invite()))
