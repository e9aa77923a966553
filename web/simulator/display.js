/** Draws a handset on its display. */

import { softKeys, view } from "./handset.js";
import { dayOf, languageOf, timeOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const OWN_WORDS = new Set(["waiting", "failed", "lost"]); // the handset's, where others show the gateway's

/** Text that has not changed is left alone, so that a screen reader says it once. */
export const put = (id, text) => {
  if ($(id).textContent !== text) $(id).textContent = text;
};

/** A new element with these properties. */
export const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** `carrier` is "" where there is no service; `openMessage(id)` is called for a message that is chosen. */
export function drawPhone(phone, { say, language, carrier, openMessage }) {
  const showing = view(phone);
  $("display").dataset.showing = showing;
  document.querySelectorAll("[data-view]").forEach((part) => {
    part.hidden = !part.dataset.view.split(" ").includes(showing);
  });
  drawStatus(phone, carrier, say);
  put("dialled", phone.dialled);
  drawText(phone, showing, say, language);
  drawAnswer(phone, say);
  if (showing === "inbox") drawInbox(phone, say, language, openMessage);
  drawSoftKeys(phone, say);
}

export function drawClock(language) {
  const now = new Date();
  put("clock", timeOf(now, language));
  put("big-clock", timeOf(now, language));
  put("day", dayOf(now, language));
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

/** An SMS that comes during a call is shown over the status line, where one can go and read it. */
function drawBanner({ inbox, news, call, open }) {
  const sms = call && open === null && inbox.find(({ id }) => id === news);
  $("banner").hidden = !sms;
  put("banner", sms ? `${sms.from}: ${sms.text}` : "");
}

function drawText(phone, showing, say, language) {
  const sms = phone.inbox.find(({ id }) => id === phone.open);
  const text = sms?.text ?? (OWN_WORDS.has(showing) ? say(showing) : phone.call?.text ?? "");
  put("heading", sms ? `${say("from", { sender: sms.from })} · ${timeOf(new Date(sms.at), language)}` : "");
  if ($("text").textContent !== text) {
    $("text").textContent = text;
    $("text").lang = OWN_WORDS.has(showing) ? language : languageOf(text);
    $("text").scrollTop = 0;
  }
  put("more", scrolls($("text")));
}

/** Which ways a text goes on that is longer than the display. */
function scrolls({ scrollTop, clientHeight, scrollHeight }) {
  const [above, below] = [scrollTop > 1, scrollTop + clientHeight < scrollHeight - 1];
  return (above ? "▲" : "") + (below ? "▼" : "");
}

function drawAnswer({ answer: { text, caret }, mode }, say) {
  const field = $("answer");
  if (field.value !== text) field.value = text;
  if (document.activeElement === field && field.selectionStart !== caret) field.setSelectionRange(caret, caret);
  put("mode", mode);
  $("mode").setAttribute("aria-label", say("mode", { mode }));
}

function drawInbox(phone, say, language, openMessage) {
  const none = made("li", { className: "none", textContent: say("noMessages") });
  const rows = phone.inbox.map((sms, place) => row(sms, place === phone.picked, phone, language, openMessage));
  $("inbox").replaceChildren(...(rows.length ? rows : [none]));
  $("inbox").querySelector(".picked")?.scrollIntoView({ block: "nearest" });
}

function row({ id, from, text, at }, picked, { unread }, language, openMessage) {
  const button = made("button", { type: "button" });
  button.append(
    made("b", { textContent: from }),
    made("time", { textContent: timeOf(new Date(at), language) }),
    made("span", { textContent: text }),
  );
  button.classList.toggle("picked", picked);
  button.classList.toggle("unread", unread.includes(id));
  button.addEventListener("click", () => openMessage(id));
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
