// An SMSC out of the npm package `smpp`, on 127.0.0.1: told what to do by lines of JSON, and saying what it read by others.
// Usage: NODE_PATH=…/node_modules node npm_smsc.js
const smpp = require("smpp");
const say = (event) => process.stdout.write(JSON.stringify(event) + "\n");
const hex = (value) => (Buffer.isBuffer(value) ? value.toString("hex") : undefined);
let accepted = 0;
let rejecting = [];
let esme = null;

function readText(pdu) {
  const { message, udh } = pdu.short_message;
  const payload = pdu.message_payload && pdu.message_payload.message;
  const text = payload !== undefined ? payload : message;
  return { text: Buffer.isBuffer(text) ? text.toString("latin1") : text, udh: (udh || []).map((one) => one.toString("hex")) };
}

function serve(session) {
  session.on("error", () => {});
  session.on("pdu", (pdu) => {
    if (pdu.command.startsWith("bind_")) {
      const known = pdu.password === "s3cret";
      session.send(pdu.response({ command_status: known ? 0 : smpp.ESME_RINVPASWD }));
      if (known && pdu.command !== "bind_transmitter") esme = session;
      say({ event: "bind", command: pdu.command, system_id: pdu.system_id, known });
    } else if (pdu.command === "submit_sm") {
      const status = rejecting.shift() || 0;
      const seconds = pdu.validity_period ? Math.round((pdu.validity_period - Date.now()) / 1000) : 0;
      session.send(pdu.response(status ? { command_status: status } : { message_id: `n${++accepted}` }));
      say({
        event: "submit", ...readText(pdu), source: pdu.source_addr, destination: pdu.destination_addr,
        ton: [pdu.source_addr_ton, pdu.dest_addr_ton], coding: pdu.data_coding, seconds,
        report: pdu.registered_delivery, entity: hex(pdu["5120"]), template: hex(pdu["5121"]),
        op: pdu.ussd_service_op, info: hex(pdu.its_session_info), user_reference: pdu.user_message_reference,
        service_type: pdu.service_type,
        sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
      });
    } else if (pdu.command === "enquire_link") {
      session.send(pdu.response());
      say({ event: "enquire_link" });
    } else if (pdu.command === "unbind") {
      session.send(pdu.response());
      say({ event: "unbind" });
    }
  });
}

const commands = {
  deliver({ command, fields }) {
    if (fields.udh) fields.short_message = { udh: Buffer.from(fields.udh, "hex"), message: fields.short_message };
    delete fields.udh;
    if (fields.its_session_info) fields.its_session_info = Buffer.from(fields.its_session_info, "hex");
    esme[command || "deliver_sm"](fields, (pdu) => say({ event: "answer", command: pdu.command, status: pdu.command_status }));
  },
  enquire: () => esme.enquire_link({}, (pdu) => say({ event: "answer", command: pdu.command, status: pdu.command_status })),
  reject: ({ status }) => rejecting.push(status),
  drop: () => esme.destroy(),
};

const server = smpp.createServer({}, serve);
server.listen(0, "127.0.0.1", () => say({ event: "listening", port: server.address().port }));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const told = JSON.parse(line);
  commands[told.do](told);
  say({ event: "told" });
}).on("close", () => process.exit(0));
