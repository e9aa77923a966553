/** The handset as a value: what it shows, and what a key does to it. No page, no network and no clock in here. */

export const LETTERS = {
  1: ".,?!'-@/1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6", 7: "pqrs7", 8: "tuv8", 9: "wxyz9",
  0: " 0", "*": "*#+",
};
const MODES = ["123", "Abc", "abc"]; // digits; letters with capitals where words begin; letters
const SAME_LETTER_WITHIN = 1000; // ms between two taps that still mean one letter
const NOTHING = { text: "", caret: 0 };

/**
 * `call` is null or `{phase: "waiting" | "asking" | "ended" | "failed" | "lost", text}`; `open` is null, "inbox" or
 * the id of the message being read; `inbox` has the newest first; `news` is the id of one that came during the call.
 */
export function newHandset(serviceCode) {
  return {
    serviceCode, dialled: "", lastDialled: "", call: null, answer: NOTHING, mode: "123", tap: null,
    inbox: [], unread: [], news: null, open: null, fromInbox: false, picked: 0,
  };
}

/** Which of its pictures the display shows. */
export function view(phone) {
  if (phone.open !== null) return phone.open === "inbox" ? "inbox" : "message";
  if (phone.call) return phone.call.phase;
  return phone.dialled ? "dialling" : "idle";
}

/** The words on the soft keys, left and right; "" where a key does nothing just now. */
export function softKeys(phone) {
  const erases = phone.answer.text ? "clear" : "cancel";
  const keys = {
    idle: ["messages", "shortcut"], dialling: ["call", "clear"], waiting: ["", "cancel"], asking: ["send", erases],
    ended: ["ok", ""], failed: ["ok", ""], lost: ["ok", ""],
    inbox: [phone.inbox.length ? "open" : "", "back"], message: ["", "back"],
  };
  return keys[view(phone)];
}

/**
 * One key: `0`-`9 * #`, `left right` (soft keys), `ok up down back on` (the pad), `call end`, and `erase`, which only a
 * computer's keyboard has. `now` is in ms; `long` says that the key, pressed already, is still held. Answers
 * `[phone, act]`; an act, where there is one, is for the caller to do: `{dial}`, `{answer}`, `{hangUp}`, `{scroll}`,
 * `{refuse}`.
 */
export function press(phone, key, { now = 0, long = false } = {}) {
  const keys = (long ? HELD : KEYS)[view(phone)] ?? {};
  const does = keys[key] ?? (key in LETTERS || key === "#" ? keys.digit : undefined);
  return does ? does(phone, key, now) : [phone];
}

/** What was typed or pasted into the answer by other means than the keypad. */
export const write = (phone, text, caret) => ({ ...phone, answer: { text, caret }, tap: null });

/** Digits dialled at once, from a keyboard's clipboard; anything that cannot be dialled is left out. */
export const paste = (phone, text) =>
  ["idle", "dialling"].includes(view(phone))
    ? { ...phone, dialled: phone.dialled + text.replace(/[^0-9*#+]/g, "") }
    : phone;

export const waiting = (phone) => ({ ...phone, call: { phase: "waiting", text: "" }, open: null });

/** What came of a hop: `kind` is "CON", "END", "failed", or "lost" for a line that went without a word. */
export function hear(phone, { kind, text }) {
  const phase = { CON: "asking", END: "ended", failed: "failed", lost: "lost" }[kind];
  return { ...phone, call: { phase, text }, answer: NOTHING, mode: "123", tap: null };
}

/** An SMS: into the inbox, once; `read` for one that had been read before. */
export function receive(phone, sms, read = false) {
  if (phone.inbox.some(({ id }) => id === sms.id)) return phone;
  const inbox = [sms, ...phone.inbox].sort((one, other) => other.at.localeCompare(one.at));
  if (read) return { ...phone, inbox };
  return { ...phone, inbox, unread: [sms.id, ...phone.unread], news: phone.call ? sms.id : null };
}

/** Read one message; going back from it leads to the list, or to what was there before. */
export const read = (phone, id, fromInbox = false) =>
  ({ ...phone, open: id, fromInbox, news: null, unread: phone.unread.filter((other) => other !== id) });

const startDialling = (phone, key) => [{ ...phone, call: null, dialled: phone.dialled + key }];
const recallLast = (phone) => [{ ...phone, dialled: phone.lastDialled }];
const shortcut = (phone) => [{ ...phone, dialled: phone.serviceCode }];
const eraseDialled = (phone) => [{ ...phone, dialled: phone.dialled.slice(0, -1) }];
const forgetDialled = (phone) => [{ ...phone, dialled: "" }];
const plus = (phone) => [phone.dialled.endsWith("0") ? { ...phone, dialled: `${phone.dialled.slice(0, -1)}+` } : phone];
const dial = (phone) => [{ ...phone, dialled: "", lastDialled: phone.dialled, news: null }, { dial: phone.dialled }];
const hangUp = (phone) => [{ ...phone, call: null, answer: NOTHING }, { hangUp: true }];
const dismiss = (phone) => [{ ...phone, call: null }];
const send = (phone) => (phone.answer.text ? [phone, { answer: phone.answer.text }] : [phone, { refuse: true }]);
const scroll = (by) => (phone) => [phone, { scroll: by }];
const openInbox = (phone) => [{ ...phone, open: "inbox", picked: 0 }];
const close = (phone) => [{ ...phone, open: null }];
const backFromMessage = (phone) => [{ ...phone, open: phone.fromInbox ? "inbox" : null }];
const readPicked = (phone) => [phone.inbox.length ? read(phone, phone.inbox[phone.picked].id, true) : phone];

const pick = (by) => (phone) => {
  const count = phone.inbox.length;
  return [count ? { ...phone, picked: (phone.picked + by + count) % count } : phone];
};

const moveCaret = (by) => (phone) => {
  const { text, caret } = phone.answer;
  return [{ ...phone, answer: { text, caret: Math.min(Math.max(caret + by, 0), text.length) }, tap: null }];
};

function type(phone, key, now) {
  if (key === "#") return [{ ...phone, mode: MODES[(MODES.indexOf(phone.mode) + 1) % MODES.length], tap: null }];
  if (phone.mode === "123") return [replace(phone, "", key, null)];
  const again = phone.tap?.key === key && now - phone.tap.now < SAME_LETTER_WITHIN;
  const turn = again ? (phone.tap.turn + 1) % LETTERS[key].length : 0;
  return [replace(phone, again ? 1 : 0, capital(phone, again, LETTERS[key][turn]), { key, now, turn })];
}

function capital(phone, again, letter) {
  const before = phone.answer.text.slice(0, phone.answer.caret - (again ? 1 : 0));
  return phone.mode === "Abc" && /(^|\s)$/.test(before) ? letter.toUpperCase() : letter;
}

/** Put `letter` at the caret in the place of the `count` characters before it. */
function replace(phone, count, letter, tap) {
  const { text, caret } = phone.answer;
  const start = caret - count;
  const answer = { text: text.slice(0, start) + letter + text.slice(caret), caret: start + letter.length };
  return { ...phone, tap, answer };
}

const typeDigit = (phone, key) => [phone.tap?.key === key ? replace(phone, 1, key, null) : phone];
const erase = (phone) => [replace(phone, Math.min(1, phone.answer.caret), "", null)];
const eraseOrHangUp = (phone) => (phone.answer.text ? erase(phone) : hangUp(phone));
const forgetTyped = (phone) => [{ ...phone, answer: NOTHING, tap: null }];

const OVER = {
  left: dismiss, right: dismiss, ok: dismiss, call: dismiss, end: dismiss, erase: dismiss,
  up: scroll(-1), down: scroll(1), digit: startDialling,
};
const KEYS = {
  idle: {
    digit: startDialling, call: recallLast, right: shortcut,
    left: openInbox, ok: openInbox, up: openInbox, down: openInbox,
  },
  dialling: {
    digit: startDialling, left: dial, ok: dial, call: dial,
    right: eraseDialled, erase: eraseDialled, end: forgetDialled,
  },
  waiting: { right: hangUp, end: hangUp },
  asking: {
    digit: type, left: send, ok: send, call: send, right: eraseOrHangUp, erase, end: hangUp,
    up: scroll(-1), down: scroll(1), back: moveCaret(-1), on: moveCaret(1),
  },
  ended: OVER,
  failed: OVER,
  lost: OVER,
  inbox: { up: pick(-1), down: pick(1), left: readPicked, ok: readPicked, right: close, erase: close, end: close },
  message: { up: scroll(-1), down: scroll(1), right: backFromMessage, erase: backFromMessage, end: close },
};
const HELD = {
  dialling: { 0: plus, right: forgetDialled },
  asking: { digit: typeDigit, right: forgetTyped },
};
