/** The handset as a value: what it shows, and what a key does to it. No page, no network and no clock in here. */

import { LETTERS, blank, erase, hold, move, set, tap } from "./typing.js";

/** What one is in the middle of: a wallet's question waits until it is over. */
const BUSY = new Set(["waiting", "asking", "ringing"]);

/**
 * `call` is null or `{phase, text}`, its phase "waiting", "asking", "ended", "failed" or "lost" in a USSD call,
 * "ringing", "rejected" or "unrejected" in a voice call, and "unknown" for a number that leads nowhere. `thread` has
 * the SMS as they came and went, the newest last: `{id, from, text, at}`, and `{id, text, at, state}` for one's own,
 * its state "sending", "sent" or "unsent". `unread` are ids, `news` is the id of one that came during the call.
 * `wallets` are the questions that the wallet was asked: `{id, amount, payee, about}`.
 * `open` is null, "thread" or "numbers". `answer` and `draft` are what is typed: into the call, and as an SMS.
 */
export function newHandset(serviceCode, missedCalls = []) {
  return {
    serviceCode, missedCalls, dialled: "", lastDialled: "", call: null, answer: blank(), draft: blank("Abc"),
    thread: [], unread: [], news: null, wallets: [], open: null, picked: 0,
  };
}

/** Which of its pictures the display shows. */
export function view(phone) {
  if (phone.wallets.length && !BUSY.has(phone.call?.phase)) return "wallet";
  if (phone.open !== null) return phone.open;
  if (phone.call) return phone.call.phase;
  return phone.dialled ? "dialling" : "idle";
}

/** Which of its two fields is typed into. */
export const fieldOf = (phone) => (view(phone) === "thread" ? "draft" : "answer");

/** What the green key offers to call, each as `{number, action}`: the last one dialled, the short code, those rung. */
export function numbersOf({ lastDialled, serviceCode, missedCalls }) {
  const known = [{ number: serviceCode, action: "ussd" }, ...missedCalls];
  const another = lastDialled && !known.some(({ number }) => number === lastDialled);
  return another ? [{ number: lastDialled, action: "last" }, ...known] : known;
}

/** The words on the soft keys, left and right; "" where a key does nothing just now. */
export function softKeys(phone) {
  const typed = phone[fieldOf(phone)].text;
  const keys = {
    idle: ["messages", "shortcut"], dialling: ["call", "clear"], waiting: ["", "cancel"],
    asking: ["send", typed ? "clear" : "cancel"], ended: ["ok", ""], failed: ["ok", ""], lost: ["ok", ""],
    wallet: ["ok", typed ? "clear" : "decline"],
    ringing: ["", "cancel"], rejected: ["ok", "messages"], unrejected: ["ok", ""], unknown: ["ok", ""],
    thread: [typed ? "send" : "", typed ? "clear" : "back"], numbers: ["call", "back"],
  };
  return keys[view(phone)];
}

/**
 * One key: `0`-`9 * #`, `left right` (soft keys), `ok up down back on` (the pad), `call end`, and `erase`, which only a
 * computer's keyboard has. `now` is in ms; `long` says that the key, pressed already, is still held. Answers
 * `[phone, act]`; an act, where there is one, is for the caller to do: `{dial}`, `{answer}`, `{text}` (an SMS to send),
 * `{wallet}` (its question's id, and the PIN or null for a no), `{hangUp}`, `{scroll}`, `{refuse}`.
 */
export function press(phone, key, { now = 0, long = false } = {}) {
  const keys = (long ? HELD : KEYS)[view(phone)] ?? {};
  const does = keys[key] ?? (key in LETTERS || key === "#" ? keys.digit : undefined);
  return does ? does(phone, key, now) : [phone];
}

/** What was typed or pasted into the field by other means than the keypad. */
export function write(phone, text, caret) {
  const field = fieldOf(phone);
  return { ...phone, [field]: set(phone[field], text, caret) };
}

/** Digits dialled at once, from a keyboard's clipboard; anything that cannot be dialled is left out. */
export const paste = (phone, text) =>
  ["idle", "dialling"].includes(view(phone))
    ? { ...phone, dialled: phone.dialled + text.replace(/[^0-9*#+]/g, "") }
    : phone;

export const waiting = (phone) => ({ ...phone, call: { phase: "waiting", text: "" }, open: null });

/** Ringing `number`, until `hear` says what came of it. */
export const ringing = (phone, number) => ({ ...phone, call: { phase: "ringing", text: number }, open: null });

/**
 * What came of a hop or a ring: `kind` is "CON", "END", "failed", "rejected", "unrejected" or "unknown", or "lost" for
 * a line that went without a word.
 */
export function hear(phone, { kind, text }) {
  const phase = { CON: "asking", END: "ended" }[kind] ?? kind;
  return { ...phone, call: { phase, text }, answer: blank() };
}

/** The phone put down: nothing dialled, no call, no list open; what it was sent and what is being written stay. */
export const idle = (phone) => ({ ...phone, dialled: "", call: null, answer: blank(), open: null, news: null });

/** An SMS that came, once; `read` for one that had been read before. */
export function receive(phone, sms, read = false) {
  if (phone.thread.some(({ id }) => id === sms.id)) return phone;
  const heard = { ...phone, thread: [...phone.thread, sms], draft: readyFor(sms, phone.draft) };
  if (read || phone.open === "thread") return heard;
  return { ...heard, unread: [...phone.unread, sms.id], news: phone.call ? sms.id : null };
}

/** What the wallet is asked for, once; it stands before everything that is not a call. */
export function walletAsked(phone, asked) {
  if (phone.wallets.some(({ id }) => id === asked.id)) return phone;
  return { ...phone, wallets: [...phone.wallets, asked], answer: phone.wallets.length ? phone.answer : blank() };
}

/** To an SMS with numbered lines one answers with a number: the keypad then writes digits, if nothing is being written. */
const readyFor = ({ text }, draft) => (draft.text === "" && /^\d+ /m.test(text) ? blank("123") : draft);

/** An SMS of one's own, on its way; there already when it is sent again. */
export function sending(phone, sms) {
  const known = phone.thread.some(({ id }) => id === sms.id);
  const thread = known ? phone.thread : [...phone.thread, sms];
  return inState({ ...phone, thread, draft: known ? phone.draft : blank(phone.draft.mode) }, sms.id, "sending");
}

/** What became of one: "sending", "sent" or "unsent". */
export const inState = (phone, id, state) =>
  ({ ...phone, thread: phone.thread.map((sms) => (sms.id === id ? { ...sms, state } : sms)) });

/** Read the SMS; going back from them leads to what was there before. */
export const readThread = (phone) => ({ ...phone, open: "thread", unread: [], news: null });

const startDialling = (phone, key) => [{ ...phone, call: null, open: null, dialled: phone.dialled + key }];
const shortcut = (phone) => [{ ...phone, dialled: phone.serviceCode }];
const eraseDialled = (phone) => [{ ...phone, dialled: phone.dialled.slice(0, -1) }];
const forgetDialled = (phone) => [{ ...phone, dialled: "" }];
const plus = (phone) => [phone.dialled.endsWith("0") ? { ...phone, dialled: `${phone.dialled.slice(0, -1)}+` } : phone];
const dialNumber = (phone, number) => [{ ...idle(phone), lastDialled: number }, { dial: number }];
const dial = (phone) => dialNumber(phone, phone.dialled);
const hangUp = (phone) => [{ ...phone, call: null, answer: blank() }, { hangUp: true }];
const dismiss = (phone) => [{ ...phone, call: null }];
const send = (act) => (phone) => {
  const { text } = phone[fieldOf(phone)];
  return [phone, text.trim() ? { [act]: text } : { refuse: true }];
};
const PIN = /^\d{4}$/;
const settleWallet = (phone, pin) => {
  const [{ id }, ...wallets] = phone.wallets;
  return [{ ...phone, wallets, answer: blank() }, { wallet: { id, pin } }];
};
const enterPin = (phone) => (PIN.test(phone.answer.text) ? settleWallet(phone, phone.answer.text) : [phone, { refuse: true }]);
const decline = (phone) => settleWallet(phone, null);
const scroll = (by) => (phone) => [phone, { scroll: by }];
const openThread = (phone) => [readThread(phone)];
const close = (phone) => [{ ...phone, open: null }];

const openNumbers = (phone) => {
  const last = numbersOf(phone).findIndex(({ number }) => number === phone.lastDialled);
  return [{ ...phone, open: "numbers", picked: Math.max(last, 0) }];
};
const pick = (by) => (phone) => {
  const count = numbersOf(phone).length;
  return [{ ...phone, picked: (phone.picked + by + count) % count }];
};
const dialPicked = (phone) => dialNumber(phone, numbersOf(phone)[phone.picked].number);

/** A key that changes what is typed. */
const edit = (change) => (phone, key, now) => {
  const field = fieldOf(phone);
  return [{ ...phone, [field]: change(phone[field], key, now) }];
};
const type = edit(tap);
const typeDigit = edit(hold);
const eraseTyped = edit(erase);
const forgetTyped = edit(({ mode }) => blank(mode));
const moveCaret = (by) => edit((typed) => move(typed, by));
const eraseOr = (otherwise) => (phone) => (phone[fieldOf(phone)].text ? eraseTyped(phone) : otherwise(phone));

const OVER = {
  left: dismiss, right: dismiss, ok: dismiss, call: dismiss, end: dismiss, erase: dismiss,
  up: scroll(-1), down: scroll(1), digit: startDialling,
};
const TYPING = {
  digit: type, erase: eraseTyped, up: scroll(-1), down: scroll(1), back: moveCaret(-1), on: moveCaret(1),
};
const [answer, text] = [send("answer"), send("text")];
const KEYS = {
  idle: {
    digit: startDialling, call: openNumbers, right: shortcut,
    left: openThread, ok: openThread, up: openThread, down: openThread,
  },
  dialling: {
    digit: startDialling, left: dial, ok: dial, call: dial,
    right: eraseDialled, erase: eraseDialled, end: forgetDialled,
  },
  waiting: { right: hangUp, end: hangUp },
  ringing: { right: hangUp, end: hangUp },
  asking: { ...TYPING, left: answer, ok: answer, call: answer, right: eraseOr(hangUp), end: hangUp },
  wallet: { ...TYPING, left: enterPin, ok: enterPin, call: enterPin, right: eraseOr(decline), end: decline },
  ended: OVER,
  failed: OVER,
  lost: OVER,
  rejected: { ...OVER, right: (phone) => openThread({ ...phone, call: null }) },
  unrejected: OVER,
  unknown: OVER,
  thread: { ...TYPING, left: text, ok: text, call: text, right: eraseOr(close), end: close },
  numbers: {
    up: pick(-1), down: pick(1), left: dialPicked, ok: dialPicked, call: dialPicked,
    right: close, erase: close, end: close, digit: startDialling,
  },
};
const HELD = {
  dialling: { 0: plus, right: forgetDialled },
  asking: { digit: typeDigit, right: forgetTyped },
  thread: { digit: typeDigit, right: forgetTyped },
};
