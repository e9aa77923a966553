/** The page: keys become a handset's, its acts become requests, and each change is drawn. */

import { Call, beyond } from "./call.js";
import { drawClock, drawPhone } from "./display.js";
import { hear, newHandset, paste, press, read, receive, view, waiting, write } from "./handset.js";
import { Developer, SimCard, drawWords } from "./panels.js";
import { remember, remembered } from "./sim.js";
import { WORDS, speaker } from "./words.js";

const HELD_AFTER = 500; // ms until a key that is down counts as held
const KEYBOARD = {
  Escape: "end", Backspace: "erase", ArrowUp: "up", ArrowDown: "down", ArrowLeft: "back", ArrowRight: "on",
};
const IN_THE_ANSWER = new Set(["Enter", "Escape", "ArrowUp", "ArrowDown"]); // other keys there are the field's own
const LIVE = new Set(["waiting", "asking"]);

const $ = (id) => document.getElementById(id);
const settings = await (await fetch("/simulator/phone.json")).json();
settings.languages = settings.languages.filter((language) => language in WORDS);
const choices = remembered(settings);

let say = speaker(choices.language);
let phone = newHandset(settings.serviceCode);
let call = null;
let inbox = null;
let served = true;

function show(next) {
  phone = next;
  const network = settings.networks.find(({ code }) => code === choices.network);
  drawPhone(phone, { say, language: choices.language, carrier: served ? network.name : "", openMessage });
  developer.draw(phone, { say, network, live: LIVE.has(phone.call?.phase), repeatable: repeatable() });
  keepRead();
}

function choose(some) {
  Object.assign(choices, some);
  remember(choices);
}

// --- a key, and what it does ------------------------------------------------------------------------------------

const ACTS = {
  dial,
  answer: (text) => converse(call.answer(text)),
  hangUp: () => call.finish("Incomplete"),
  scroll: (lines) => $("text").scrollBy({ top: lines * 3 * parseFloat(getComputedStyle($("text")).lineHeight) }),
  refuse: () => $("answer").focus(),
};

function key(name, { long = false } = {}) {
  const [next, act = {}] = press(phone, name, { now: performance.now(), long });
  show(next);
  Object.entries(act).forEach(([deed, fact]) => ACTS[deed](fact));
}

function dial(code) {
  const rest = beyond(code, settings.serviceCode);
  if (rest === null) return show(hear(phone, { kind: "failed", text: "" }));
  const sim = { number: choices.number, networkCode: choices.network, serviceCode: settings.serviceCode };
  call = new Call(settings, sim, (hop) => developer.log(hop));
  return converse(call.dial(rest));
}

/** Show what a hop answers, unless the phone has left that call meanwhile. */
async function converse(hop) {
  const asked = call;
  show(waiting(phone));
  const reply = await hop;
  if (call !== asked || phone.call?.phase !== "waiting") return;
  show(hear(phone, reply));
  readyToType();
}

/** Where there is a keyboard, the answer can be typed at once; a touch screen's own would cover the phone. */
function readyToType() {
  if (view(phone) === "asking" && matchMedia("(pointer: fine)").matches) $("answer").focus({ preventScroll: true });
}

function leaveCall() {
  if (LIVE.has(phone.call?.phase)) call.finish("Incomplete");
  call = null;
}

// --- fingers, mouse, keyboard -----------------------------------------------------------------------------------

const keyAt = (event) => event.target.closest("[data-key]")?.dataset.key;

$("phone").addEventListener("pointerdown", (event) => {
  const name = keyAt(event);
  if (!name || event.button !== 0) return;
  event.preventDefault(); // what has the focus, and a touch screen's own keyboard, stays as it is
  key(name);
  const timer = setTimeout(() => key(name, { long: true }), HELD_AFTER);
  const letGo = new AbortController();
  const release = () => { clearTimeout(timer); letGo.abort(); };
  ["pointerup", "pointercancel"].forEach((over) => addEventListener(over, release, { signal: letGo.signal }));
});
$("phone").addEventListener("click", (event) => {
  if (keyAt(event) && event.detail === 0) key(keyAt(event)); // by keyboard, or by assistive technology
});
$("phone").addEventListener("contextmenu", (event) => {
  if (keyAt(event)) event.preventDefault(); // a long press is a key's own
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest(".panel")) return;
  const name = keyOf(event.key);
  flash(name);
  if (isTyping(event)) return $("answer").focus();
  if (!name || pressesButton(event) || (event.target === $("answer") && !IN_THE_ANSWER.has(event.key))) return;
  event.preventDefault();
  key(name);
});

/** Characters of a keyboard's go into the answer as they are: no letters by tapping there. */
const isTyping = (event) =>
  view(phone) === "asking" && event.target !== $("answer") && event.key.length === 1 && !pressesButton(event);
const pressesButton = ({ target, key: pressed }) => target.closest("button") && [" ", "Enter"].includes(pressed);

function keyOf(pressed) {
  if (pressed === "Enter") return view(phone) === "idle" ? "call" : "ok";
  return /^[0-9*#]$/.test(pressed) ? pressed : KEYBOARD[pressed];
}

function flash(name) {
  const button = name && document.querySelector(`.keypad [data-key="${CSS.escape(name)}"]`);
  button?.classList.add("pressed");
  setTimeout(() => button?.classList.remove("pressed"), 120);
}

document.addEventListener("paste", (event) => {
  if (!event.target.matches("input")) show(paste(phone, event.clipboardData.getData("text")));
});
$("answer").addEventListener("input", () => show(write(phone, $("answer").value, $("answer").selectionStart)));
document.addEventListener("selectionchange", () => {
  const { value, selectionStart } = $("answer");
  const { text, caret } = phone.answer;
  if (document.activeElement === $("answer") && value === text && selectionStart !== caret) {
    phone = write(phone, value, selectionStart);
  }
});
$("text").addEventListener("scroll", () => show(phone));

// --- SMS --------------------------------------------------------------------------------------------------------

function listen() {
  inbox?.close();
  inbox = new EventSource(`/simulator/sms?number=${encodeURIComponent(choices.number)}`);
  inbox.addEventListener("open", () => serve(true));
  inbox.addEventListener("error", () => serve(false));
  inbox.addEventListener("message", ({ data }) => {
    const sms = JSON.parse(data);
    show(receive(phone, sms, choices.read.includes(sms.id)));
  });
}

function serve(here) {
  served = here;
  show(phone);
}

function openMessage(id = phone.unread[0]) {
  show(read(phone, id, phone.open === "inbox"));
}

function keepRead() {
  const seen = ({ id }) => !phone.unread.includes(id) && !choices.read.includes(id);
  const news = phone.inbox.filter(seen).map(({ id }) => id);
  if (news.length) choose({ read: [...news, ...choices.read] });
}

$("banner").addEventListener("click", () => openMessage(phone.news));
$("envelope").addEventListener("click", () => openMessage());

// --- beside the phone -------------------------------------------------------------------------------------------

const repeatable = () => call !== null && call.lastRequest !== null && phone.call?.phase !== "waiting";

const developer = new Developer({
  drop() {
    call.drop();
    call = null;
    show(hear(phone, { kind: "lost", text: "" }));
  },
  repeat: () => call.repeat(),
});

const simCard = new SimCard(settings, choices, {
  number(number) {
    leaveCall();
    choose({ number });
    listen();
    show(newHandset(settings.serviceCode));
  },
  network(network) {
    leaveCall();
    choose({ network });
    show({ ...phone, call: null });
  },
  language(language) {
    choose({ language });
    speak();
  },
});

function speak() {
  say = speaker(choices.language);
  drawWords(say, choices.language, settings.serviceCode);
  simCard.draw(say);
  drawClock(choices.language);
  show(phone);
}

speak();
listen();
setInterval(() => drawClock(choices.language), 1000);
