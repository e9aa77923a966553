/** The handset as a value: its display, and the effect of each key. Pure: no page, no network, no clock. */

import { LETTERS, blank, erase, hold, move, set, tap } from "./typing.js";

/** Whether something is in progress: a payment request waits until it ends. */
const BUSY = new Set(["waiting", "asking", "ringing"]);

/**
 * `call` is null or `{phase, text}`, its phase "waiting", "asking", "ended", "failed" or "lost" in a USSD call,
 * "ringing", "rejected" or "unrejected" in a voice call, and "unknown" for an unknown number. `thread` has
 * the SMS, the newest last: `{id, from, text, at}`, and `{id, text, at, state}` for sent ones,
 * its state "sending", "sent" or "unsent". `unread` are ids, `news` is the id of one that arrived during the call.
 * `wallets` are the payment requests: `{id, amount, payee, about}`.
 * `open` is null, "thread" or "numbers". `answer` and `draft` are typed texts: the input of the session, and an SMS.
 */
export function newHandset(serviceCode, missedCalls = []) {
  return {
    serviceCode, missedCalls, dialled: "", lastDialled: "", call: null, answer: blank(), draft: blank("Abc"),
    thread: [], unread: [], news: null, wallets: [], open: null, picked: 0,
  };
}

/** The current view of the display. */
export function view(phone) {
  if (phone.wallets.length && !BUSY.has(phone.call?.phase)) return "wallet";
  if (phone.open !== null) return phone.open;
  if (phone.call) return phone.call.phase;
  return phone.dialled ? "dialling" : "idle";
}

/** The field that keys go to. */
export const fieldOf = (phone) => (view(phone) === "thread" ? "draft" : "answer");

/** The numbers that the green key offers, as `{number, action}`: last dialled, short code, missed-call numbers. */
export function numbersOf({ lastDialled, serviceCode, missedCalls }) {
  const known = [{ number: serviceCode, action: "ussd" }, ...missedCalls];
  const another = lastDialled && !known.some(({ number }) => number === lastDialled);
  return another ? [{ number: lastDialled, action: "last" }, ...known] : known;
}

/** The labels of the soft keys, left and right; "" for a key without an action. */
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
 * computer's keyboard has. `now` is in ms; `long` says that the pressed key is held. Returns
 * `[phone, act]`; the caller performs the act, if there is one: `{dial}`, `{answer}`, `{text}` (an SMS to send),
 * `{wallet}` (the request's id, and the PIN or null to decline), `{hangUp}`, `{scroll}`, `{refuse}`.
 */
export function press(phone, key, { now = 0, long = false } = {}) {
  const keys = (long ? HELD : KEYS)[view(phone)] ?? {};
  const does = keys[key] ?? (key in LETTERS || key === "#" ? keys.digit : undefined);
  return does ? does(phone, key, now) : [phone];
}

/** Input that was typed or pasted without the keypad. */
export function write(phone, text, caret) {
  const field = fieldOf(phone);
  return { ...phone, [field]: set(phone[field], text, caret) };
}

/** Dial pasted digits; other characters are dropped. */
export const paste = (phone, text) =>
  ["idle", "dialling"].includes(view(phone))
    ? { ...phone, dialled: phone.dialled + text.replace(/[^0-9*#+]/g, "") }
    : phone;

export const waiting = (phone) => ({ ...phone, call: { phase: "waiting", text: "" }, open: null });

/** Ring `number`, until `hear` gives the result. */
export const ringing = (phone, number) => ({ ...phone, call: { phase: "ringing", text: number }, open: null });

/**
 * The result of a request or a call: `kind` is "CON", "END", "failed", "rejected", "unrejected" or "unknown", or "lost" for
 * a dropped session.
 */
export function hear(phone, { kind, text }) {
  const phase = { CON: "asking", END: "ended" }[kind] ?? kind;
  return { ...phone, call: { phase, text }, answer: blank() };
}

/** The idle phone: nothing dialled, no call, no open list. Received SMS and the draft stay. */
export const idle = (phone) => ({ ...phone, dialled: "", call: null, answer: blank(), open: null, news: null });

/** Add a received SMS, once; `read` for one that was read before. */
export function receive(phone, sms, read = false) {
  if (phone.thread.some(({ id }) => id === sms.id)) return phone;
  const heard = { ...phone, thread: [...phone.thread, sms], draft: readyFor(sms, phone.draft) };
  if (read || phone.open === "thread") return heard;
  return { ...heard, unread: [...phone.unread, sms.id], news: phone.call ? sms.id : null };
}

/** Add a payment request, once; it covers everything but a call. */
export function walletAsked(phone, asked) {
  if (phone.wallets.some(({ id }) => id === asked.id)) return phone;
  return { ...phone, wallets: [...phone.wallets, asked], answer: phone.wallets.length ? phone.answer : blank() };
}

/** After an SMS with numbered lines the keypad writes digits, unless a draft exists. */
const readyFor = ({ text }, draft) => (draft.text === "" && /^\d+ /m.test(text) ? blank("123") : draft);

/** Add a sent SMS; a repeated one exists already. */
export function sending(phone, sms) {
  const known = phone.thread.some(({ id }) => id === sms.id);
  const thread = known ? phone.thread : [...phone.thread, sms];
  return inState({ ...phone, thread, draft: known ? phone.draft : blank(phone.draft.mode) }, sms.id, "sending");
}

/** Set the state of a sent SMS: "sending", "sent" or "unsent". */
export const inState = (phone, id, state) =>
  ({ ...phone, thread: phone.thread.map((sms) => (sms.id === id ? { ...sms, state } : sms)) });

/** Open the thread; going back leads to the view before. */
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

/** A key that changes the input. */
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
