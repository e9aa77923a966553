/** Multi-tap input of a keypad as a value: `{text, caret, mode, tap}`. */

export const LETTERS = {
  1: ".,?!'-@/1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6", 7: "pqrs7", 8: "tuv8", 9: "wxyz9",
  0: " 0", "*": "*#+",
};
const MODES = ["123", "Abc", "abc"]; // digits; letters with capitals where words begin; letters
const SAME_LETTER_WITHIN = 1000; // ms between two taps for one letter

/** Empty input. */
export const blank = (mode = "123") => ({ text: "", caret: 0, mode, tap: null });

/** Input that was typed or pasted without the keypad. */
export const set = (typed, text, caret) => ({ ...typed, text, caret, tap: null });

/** One key of the keypad at `now` ms; `#` changes the mode. */
export function tap(typed, key, now) {
  if (key === "#") return { ...typed, mode: MODES[(MODES.indexOf(typed.mode) + 1) % MODES.length], tap: null };
  if (typed.mode === "123") return replace(typed, 0, key, null);
  const again = typed.tap?.key === key && now - typed.tap.now < SAME_LETTER_WITHIN;
  const turn = again ? (typed.tap.turn + 1) % LETTERS[key].length : 0;
  return replace(typed, again ? 1 : 0, capital(typed, again, LETTERS[key][turn]), { key, now, turn });
}

/** A held key replaces the letter of its tap with its digit. */
export const hold = (typed, key) => (typed.tap?.key === key ? replace(typed, 1, key, null) : typed);

/** Delete the character before the caret. */
export const erase = (typed) => replace(typed, [...typed.text.slice(0, typed.caret)].at(-1)?.length ?? 0, "", null);

/** Move the caret by this number of characters. */
export function move(typed, by) {
  return { ...typed, caret: Math.min(Math.max(typed.caret + by, 0), typed.text.length), tap: null };
}

function capital({ text, caret, mode }, again, letter) {
  const before = text.slice(0, caret - (again ? 1 : 0));
  return mode === "Abc" && /(^|\s)$/.test(before) ? letter.toUpperCase() : letter;
}

/** Replace the `count` characters before the caret with `letter`. */
function replace(typed, count, letter, tapped) {
  const { text, caret } = typed;
  const start = caret - count;
  return { ...typed, text: text.slice(0, start) + letter + text.slice(caret), caret: start + letter.length, tap: tapped };
}
