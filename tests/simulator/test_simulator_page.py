"""The phone in a real Chromium: what a person presses, what the display shows, and what goes over the wire."""

import asyncio
import itertools
import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, Page, expect

from screens.alphabet import septets, units
from tests.simulator.phone_page import Phone
from tests.simulator.scripted_gateway import MENU, NUMBER, SCREENS, Gateway, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 10.0  # seconds; a test that waits longer has failed
CODE = "482913 is your Ekdial code. It works for 10 minutes. Never tell it to anyone."


@pytest.fixture
def phone(page: Page) -> Phone:
    return Phone(page)


async def until_told(gateway: Gateway, count: int = 1) -> dict[str, str]:
    async with asyncio.timeout(PATIENCE):
        while len(gateway.events) < count:
            gateway.told.clear()
            await gateway.told.wait()
    return gateway.events[-1]


def said(path: str) -> str:
    return SCREENS[path].split(" ", 1)[1]


# --- dialling ---


async def test_the_keypad_dials_the_code_and_the_display_shows_the_answer(phone: Phone, gateway: Gateway) -> None:
    await phone.press(*"*123#")
    await expect(phone.dialled).to_have_text("*123#")
    await phone.soft_keys("Call", "Clear")
    await phone.press("call")
    await phone.shows(said(""))
    await phone.soft_keys("Send", "Cancel")


async def test_a_hop_is_on_the_wire_what_the_provider_puts_there(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.answers("1")
    await phone.shows(said("1"))
    await phone.answers("2")
    await phone.shows(said("1*2"))
    session = gateway.hops[0]["sessionId"]
    assert re.fullmatch(r"ATUid_[0-9a-f]{32}", session)
    paths = ["", "1", "1%2A2"]
    assert gateway.bodies == [
        f"phoneNumber=%2B8801700000001&serviceCode=%2A123%23&text={path}&sessionId={session}&networkCode=47001"
        for path in paths
    ]
    assert gateway.brought == [None, "welcome", "step 0"]


async def test_dialling_deeper_goes_straight_there(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*2*123456789012#")
    await phone.shows(said("2*123456789012"))
    await phone.answers("1")
    await phone.shows("Sent.")
    assert [hop["text"] for hop in gateway.hops] == ["2*123456789012", "2*123456789012*1"]
    assert {hop["serviceCode"] for hop in gateway.hops} == {"*123#"}


async def test_a_code_of_nobodys_never_leaves_the_phone(phone: Phone, gateway: Gateway) -> None:
    for code in ("*999#", "123", "*123", "*1234#", "#"):
        await phone.dials(code)
        await expect(phone.text).to_have_text("Connection problem or invalid MMI code.")
        await phone.press("left")
        await phone.showing("idle")
    assert gateway.bodies == []


async def test_a_mistyped_digit_is_corrected_and_a_long_press_clears_all(phone: Phone) -> None:
    await phone.press(*"*1243")
    await phone.press("right", "right")
    await expect(phone.dialled).to_have_text("*12")
    await phone.hold("right")
    await phone.showing("idle")


async def test_a_long_zero_is_a_plus(phone: Phone) -> None:
    await phone.hold("0")
    await expect(phone.dialled).to_have_text("+")


async def test_the_shortcut_and_the_green_key_dial_again(phone: Phone, gateway: Gateway) -> None:
    await phone.soft_keys("Messages", "*123#")
    await phone.press("right", "call")
    await phone.shows(said(""))
    await phone.press("end", "call")
    await expect(phone.dialled).to_have_text("*123#")
    await phone.press("call")
    await phone.shows(said(""))
    assert gateway.hops[0]["sessionId"] != gateway.hops[1]["sessionId"]


# --- in a call ---


async def test_the_text_is_shown_exactly(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.answer.fill("Amina Begum")
    await phone.press("call")
    await phone.shows("Thank you,   Amina Begum.\n\nDial again.")
    assert await phone.text.evaluate("node => getComputedStyle(node).whiteSpace") == "pre-wrap"


async def test_letters_are_tapped_as_on_a_feature_phone(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.press("#")
    await expect(phone.page.locator("#mode")).to_have_text("Abc")
    await phone.taps("26444662022334886")
    await expect(phone.answer).to_have_value("Amina Begum")
    await phone.press("left")
    await phone.shows(said("1*5*Amina Begum"))


async def test_a_letter_stands_when_its_key_rests_for_a_second(phone: Phone) -> None:
    typed = await phone.page.evaluate(
        """async () => {
            const {hear, newHandset, press} = await import("/simulator/handset.js");
            const asked = hear(newHandset("*123#"), {kind: "CON", text: "Type your name"});
            const pressed = [["#", 0], ["#", 0], ["2", 0], ["2", 900], ["2", 2000], ["2", 2900], ["2", 3800], ["2", 4700]];
            return pressed.reduce((phone, [key, now]) => press(phone, key, {now})[0], asked).answer.text;
        }"""
    )
    assert typed == "b2"


async def test_the_hash_key_goes_round_the_modes_and_a_long_press_writes_the_digit(phone: Phone) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.press("#", "#", "2")
    await expect(phone.answer).to_have_value("a")
    await phone.hold("7")
    await expect(phone.answer).to_have_value("a7")
    await phone.press("#", "2", "*")
    await expect(phone.answer).to_have_value("a72*")


async def test_the_pad_moves_about_in_the_answer(phone: Phone) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.press("1", "3", "back", "2")
    await expect(phone.answer).to_have_value("123")
    await phone.press("on", "4", "back", "back", "right")
    await expect(phone.answer).to_have_value("134")


async def test_clear_takes_a_character_and_cancel_the_call(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.press("1")
    await phone.soft_keys("Send", "Clear")
    await phone.press("right")
    await phone.soft_keys("Send", "Cancel")
    await phone.press("right")
    await phone.showing("idle")
    assert (await until_told(gateway))["status"] == "Incomplete"


async def test_nothing_is_sent_where_nothing_was_typed(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.press("left", "call", "ok")
    await phone.showing("asking")
    assert len(gateway.hops) == 1


async def test_the_red_key_tells_the_gateway_as_the_provider_does(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.answers("1")
    await phone.shows(said("1"))
    await phone.press("end")
    await phone.showing("idle")
    event = await until_told(gateway)
    assert int(event["durationInMillis"]) > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", event["date"])
    del event["durationInMillis"], event["date"]
    assert event == {
        "phoneNumber": NUMBER,
        "errorMessage": "",
        "serviceCode": "*123#",
        "lastAppResponse": MENU,
        "hopsMetadata": "welcome|step 0",
        "hopsCount": "2",
        "status": "Incomplete",
        "sessionId": gateway.hops[0]["sessionId"],
        "cost": "0.00",
        "networkCode": "47001",
        "input": "1",
    }


async def test_a_call_that_the_gateway_ends_was_a_success(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*2*123456789012*1#")
    await phone.shows("Sent.")
    await phone.soft_keys("OK", "")
    assert (await until_told(gateway))["status"] == "Success"
    await phone.press("end")
    await phone.showing("idle")
    assert len(gateway.events) == 1


async def test_an_answer_that_is_no_screen_is_a_failure(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*3#")
    await expect(phone.text).to_have_text("Connection problem or invalid MMI code.")
    event = await until_told(gateway)
    assert (event["status"], event["errorMessage"]) == ("Failed", "HTTP 200")


async def test_an_answer_that_comes_after_the_phone_hung_up_is_not_shown(phone: Phone, gateway: Gateway) -> None:
    gateway.held.clear()
    await phone.dials("*123#")
    await expect(phone.text).to_have_text("Please wait…")
    await phone.press("end")
    await until_told(gateway)
    await phone.press("right", "call")
    gateway.held.set()
    await phone.shows(said(""))
    await phone.press("end")
    await phone.showing("idle")
    assert len(gateway.hops) == 2


async def test_a_long_screen_is_scrolled(phone: Phone) -> None:
    await phone.page.set_viewport_size({"width": 360, "height": 560})
    await phone.dials("*123*1#")
    await phone.shows(said("1"))
    await expect(phone.page.locator("#more")).to_have_text("▼")
    await phone.press("down", "down", "down")
    await expect(phone.page.locator("#more")).to_have_text("▲")
    await phone.press("up", "up", "up")
    await expect(phone.page.locator("#more")).to_have_text("▼")


# --- with a keyboard ---


async def test_a_whole_call_by_keyboard(phone: Phone, gateway: Gateway) -> None:
    keyboard = phone.page.keyboard
    await keyboard.type("*124")
    await keyboard.press("Backspace")
    await keyboard.type("3#")
    await expect(phone.dialled).to_have_text("*123#")
    await keyboard.press("Enter")
    await phone.shows(said(""))
    await keyboard.type("1")
    await keyboard.press("Enter")
    await phone.shows(said("1"))
    await keyboard.type("5")
    await keyboard.press("Enter")
    await phone.shows(said("1*5"))
    await keyboard.type("Amina Bgum")
    for _ in range(3):
        await keyboard.press("ArrowLeft")
    await keyboard.type("e")
    await keyboard.press("Enter")
    await phone.shows(said("1*5*Amina Begum"))
    await keyboard.press("Enter")
    await phone.showing("idle")


async def test_escape_hangs_up(phone: Phone, gateway: Gateway) -> None:
    await phone.page.keyboard.type("*123#")
    await phone.page.keyboard.press("Enter")
    await phone.shows(said(""))
    await phone.page.keyboard.press("Escape")
    await phone.showing("idle")
    assert (await until_told(gateway))["status"] == "Incomplete"


async def test_letters_typed_beside_the_answer_go_into_it(phone: Phone) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.text.focus()
    await phone.page.keyboard.type("Am")
    await expect(phone.answer).to_have_value("Am")


async def test_erasing_an_empty_answer_does_not_hang_up(phone: Phone) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.text.focus()
    await phone.page.keyboard.press("Backspace")
    await phone.showing("asking")


async def test_typing_beside_the_phone_does_not_dial(phone: Phone) -> None:
    await phone.page.locator("#number").select_option("other")
    await phone.page.keyboard.type("+88017")
    await expect(phone.page.locator("#other")).to_have_value("+88017")
    await phone.showing("idle")


async def test_a_focused_key_is_pressed_by_enter_and_space(phone: Phone) -> None:
    await phone.page.locator('.keypad [data-key="5"]').focus()
    await phone.page.keyboard.press("Enter")
    await phone.page.keyboard.press("Space")
    await expect(phone.dialled).to_have_text("55")


async def test_a_code_can_be_pasted(phone: Phone) -> None:
    await phone.page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", " *123*2*1234 5678 9012# ");
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true}));
        }"""
    )
    await expect(phone.dialled).to_have_text("*123*2*123456789012#")


# --- SMS ---


async def test_an_sms_arrives_while_the_phone_lies_there(phone: Phone, gateway: Gateway) -> None:
    await gateway.sms.send(NUMBER, CODE)
    await expect(phone.page.locator("#notice")).to_have_text("1 new message")
    await expect(phone.page.locator("#unread")).to_have_text("1")
    await phone.press("left")
    await expect(phone.page.locator("#inbox li")).to_have_count(1)
    await phone.press("left")
    await expect(phone.text).to_have_text(CODE)
    await expect(phone.page.locator("#heading")).to_have_text(re.compile(r"From EKDIAL · \d\d:\d\d"))
    await expect(phone.page.locator("#envelope")).to_be_hidden()
    await phone.press("right")
    await phone.showing("inbox")
    await phone.press("right")
    await phone.showing("idle")


async def test_the_newest_sms_stands_first_and_the_pad_picks(phone: Phone, gateway: Gateway) -> None:
    for text in ("one", "two", "three"):
        await gateway.sms.send(NUMBER, text)
    await expect(phone.page.locator("#notice")).to_have_text("3 new messages")
    await phone.press("down")
    await expect(phone.page.locator("#inbox span")).to_have_text(["three", "two", "one"])
    await phone.press("down", "ok")
    await expect(phone.text).to_have_text("two")
    await expect(phone.page.locator("#unread")).to_have_text("2")


async def test_a_code_is_read_in_the_middle_of_a_call_and_typed(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*1*5#")
    await phone.shows(said("1*5"))
    await phone.press("7")
    await gateway.sms.send(NUMBER, CODE)
    banner = phone.page.locator("#banner")
    await expect(banner).to_have_text(f"EKDIAL: {CODE}")
    await banner.click()
    await expect(phone.text).to_have_text(CODE)
    await phone.press("right")
    await phone.shows(said("1*5"))
    await expect(phone.answer).to_have_value("7")
    await expect(banner).to_be_hidden()


async def test_a_message_of_before_the_call_is_no_news_in_it(phone: Phone, gateway: Gateway) -> None:
    await gateway.sms.send(NUMBER, CODE)
    await phone.page.locator("#unread", has_text="1").wait_for()
    await phone.dials("*123#")
    await phone.shows(said(""))
    await expect(phone.page.locator("#banner")).to_be_hidden()
    await phone.page.get_by_role("button", name="1 new message").click()
    await expect(phone.text).to_have_text(CODE)


async def test_a_message_that_was_read_is_read_after_a_reload_and_shown_once(phone: Phone, gateway: Gateway) -> None:
    await gateway.sms.send(NUMBER, "one")
    await phone.page.locator("#notice", has_text="1 new message").wait_for()
    await phone.press("left", "left")
    await gateway.sms.send(NUMBER, "two")
    await phone.page.locator("#unread", has_text="1").wait_for()
    await phone.page.reload()
    await expect(phone.page.locator("#notice")).to_have_text("1 new message")
    await phone.press("left")
    await expect(phone.page.locator("#inbox .unread span")).to_have_text(["two"])
    await expect(phone.page.locator("#inbox li")).to_have_count(2)


async def test_a_gateway_that_goes_away_is_no_service_until_it_is_back(chromium: BrowserContext) -> None:
    page = await chromium.new_page()
    async with serving() as gateway:
        await page.goto(f"{gateway.url}/simulator")
        await expect(page.locator("#carrier")).to_have_text("Grameenphone")
    await expect(page.locator("#carrier")).to_have_text("No service")
    port = int(gateway.url.rpartition(":")[2])
    async with serving(port=port) as gateway:
        await expect(page.locator("#carrier")).to_have_text("Grameenphone", timeout=PATIENCE * 1000)
        await gateway.sms.send(NUMBER, "back again")
        await expect(page.locator("#unread")).to_have_text("1")
        await page.close()


# --- beside the phone ---


async def test_the_screens_size_is_counted_with_its_prefix(phone: Phone) -> None:
    measured = phone.page.locator("#measured")
    await expect(measured).to_have_text("Nothing received yet")
    await phone.dials("*123#")
    await expect(measured).to_have_text(f"{septets(SCREENS[''])} of 160 septets")


async def test_a_screen_that_the_network_cannot_show_is_said_to_be_one(phone: Phone) -> None:
    measured = phone.page.locator("#measured")
    await phone.dials("*123*2#")
    room = f"{units(SCREENS['2'])} of 70 UTF-16 units"
    await expect(measured).to_have_text(f"{room} · not shown on this network")
    await phone.press("end")
    await phone.page.locator("#network").select_option("99999")
    await phone.dials("*123*2#")
    await expect(measured).to_have_text(room)
    assert await phone.text.get_attribute("lang") == "bn"


async def test_a_dropped_call_tells_nobody(phone: Phone, gateway: Gateway) -> None:
    drop = phone.page.locator("#drop")
    await expect(drop).to_be_disabled()
    await phone.dials("*123#")
    await phone.shows(said(""))
    await drop.click()
    await expect(phone.text).to_have_text("The line was lost.")
    await phone.press("left", "right", "call")
    await phone.shows(said(""))
    await phone.press("end")
    assert (await until_told(gateway))["sessionId"] == gateway.hops[1]["sessionId"] != gateway.hops[0]["sessionId"]
    assert len(gateway.events) == 1


async def test_a_request_is_repeated_as_it_was(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.answers("1")
    await phone.shows(said("1"))
    await phone.page.locator("#log summary").click()
    await phone.page.locator("#repeat").click()
    await expect(phone.page.locator("#rows tr").last).to_contain_text("same answer")
    assert gateway.bodies[1] == gateway.bodies[2]
    assert gateway.brought[1] == gateway.brought[2] == "welcome"
    await phone.shows(said("1"))


async def test_the_log_has_every_request(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123*1#")
    await phone.shows(said("1"))
    await phone.press("end")
    await until_told(gateway)
    await phone.page.locator("#log summary").click()
    rows = phone.page.locator("#rows tr")
    await expect(rows).to_have_count(2)
    cells = [await row.locator("td").all_text_contents() for row in await rows.all()]
    assert [cell[:2] for cell in cells] == [["1", f"CON {septets(MENU)}"], ["1", "sent: Incomplete"]]
    assert all(re.fullmatch(r"\d+ ms", cell[2]) for cell in cells)


async def test_a_long_path_is_shown_from_its_end(phone: Phone, gateway: Gateway) -> None:
    gateway.screens = {"2*123456789012*1*2*3*4*5*6": "END Sent."}
    await phone.dials("*123*2*123456789012*1*2*3*4*5*6#")
    await phone.shows("Sent.")
    row = phone.page.locator("#rows tr").first
    await expect(row.locator("td").first).to_have_text("…23456789012*1*2*3*4*5*6")
    assert await row.get_attribute("title") == "2*123456789012*1*2*3*4*5*6"


async def test_another_number_is_another_phone(phone: Phone, gateway: Gateway) -> None:
    await gateway.sms.send(NUMBER, "for the first")
    await phone.page.locator("#unread", has_text="1").wait_for()
    await phone.page.locator("#number").select_option("+254700000001")
    await phone.showing("idle")
    await expect(phone.page.locator("#envelope")).to_be_hidden()
    await gateway.sms.send("+254700000001", "for the second")
    await phone.press("left")
    await expect(phone.page.locator("#inbox span")).to_have_text(["for the second"])
    await phone.press("end", "right", "call")
    await phone.shows(said(""))
    assert gateway.hops[0]["phoneNumber"] == "+254700000001"


async def test_a_number_of_ones_own_is_taken_when_it_is_one(phone: Phone, gateway: Gateway) -> None:
    await phone.page.locator("#number").select_option("other")
    other = phone.page.locator("#other")
    await other.fill("01700000009")
    await other.press("Enter")
    await expect(phone.page.locator("#bad-number")).to_have_text("Write it like +8801700000001")
    await other.fill("+880 1700-000009")
    await other.press("Enter")
    await expect(phone.page.locator("#number")).to_have_value("+8801700000009")
    await phone.page.reload()
    await expect(phone.page.locator("#number")).to_have_value("+8801700000009")


async def test_a_new_sim_is_of_the_same_country_and_no_one_elses(phone: Phone) -> None:
    number = phone.page.locator("#number")
    for sample, shape in {"+8801700000001": r"\+88017000\d{5}", "+919000000001": r"\+9190000\d{5}"}.items():
        await number.select_option(sample)
        await phone.page.locator("#new-sim").click()
        await expect(number).to_have_value(re.compile(f"^{shape}$"))


async def test_changing_the_sim_hangs_up(phone: Phone, gateway: Gateway) -> None:
    await phone.dials("*123#")
    await phone.shows(said(""))
    await phone.page.locator("#new-sim").click()
    await phone.showing("idle")
    event = await until_told(gateway)
    assert (event["status"], event["phoneNumber"]) == ("Incomplete", NUMBER)


async def test_the_network_goes_with_the_call_and_is_remembered(phone: Phone, gateway: Gateway) -> None:
    await phone.page.locator("#network").select_option("99999")
    await expect(phone.page.locator("#carrier")).to_have_text("Sandbox")
    await phone.page.reload()
    await phone.press("right", "call")
    await phone.shows(said(""))
    assert gateway.hops[0]["networkCode"] == "99999"


async def test_the_page_speaks_the_language_that_is_chosen(phone: Phone) -> None:
    for language, messages in {"bn": "মেসেজ", "hi": "मैसेज"}.items():
        await phone.page.locator("#language").select_option(language)
        await phone.soft_keys(messages, "*123#")
        await phone.page.reload()
        await phone.soft_keys(messages, "*123#")
        assert await phone.page.locator("html").get_attribute("lang") == language


async def test_every_word_is_there_in_every_language_with_the_same_facts(phone: Phone) -> None:
    words = await phone.page.evaluate("async () => (await import('/simulator/words.js')).WORDS")
    facts = {
        language: {name: sorted(re.findall(r"\{\w+\}", text)) for name, text in texts.items()}
        for language, texts in words.items()
    }
    facts["hi"]["newMessage"] = facts["bn"]["newMessage"] = facts["en"]["newMessage"]
    assert facts["en"] == facts["bn"] == facts["hi"]
    used = await phone.page.evaluate(
        """() => [...document.querySelectorAll("[data-word], [data-label]")]
            .map(({dataset}) => dataset.word ?? dataset.label)"""
    )
    assert set(used) <= set(words["en"])


async def test_the_page_counts_as_the_gateway_does(phone: Phone) -> None:
    texts = ["", "Ekdial", "€ [x] ~", "naïve", "é à Ω", "a\nb", "১ সেবা", "हिन्दी", "👍 ok", "`", "ç", "Ç", "\f"]
    counted = await phone.page.evaluate(
        "async (texts) => { const {measure} = await import('/simulator/measure.js'); return texts.map(measure); }",
        texts,
    )
    wanted = [(septets(text), "septets") if septets(text) is not None else (units(text), "units") for text in texts]
    assert [(count["used"], count["kind"]) for count in counted] == wanted


async def test_the_page_spells_a_form_as_python_does(phone: Phone) -> None:
    fields = {"text": "1*Amina Begum*a&b=c+d*!'()~*৫%", "phoneNumber": NUMBER, "serviceCode": "*123#"}
    spelled = await phone.page.evaluate("async (fields) => (await import('/simulator/call.js')).encode(fields)", fields)
    assert spelled == urlencode(fields)


# --- for everybody ---


async def test_the_whole_phone_fits_into_the_window(phone: Phone) -> None:
    windows = [(360, 640), (390, 760), (768, 1024), (1280, 720), (1920, 1080)]
    for language, (width, height) in itertools.product(["en", "bn", "hi"], windows):
        await phone.page.set_viewport_size({"width": width, "height": height})
        await phone.page.locator("#language").select_option(language)
        await phone.page.evaluate("scrollTo(0, 0)")
        box = await phone.page.locator("#phone").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= width - box["width"], (language, width, height)
        assert 0 <= box["y"] <= height - box["height"], (language, width, height)
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_main_menu_needs_no_scrolling(phone: Phone) -> None:
    await phone.dials("*123*1#")
    await phone.shows(said("1"))
    for height in (640, 760, 800, 1080):
        await phone.page.set_viewport_size({"width": 360, "height": height})
        await expect(phone.page.locator("#more")).to_have_text("")
        assert await phone.text.evaluate("node => node.scrollHeight <= node.clientHeight")


async def test_every_button_and_field_has_a_name(phone: Phone, gateway: Gateway) -> None:
    await gateway.sms.send(NUMBER, CODE)
    await phone.dials("*123#")
    await phone.shows(said(""))
    for role in ("button", "textbox", "combobox"):
        for found in await phone.page.get_by_role(role).all():
            await expect(found).to_have_accessible_name(re.compile(r"\S"))


async def test_a_screen_reader_hears_each_screen(phone: Phone) -> None:
    assert await phone.text.get_attribute("aria-live") == "polite"
    assert await phone.dialled.get_attribute("aria-live") == "polite"
    assert await phone.page.locator("#notice").get_attribute("role") == "status"


async def test_what_has_the_focus_is_seen(phone: Phone) -> None:
    await phone.page.keyboard.press("Tab")
    outline = await phone.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


async def test_nothing_moves_for_those_who_asked_for_that(phone: Phone, gateway: Gateway) -> None:
    await phone.page.emulate_media(reduced_motion="reduce")
    gateway.held.clear()
    await phone.dials("*123#")
    await phone.showing("waiting")
    assert await phone.page.evaluate("document.getAnimations().length") == 0
    gateway.held.set()
    await phone.shows(said(""))


async def test_a_touch_screen_keeps_its_keyboard_away_until_it_is_asked_for(
    chromium: BrowserContext, gateway: Gateway
) -> None:
    assert chromium.browser is not None
    context = await chromium.browser.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True, locale="en-GB"
    )
    phone = Phone(await context.new_page())
    await phone.page.goto(f"{gateway.url}/simulator")
    for key in (*"*123#", "call"):
        await phone.page.locator(f'.key[data-key="{key}"]').tap()
    await phone.shows(said(""))
    await expect(phone.answer).not_to_be_focused()
    await phone.page.locator('.keypad [data-key="1"]').tap()
    await expect(phone.answer).to_have_value("1")
    await expect(phone.answer).not_to_be_focused()
    await phone.answer.tap()
    await expect(phone.answer).to_be_focused()
    await context.close()
