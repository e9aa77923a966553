/** How much room a text takes: GSM-7 septets, or UTF-16 units where that alphabet lacks one of its characters. */

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€"; // an escape and a character: two septets each

const COST = new Map([...[...BASIC].map((c) => [c, 1]), ...[...EXTENSION].map((c) => [c, 2])]);

/** `{kind: "septets" | "units", used}` */
export function measure(text) {
  const costs = [...text].map((character) => COST.get(character));
  if (costs.includes(undefined)) return { kind: "units", used: text.length };
  return { kind: "septets", used: costs.reduce((sum, cost) => sum + cost, 0) };
}
