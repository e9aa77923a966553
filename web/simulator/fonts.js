/** Whether this computer can draw the letters of a script. */

const PAIRS = ["কম", "कम"]; // two letters that differ, in Bengali and in Devanagari

/** Whether the letters of Bengali or Hindi appear as boxes: then two different letters look the same. */
export const lacksFonts = () => PAIRS.some(([one, other]) => drawn(one) === drawn(other));

function drawn(letter) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
  const context = canvas.getContext("2d");
  context.font = "24px system-ui, sans-serif";
  context.fillText(letter, 4, 30);
  return canvas.toDataURL();
}
