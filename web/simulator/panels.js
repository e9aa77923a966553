/** The panels beside the phone: the SIM card, and tools for developers. */

import { made, put } from "./display.js";
import { lacksFonts } from "./fonts.js";
import { view } from "./handset.js";
import { measure, segmented } from "./measure.js";
import { isNumber, randomNumber } from "./sim.js";
import { LANGUAGES } from "./words.js";

const $ = (id) => document.getElementById(id);
const ROWS = 200; // requests in the log
const PATH = 24; // visible characters of a path: its end with the newest input
const PREFIX = { asking: "CON ", ended: "END " };
const TOLD = { // reports without a response text
  Success: "Success", Incomplete: "Incomplete", Failed: "Failed", delivery: "Success", rung: "Completed",
};
const SMS = { septets: "smsSeptets", units: "smsUnits" };

/** Every fixed text of the page. */
export function drawWords(say, language, codes) {
  document.documentElement.lang = language;
  document.title = `Ekdial · ${say("title")}`;
  document.querySelectorAll("[data-word]").forEach((part) => { part.textContent = say(part.dataset.word); });
  document.querySelectorAll("[data-label]").forEach((part) => part.setAttribute("aria-label", say(part.dataset.label)));
  const keyed = Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, `\n${code}\n`]));
  const parts = say("how", keyed).split("\n");
  $("how").replaceChildren(...parts.map((text, place) => (place % 2 ? made("kbd", { textContent: text }) : text)));
}

/** The panel of the SIM card: number, network, language; `changed` has one function for each choice. */
export class SimCard {
  constructor(settings, choices, changed) {
    Object.assign(this, { settings, choices, changed });
    $("number").addEventListener("change", ({ target }) => this.chosen(target.value));
    $("other").addEventListener("change", ({ target }) => this.entered(target.value.replace(/[\s-]/g, "")));
    $("new-sim").addEventListener("click", () => this.insert(randomNumber(choices.number)));
    $("network").addEventListener("change", ({ target }) => { changed.network(target.value); this.draw(this.say); });
    $("language").addEventListener("change", ({ target }) => changed.language(target.value));
    $("font-hint").hidden = !lacksFonts();
  }

  draw(say) {
    const { settings: { numbers, networks, languages }, choices } = this;
    this.say = say;
    const known = [...new Set([...numbers, choices.number])].map((number) => [number, number]);
    offer("number", [...known, ["other", say("other")]], choices.number);
    offer("network", networks.map(({ code, name }) => [code, name]), choices.network);
    offer("language", languages.map((language) => [language, LANGUAGES[language]]), choices.language);
    const network = networks.find(({ code }) => code === choices.network);
    put("network-hint", say(network.unicode ? "networkUnicode" : "networkLatin", network));
    $("other-number").hidden = true;
    $("samples").replaceChildren(...this.settings.samples.flatMap(({ name, number }) =>
      [made("dt", { textContent: number }), made("dd", { textContent: say(name) })]));
  }

  chosen(number) {
    $("other-number").hidden = number !== "other";
    if (number === "other") $("other").focus();
    else this.insert(number);
  }

  entered(number) {
    put("bad-number", isNumber(number) ? "" : this.say("badNumber"));
    if (isNumber(number)) this.insert(number);
  }

  insert(number) {
    $("other").value = "";
    this.changed.number(number);
    this.draw(this.say);
  }
}

function offer(id, options, chosen) {
  $(id).replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  $(id).value = chosen;
}

/** The panel for developers: screen size, request log, and two simulated failures. */
export class Developer {
  constructor({ drop, repeat }) {
    this.count = 0;
    $("drop").addEventListener("click", drop);
    $("repeat").addEventListener("click", async () => this.repeated(await repeat()));
  }

  draw(phone, { say, network, droppable, repeatable }) {
    this.say = say;
    $("drop").disabled = !droppable;
    $("repeat").disabled = !repeatable;
    const showing = view(phone);
    const sms = phone.open === "thread" && phone.thread.at(-1);
    const text = sms && (phone.draft.text || sms.text);
    $("meter").hidden = !(showing in PREFIX);
    $("measured").classList.remove("over");
    if (showing in PREFIX) drawRoom(measure(PREFIX[showing] + phone.call.text), network, say);
    else put("measured", text ? sizeOfSms(segmented(text), say) : say("nothingYet"));
  }

  /**
   * Log one request; `kind` is "dial", "answer", "repeat", "sms", "delivery", "ring", "rung", "wallet" or, for the
   * end-of-session event, its status.
   */
  log(request) {
    const { kind, path, status, ms } = request;
    const row = $("rows").insertRow();
    row.title = path;
    row.dataset.kind = kind;
    [ending(path), this.came(request), `${Math.round(ms)} ms`].forEach((text) => row.insertCell().append(text));
    row.classList.toggle("different", status !== 200);
    if ($("rows").rows.length > ROWS) $("rows").deleteRow(0);
    $("log").querySelector(".rows").scrollTop = Number.MAX_SAFE_INTEGER; // scrolls the table, not the page
    this.count += 1;
    put("count", String(this.count));
  }

  /** The response in a word or two. */
  came({ kind, status, body, headers, taken, rejected, said }) {
    if (status !== 200) return status ? `HTTP ${status}` : this.say("failedHop");
    if (taken) return this.say("taken");
    if (said) return said;
    if (rejected) return withOutcome("Reject", headers);
    const told = TOLD[kind];
    return told ? this.say("told", { status: told }) : `${body.slice(0, 3)} ${measure(body).used}`;
  }

  repeated(same) {
    const row = $("rows").lastElementChild;
    row.classList.add(same ? "same" : "different");
    row.cells[1].textContent = this.say(same ? "same" : "different");
  }
}

const ending = (path) => (path.length > PATH ? `…${path.slice(1 - PATH)}` : path);

/** The text, and why no SMS comes, with the time at which one comes again. */
function withOutcome(text, headers) {
  const outcome = headers?.get("Ekdial-Call-Outcome") ?? "answered";
  const until = headers?.get("Ekdial-Cooldown-Until");
  if (outcome === "answered") return text;
  return until ? `${text}: ${outcome}, ${new Date(until).toTimeString().slice(0, 5)}` : `${text}: ${outcome}`;
}

const sizeOfSms = ({ kind, used, segments }, say) => say(SMS[kind], { used, segments });

function drawRoom({ kind, used }, { septets, units, unicode }, say) {
  const most = kind === "septets" ? septets : units;
  const unshown = kind === "units" && !unicode ? "notShown" : "";
  const wrong = unshown || (used > most ? "over" : "");
  Object.assign($("meter"), { max: most, value: used });
  put("measured", say(kind, { used, most }) + (wrong && ` · ${say(wrong)}`));
  $("measured").classList.toggle("over", wrong !== "");
}
