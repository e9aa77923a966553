/** SMS on the wire as Africa's Talking puts them there: one that was written, and the report of one that came. */

import { encode, moment, newId, post } from "./wire.js";

/** An SMS to the gateway; `line` has its path `{inbound}` and `{smsCode}`, `sim` and `log` are as a call's. */
export class Sms {
  constructor(line, sim, text, log) {
    this.line = line;
    this.text = text;
    this.log = log;
    this.id = newId("ATXid_");
    this.form = encode({
      linkId: "", text, to: line.smsCode, id: this.id, date: moment(), from: sim.number, networkCode: sim.networkCode,
    });
  }

  /** Whether the gateway took it; sent again, it goes under the same id, as the provider repeats what was not taken. */
  async send() {
    return (await this.request("sms")).status === 200;
  }

  /** Send it once more, as a provider may; true when it is taken again. */
  async repeat() {
    return (await this.request("repeat")).status === 200;
  }

  async request(kind) {
    const reply = await post(this.line.inbound, this.form);
    this.log({ kind, path: this.text, ...reply, taken: reply.status === 200 });
    return reply;
  }
}

/** Tell the gateway that the SMS with this id is on the phone. */
export async function deliver(line, sim, id, log) {
  const { number, networkCode } = sim;
  const form = encode({ phoneNumber: number, retryCount: 0, id, status: "Success", networkCode });
  log({ kind: "delivery", path: `…${id.slice(-8)}`, ...await post(line.delivery, form) });
}
