/** An inbound SMS and a delivery report in Africa's Talking's wire format. */

import { encode, moment, newId, post } from "./wire.js";

/** An SMS to the gateway; `line` has the path `{inbound}` and `{smsCode}`, `sim` and `log` are as in call.js. */
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

  /** Send it; true if the gateway accepts it. A repeated SMS has the same id, like the provider's. */
  async send() {
    return (await this.request("sms")).status === 200;
  }

  /** Repeat the request, like a provider; true if it is accepted again. */
  async repeat() {
    return (await this.request("repeat")).status === 200;
  }

  async request(kind) {
    const reply = await post(this.line.inbound, this.form);
    this.log({ kind, path: this.text, ...reply, taken: reply.status === 200 });
    return reply;
  }
}

/** Report the SMS with this id as delivered. */
export async function deliver(line, sim, id, log) {
  const { number, networkCode } = sim;
  const form = encode({ phoneNumber: number, retryCount: 0, id, status: "Success", networkCode });
  log({ kind: "delivery", path: `…${id.slice(-8)}`, ...await post(line.delivery, form) });
}
