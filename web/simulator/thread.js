/** Draws SMS as a conversation: sent ones on the right, received ones on the left, the newest at the bottom. */

import { made, put } from "./display.js";
import { segmented } from "./measure.js";
import { languageOf, timeOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const LINK = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)।]/g;

/** Each SMS is drawn once, so that a screen reader reads it once; `again(id)` sends an SMS again. */
export class Thread {
  constructor(again) {
    this.again = again;
    this.drawn = new Map();
    this.following = true; // the newest SMS is visible, and stays so when a long draft takes space
    $("thread").addEventListener("scroll", ({ target }) => { this.following = isAtEnd(target); });
    new ResizeObserver(() => this.following && this.showNewest()).observe($("thread"));
  }

  draw(phone, { say, language, smsCode }) {
    this.language = language;
    put("correspondent", smsCode);
    $("no-messages").hidden = phone.thread.length > 0;
    this.forget(phone);
    const fresh = phone.thread.filter(({ id }) => !this.drawn.has(id));
    fresh.forEach((sms) => $("bubbles").append(this.bubble(sms)));
    phone.thread.forEach((sms) => foot(this.drawn.get(sms.id), sms, { say, language, smsCode, again: this.again }));
    drawSize(phone.draft.text, say);
    if (phone.open === "thread" && (fresh.length || !this.open)) this.showNewest();
    this.open = phone.open === "thread";
  }

  /** Remove the SMS of another SIM card. */
  forget(phone) {
    const here = new Set(phone.thread.map(({ id }) => id));
    const gone = [...this.drawn].filter(([id]) => !here.has(id));
    gone.forEach(([id, bubble]) => { bubble.remove(); this.drawn.delete(id); });
  }

  bubble({ id, text, state }) {
    const bubble = made("li", { className: state ? "mine" : "theirs" });
    const said = made("p", { lang: languageOf(text, this.language) });
    said.append(...linked(text));
    bubble.append(said, made("p", { className: "foot" }));
    this.drawn.set(id, bubble);
    return bubble;
  }

  /** Scroll to the newest SMS; to its beginning if it is longer than the display. */
  showNewest() {
    const last = $("bubbles").lastElementChild;
    if (!last) return;
    const [thread, above] = [$("thread"), 6]; // px above the beginning
    thread.scrollTop = last.offsetHeight > thread.clientHeight ? last.offsetTop - above : thread.scrollHeight;
  }
}

const isAtEnd = ({ scrollTop, clientHeight, scrollHeight }) => scrollTop + clientHeight > scrollHeight - 8; // px

/** The time of an SMS, and the state of a sent one. */
function foot(bubble, { id, from, at, state }, { say, language, smsCode, again }) {
  const time = made("time", { textContent: timeOf(new Date(at), language), dateTime: at });
  const told = [from && from !== smsCode ? `${from} · ` : "", time, state ? ` · ${say(state)}` : ""];
  const parts = state === "unsent" ? [...told, retry(() => again(id), say)] : told;
  const wanted = made("p", { className: "foot" });
  wanted.append(...parts);
  if (wanted.textContent !== bubble.lastElementChild.textContent) bubble.lastElementChild.replaceWith(wanted);
  bubble.dataset.state = state ?? "";
}

function retry(again, say) {
  const button = made("button", { type: "button", textContent: say("again") });
  button.addEventListener("click", again);
  return button;
}

/** The text with its addresses as links. */
function linked(text) {
  const links = [...text.matchAll(LINK)];
  const ends = links.map((link) => link.index + link[0].length);
  const parts = links.flatMap(({ 0: href, index }, place) => [
    text.slice(ends[place - 1] ?? 0, index),
    made("a", { href, textContent: href, target: "_blank", rel: "noreferrer" }),
  ]);
  return [...parts, text.slice(ends.at(-1) ?? 0)];
}

function drawSize(text, say) {
  const { used, most, segments } = segmented(text);
  put("size", text ? say("size", { used, most, segments }) : "");
}
