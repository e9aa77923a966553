/** The texts of the page and of the handset in every language; the gateway's texts come from the gateway. */

import { TEXTS } from "./texts.js";

/** By language: its name, its tag for dates and numbers, its script, and the words of `words/*.toml`. */
export const LANGUAGES = Object.fromEntries(Object.entries(TEXTS).map(([code, { name }]) => [code, name]));
export const WORDS = Object.fromEntries(Object.entries(TEXTS).map(([code, { words }]) => [code, words]));
const SCRIPTS = Object.entries(TEXTS)
  .filter(([, { script }]) => script !== "Latin")
  .map(([code, { script }]) => [code, new RegExp(`\\p{Script=${script}}`, "u")]);

/** `say("septets", {used: 48, most: 160})` in `language`, numbers with its digits. */
export function speaker(language) {
  const { format } = new Intl.NumberFormat(TEXTS[language].tag);
  const spelled = (fact) => (typeof fact === "number" ? format(fact) : fact);
  return (name, facts = {}) => WORDS[language][name].replace(/\{(\w+)\}/g, (_, fact) => spelled(facts[fact]));
}

/** Time, on a clock of 12 hours, and date in the format of `language`. */
export const timeOf = (date, language) =>
  new Intl.DateTimeFormat(TEXTS[language].tag, { hour: "numeric", minute: "2-digit", hour12: true }).format(date);
export const dayOf = (date, language) =>
  new Intl.DateTimeFormat(TEXTS[language].tag, { weekday: "short", day: "numeric", month: "short" }).format(date);

/** The language for reading a text of the gateway aloud: the page's, if it has the text's script, else the first with it. */
export function languageOf(text, language) {
  const fitting = SCRIPTS.filter(([, script]) => script.test(text)).map(([code]) => code);
  return fitting.includes(language) ? language : fitting[0] ?? Object.keys(TEXTS)[0];
}
