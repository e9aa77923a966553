/** One USSD session in Africa's Talking's wire format. */

import { encode, moment, newId, post } from "./wire.js";

const HOP_METADATA = "at-ussd-hop-metadata"; // a response sets it, and the next request returns it

/**
 * `line` has the gateway's paths `{callback, events}`; `sim` is `{number, networkCode, serviceCode}`;
 * `log(hop)` is called after every response: `{kind, path, status, body, ms}`.
 */
export class Call {
  constructor(line, sim, log) {
    this.line = line;
    this.sim = sim;
    this.log = log;
    this.sessionId = newId("ATUid_");
    this.begun = performance.now();
    this.path = "";
    this.labels = [];
    this.hops = 0;
    this.lastResponse = "";
    this.echo = null;
    this.lastRequest = null;
    this.over = false;
  }

  /** Dial; `beyond` is the part of a deep dial past the short code. Resolves to `{kind, text}`. */
  async dial(beyond = "") {
    this.path = beyond;
    return this.hop("dial");
  }

  /** Send one input; `kind` is "CON", "END" or "failed". */
  async answer(typed) {
    this.path = this.path ? `${this.path}*${typed}` : typed;
    return this.hop("answer");
  }

  async hop(kind) {
    this.hops += 1;
    this.lastRequest = { form: this.requestForm(), echo: this.echo };
    const reply = await this.request(kind);
    this.lastResponse = reply.body;
    this.echo = reply.headers.get(HOP_METADATA);
    if (this.echo) this.labels.push(this.echo);
    return this.heard(reply);
  }

  heard(reply) {
    const found = reply.status === 200 && /^(CON|END) ([^]*)$/.exec(reply.body);
    if (!found) {
      this.finish("Failed", reply.why ?? `HTTP ${reply.status}`);
      return { kind: "failed", text: "" };
    }
    if (found[1] === "END") this.finish("Success");
    return { kind: found[1], text: found[2] };
  }

  /** Repeat the last request, like a provider; true if the response is the same. */
  async repeat() {
    const again = await this.request("repeat");
    return again.body === this.lastResponse;
  }

  async request(kind) {
    const { form, echo } = this.lastRequest;
    const reply = await post(this.line.callback, form, echo ? { [HOP_METADATA]: echo } : {});
    this.log({ kind, path: this.path, ...reply });
    return reply;
  }

  /** Report once that the session has ended: "Success", "Incomplete" (hung up) or "Failed". */
  async finish(status, why = "") {
    if (this.over) return;
    this.over = true;
    const reply = await post(this.line.events, this.eventForm(status, why));
    this.log({ kind: status, path: this.path, ...reply });
  }

  /** Drop the session without a report, like a bad network. */
  drop() {
    this.over = true;
  }

  requestForm() {
    const { number, networkCode, serviceCode } = this.sim;
    return encode({
      phoneNumber: number, serviceCode, text: this.path, sessionId: this.sessionId, networkCode,
    });
  }

  eventForm(status, errorMessage) {
    const { number, networkCode, serviceCode } = this.sim;
    return encode({
      durationInMillis: Math.round(performance.now() - this.begun), phoneNumber: number, errorMessage, serviceCode,
      lastAppResponse: this.lastResponse, hopsMetadata: this.labels.join("|"), hopsCount: this.hops, status,
      sessionId: this.sessionId, cost: "0.00", date: moment(), networkCode, input: this.path,
    });
  }
}

/** `*123*2*123456789012#` under the short code `*123#` → `2*123456789012`; null for another code. */
export function beyond(dialled, serviceCode) {
  const stem = serviceCode.slice(0, -1);
  if (dialled === serviceCode) return "";
  return dialled.startsWith(`${stem}*`) && dialled.endsWith("#") ? dialled.slice(stem.length + 1, -1) : null;
}
