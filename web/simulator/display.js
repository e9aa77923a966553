/** Draws a handset on its display. */

import { fieldOf, numbersOf, softKeys, view } from "./handset.js";
import { dayOf, languageOf, timeOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const OWN_WORDS = new Set(["wallet", "waiting", "failed", "lost", "ringing", "rejected", "unrejected", "unknown"]); // texts of the handset itself

/** Set a text only if it has changed, so that a screen reader reads it once. */
export const put = (id, text) => {
  if ($(id).textContent !== text) $(id).textContent = text;
};

/** A new element with these properties. */
export const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** `carrier` is "" without service; `choose(place)` is called for a number of the list. */
export function drawPhone(phone, { say, language, carrier, choose }) {
  const showing = view(phone);
  $("display").dataset.showing = showing;
  document.querySelectorAll("[data-view]").forEach((part) => {
    part.hidden = !part.dataset.view.split(" ").includes(showing);
  });
  drawStatus(phone, carrier, say);
  put("dialled", phone.dialled);
  drawText(phone, showing, say, language);
  drawField(phone, say);
  if (showing === "numbers") drawNumbers(phone, say, choose);
  drawSoftKeys(phone, say);
}

export function drawClock(language) {
  const now = new Date();
  put("clock", timeOf(now, language));
  put("big-clock", timeOf(now, language));
  put("day", dayOf(now, language));
}

/** The directions in which the display can be scrolled. */
export function drawMore(phone) {
  put("more", scrolls(scroller(phone)));
}

/** The part of the display that the pad scrolls. */
export const scroller = (phone) => $(view(phone) === "thread" ? "thread" : "text");

function scrolls({ scrollTop, clientHeight, scrollHeight }) {
  const [above, below] = [scrollTop > 1, scrollTop + clientHeight < scrollHeight - 1];
  return (above ? "▲" : "") + (below ? "▼" : "");
}

function drawStatus(phone, carrier, say) {
  const count = phone.unread.length;
  const told = count === 1 ? say("newMessage") : say("newMessages", { count });
  put("carrier", carrier || say("noService"));
  $("phone").classList.toggle("no-service", !carrier);
  put("unread", String(count));
  put("notice", count ? told : "");
  $("envelope").hidden = !count;
  $("envelope").setAttribute("aria-label", told);
  drawBanner(phone);
}

/** A notice over the status line about an SMS that arrives during a call; it opens the SMS. */
function drawBanner({ thread, news, call, open }) {
  const sms = call && open === null && thread.find(({ id }) => id === news);
  $("banner").hidden = !sms;
  put("banner", sms ? `${sms.from}: ${sms.text}` : "");
}

function drawText(phone, showing, say, language) {
  const given = phone.call?.text ?? "";
  const text = OWN_WORDS.has(showing) ? say(showing, { text: given, ...phone.wallets[0] }) : given;
  if ($("text").textContent !== text) {
    $("text").textContent = text;
    $("text").lang = OWN_WORDS.has(showing) ? language : languageOf(text, language);
    $("text").scrollTop = 0;
  }
}

function drawField(phone, say) {
  const name = fieldOf(phone);
  const { text, caret, mode } = phone[name];
  const field = $(name);
  if (field.value !== text) field.value = text;
  if (document.activeElement === field && field.selectionStart !== caret) field.setSelectionRange(caret, caret);
  put(`${name}-mode`, mode);
  $(`${name}-mode`).setAttribute("aria-label", say("mode", { mode }));
}

function drawNumbers(phone, say, choose) {
  const rows = numbersOf(phone).map((called, place) =>
    numberRow(called, place === phone.picked, say, () => choose(place)));
  $("numbers").replaceChildren(...rows);
  $("numbers").querySelector(".picked")?.scrollIntoView({ block: "nearest" });
}

function numberRow({ number, action }, picked, say, choose) {
  const button = made("button", { type: "button" });
  button.append(made("b", { textContent: number }), made("span", { textContent: say(`does_${action}`) }));
  button.classList.toggle("picked", picked);
  button.addEventListener("click", choose);
  const item = made("li", {});
  item.append(button);
  return item;
}

function drawSoftKeys(phone, say) {
  const [left, right] = softKeys(phone).map((word) => (word === "shortcut" ? phone.serviceCode : word && say(word)));
  put("soft-left", left);
  put("soft-right", right);
  $("left-key").setAttribute("aria-label", say("leftKey", { word: left || say("none") }));
  $("right-key").setAttribute("aria-label", say("rightKey", { word: right || say("none") }));
}
