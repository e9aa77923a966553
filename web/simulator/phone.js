/** The page: keys go to the handset, its actions become requests, and each change is drawn. */

import { Call, beyond } from "./call.js";
import { drawClock, drawMore, drawPhone, scroller } from "./display.js";
import {
  fieldOf, hear, idle, inState, newHandset, paste, press, readThread, receive, ringing, sending, view, waiting, walletAsked,
  write,
} from "./handset.js";
import { Developer, SimCard, drawWords } from "./panels.js";
import { Ring, rung } from "./ringing.js";
import { remember, remembered } from "./sim.js";
import { Sms, deliver } from "./texting.js";
import { Thread } from "./thread.js";
import { encode, post } from "./wire.js";
import { WORDS, speaker } from "./words.js";

const HELD_AFTER = 500; // ms until a pressed key counts as held
const KEYBOARD = {
  Escape: "end", Backspace: "erase", ArrowUp: "up", ArrowDown: "down", ArrowLeft: "back", ArrowRight: "on",
};
const IN_A_FIELD = new Set(["Enter", "Escape", "ArrowUp", "ArrowDown"]); // the field handles the other keys
const LIVE = new Set(["waiting", "asking", "ringing"]);
const DROPPABLE = new Set(["waiting", "asking"]);
const TYPED_INTO = new Set(["asking", "thread", "wallet"]);

const $ = (id) => document.getElementById(id);
const settings = await (await fetch("/simulator/phone.json")).json();
settings.languages = settings.languages.filter((language) => language in WORDS);
const choices = remembered(settings);

let say = speaker(choices.language);
let phone = blankPhone();
let call = null; // the session or call on the display
let last = null; // the last request, which can be repeated
let inbox = null;
let served = true;
const others = new Map(); // the states of other SIM cards' phones, by number
const written = new Map(); // sent SMS, by id

function blankPhone() {
  return newHandset(line().serviceCode, settings.missedCalls);
}

function show(next) {
  phone = next;
  const network = networkNow();
  const drawing = { say, language: choices.language, smsCode: settings.smsCode };
  drawPhone(phone, { ...drawing, carrier: served ? network.name : "", choose: dialPlace });
  thread.draw(phone, drawing);
  drawMore(phone);
  developer.draw(phone, { say, network, droppable: DROPPABLE.has(phone.call?.phase), repeatable: repeatable() });
  keepRead();
}

/** What the gateway serves the chosen network with: its paths and its short code. */
function line() {
  return { ...settings, ...networkNow() };
}

function networkNow() {
  return settings.networks.find(({ code }) => code === choices.network);
}

function choose(some) {
  Object.assign(choices, some);
  remember(choices);
}

// --- keys and their actions ------------------------------------------------------------------------------------

const ACTS = {
  dial,
  answer: (text) => converse(call.answer(text)),
  text,
  wallet: ({ id, pin }) => answerWallet(choices.number, id, pin),
  hangUp: () => call.finish("Incomplete"),
  scroll: (lines) => scroller(phone).scrollBy({ top: lines * 3 * parseFloat(getComputedStyle($("text")).lineHeight) }),
  refuse: () => field().focus(),
};

function key(name, { long = false } = {}) {
  const before = view(phone);
  const [next, act = {}] = press(phone, name, { now: performance.now(), long });
  show(next);
  Object.entries(act).forEach(([deed, fact]) => ACTS[deed](fact));
  if (view(phone) !== before) readyToType();
}

function sim() {
  const { name, serviceCode } = line();
  return { number: choices.number, networkCode: choices.network, networkName: name, serviceCode };
}

function dial(code) {
  const rest = beyond(code, line().serviceCode);
  const to = rung(code, settings.missedCalls.map(({ number }) => number));
  if (rest === null && to === undefined) return show(hear(idle(phone), { kind: unserved(code), text: code }));
  call = rest === null ? new Ring(line(), sim(), to, log) : new Call(line(), sim(), log);
  last = call;
  return rest === null ? ring(to) : converse(call.dial(rest));
}

function dialPlace(place) {
  phone = { ...phone, picked: place };
  key("call");
}

/** The network's text for an unknown code, and for an unknown number. */
const unserved = (code) => (/[*#]/.test(code) ? "failed" : "unknown");

/** Show the response to a request, unless the phone has left the session in the meantime. */
function converse(hop) {
  show(waiting(phone));
  return heard(hop, "waiting");
}

function ring(to) {
  show(ringing(phone, to));
  return heard(call.dial(), "ringing");
}

async function heard(answered, phase) {
  const asked = call;
  const { kind, text: said, why } = await answered;
  if (call !== asked || phone.call?.phase !== phase) return;
  show(hear(phone, { kind, text: said ?? why ?? "" }));
  readyToType();
}

const field = () => $(fieldOf(phone));

/** Focus the field if there is a physical keyboard; a touch screen's keyboard would cover the phone. */
function readyToType() {
  if (TYPED_INTO.has(view(phone)) && matchMedia("(pointer: fine)").matches) field().focus({ preventScroll: true });
}

function leaveCall() {
  if (LIVE.has(phone.call?.phase)) call.finish("Incomplete");
  call = null;
  last = null;
}

// --- touch, mouse, keyboard -----------------------------------------------------------------------------------

const keyAt = (event) => event.target.closest("[data-key]")?.dataset.key;

$("phone").addEventListener("pointerdown", (event) => {
  const name = keyAt(event);
  if (!name || event.button !== 0) return;
  event.preventDefault(); // keeps the focus, and the keyboard of a touch screen
  key(name);
  const timer = setTimeout(() => key(name, { long: true }), HELD_AFTER);
  const letGo = new AbortController();
  const release = () => { clearTimeout(timer); letGo.abort(); };
  ["pointerup", "pointercancel"].forEach((over) => addEventListener(over, release, { signal: letGo.signal }));
});
$("phone").addEventListener("click", (event) => {
  if (keyAt(event) && event.detail === 0) key(keyAt(event)); // from a keyboard or assistive technology
});
$("phone").addEventListener("contextmenu", (event) => {
  if (keyAt(event)) event.preventDefault(); // a long press belongs to the key
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest(".panel")) return;
  const name = keyOf(event.key);
  flash(name);
  if (isTyping(event)) return field().focus();
  if (event.key === "+") return show(paste(phone, "+"));
  if (!name || pressesButton(event) || isTheFields(event)) return;
  event.preventDefault();
  key(name);
});

/** Characters of a keyboard go into the field directly, without multi-tap. */
const isTyping = (event) =>
  TYPED_INTO.has(view(phone)) && event.target !== field() && event.key.length === 1 && !pressesButton(event);
const pressesButton = ({ target, key: pressed }) => target.closest("button, a") && [" ", "Enter"].includes(pressed);

/** In a message of several lines, arrows move between lines, and Shift+Enter starts one. */
function isTheFields({ target, key: pressed, shiftKey }) {
  if (target !== field()) return false;
  const lines = target.value.includes("\n") && pressed.startsWith("Arrow");
  return lines || (pressed === "Enter" && shiftKey) || !IN_A_FIELD.has(pressed);
}

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
  if (!event.target.matches("input, textarea")) show(paste(phone, event.clipboardData.getData("text")));
});
for (const typed of [$("answer"), $("draft")]) {
  typed.addEventListener("input", () => show(write(phone, typed.value, typed.selectionStart)));
}
document.addEventListener("selectionchange", () => {
  const { value, selectionStart } = field();
  const { text: known, caret } = phone[fieldOf(phone)];
  if (document.activeElement === field() && value === known && selectionStart !== caret) {
    phone = write(phone, value, selectionStart);
  }
});
for (const part of [$("text"), $("thread")]) part.addEventListener("scroll", () => drawMore(phone));

// --- SMS --------------------------------------------------------------------------------------------------------

function listen() {
  inbox?.close();
  inbox = new EventSource(`/simulator/sms?number=${encodeURIComponent(choices.number)}`);
  inbox.addEventListener("open", () => serve(true));
  inbox.addEventListener("error", () => serve(false));
  inbox.addEventListener("message", ({ data }) => {
    const sms = JSON.parse(data);
    tellOf(sms);
    show(receive(phone, sms, choices.read.includes(sms.id)));
  });
  inbox.addEventListener("wallet", ({ data }) => {
    show(walletAsked(phone, JSON.parse(data)));
    readyToType();
  });
}

/** The PIN goes to the operator, which is not part of the gateway; the log shows only that it was sent. */
async function answerWallet(number, id, pin) {
  const reply = await post("/simulator/wallet", encode({ request: id, ...(pin === null ? {} : { pin }) }));
  log({ kind: "wallet", path: `…${id.slice(-8)}`, ...reply, said: reply.status === 200 ? JSON.parse(reply.body).said : "" });
}

function serve(here) {
  served = here;
  show(phone);
}

/** Report each delivered SMS, once as far as this browser remembers. */
function tellOf({ id }) {
  if (choices.delivered.includes(id)) return;
  choose({ delivered: [id, ...choices.delivered] });
  deliver(line(), sim(), id, log);
}

function text(draft) {
  const sms = new Sms(line(), sim(), draft, log);
  written.set(sms.id, sms);
  return send(sms);
}

async function send(sms) {
  const from = choices.number;
  last = sms;
  show(sending(phone, { id: sms.id, text: sms.text, at: new Date().toISOString() }));
  const state = (await sms.send()) ? "sent" : "unsent";
  if (choices.number === from) show(inState(phone, sms.id, state));
  else others.set(from, inState(others.get(from), sms.id, state)); // the SIM card was changed in the meantime
}

function openThread() {
  show(readThread(phone));
  readyToType();
}

function keepRead() {
  const seen = ({ id, from }) => from && !phone.unread.includes(id) && !choices.read.includes(id);
  const news = phone.thread.filter(seen).map(({ id }) => id);
  if (news.length) choose({ read: [...news, ...choices.read] });
}

$("banner").addEventListener("click", openThread);
$("envelope").addEventListener("click", openThread);

// --- panels -------------------------------------------------------------------------------------------

const repeatable = () => last !== null && !["waiting", "ringing"].includes(phone.call?.phase);
const log = (request) => developer.log(request);
const thread = new Thread((id) => send(written.get(id)));

const developer = new Developer({
  drop() {
    call.drop();
    call = null;
    last = null;
    show(hear(phone, { kind: "lost", text: "" }));
  },
  repeat: () => last.repeat(),
});

const simCard = new SimCard(settings, choices, {
  number(number) {
    leaveCall();
    others.set(choices.number, idle(phone));
    choose({ number });
    listen();
    show({ ...(others.get(number) ?? blankPhone()), serviceCode: line().serviceCode });
  },
  network(network) {
    leaveCall();
    choose({ network });
    show({ ...phone, call: null, serviceCode: line().serviceCode });
    speak();
  },
  language(language) {
    choose({ language });
    speak();
  },
});

function speak() {
  say = speaker(choices.language);
  drawWords(say, choices.language, { code: line().serviceCode, sms: settings.smsCode });
  simCard.draw(say);
  drawClock(choices.language);
  show(phone);
}

speak();
listen();
setInterval(() => drawClock(choices.language), 1000);
