/** One missed call in Africa's Talking's wire format. */

import { encode, moment, newId, post } from "./wire.js";

const REJECTS = /^\s*(<\?xml[^>]*\?>)?\s*<Response>\s*<Reject\s*\/>\s*<\/Response>\s*$/;
const COUNTRY = /^\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})/; // E.164 country codes, of which none is a prefix of another

/** `line` has the gateway's path `{voice}`; `sim` is `{number, networkName}`, `to` the called number. */
export class Ring {
  constructor(line, sim, to, log) {
    Object.assign(this, { line, sim, to, log });
    this.sessionId = newId("ATVId_");
    this.started = moment();
    this.over = false;
  }

  /** Ring; resolves to `{kind: "rejected"}`, or `{kind: "unrejected", why}` with the response. */
  async dial() {
    const reply = await this.request("ring");
    const rejected = reply.status === 200 && REJECTS.test(reply.body);
    this.finish();
    return rejected ? { kind: "rejected" } : { kind: "unrejected", why: reply.why ?? `HTTP ${reply.status}` };
  }

  /** Repeat the first webhook, like a provider; true if the gateway rejects it again. */
  async repeat() {
    return REJECTS.test((await this.request("repeat")).body);
  }

  /** Report once that the call has ended. */
  async finish() {
    if (this.over) return;
    this.over = true;
    const ended = { durationInSeconds: 0, amount: "0.000", status: "Success", currencyCode: "KES" };
    const reply = await post(this.line.voice, this.form("Completed", 0, ended));
    this.log({ kind: "rung", path: this.to, ...reply });
  }

  async request(kind) {
    const reply = await post(this.line.voice, this.form("Ringing", 1));
    this.log({ kind, path: this.to, ...reply, rejected: REJECTS.test(reply.body) });
    return reply;
  }

  form(callSessionState, isActive, more = {}) {
    const { number, networkName } = this.sim;
    return encode({
      callSessionState, direction: "Inbound", callerCountryCode: countryCode(number), callerNumber: number,
      sessionId: this.sessionId, destinationNumber: this.to, callerCarrierName: networkName,
      callStartTime: this.started, isActive, ...more,
    });
  }
}

/** `+8801700000001` → `880`; `-1`, like the provider, for a number without a country code. */
export const countryCode = (number) => COUNTRY.exec(number)?.[1] ?? "-1";

/** The dialled one of `numbers`, with `+`, `00` or neither; undefined for another number. */
export function rung(dialled, numbers) {
  const plain = dialled.replace(/\D/g, "").replace(/^00/, "");
  return /[*#]/.test(dialled) ? undefined : numbers.find((number) => number.replace(/\D/g, "") === plain);
}
