/** The size of a text: GSM-7 septets, or UTF-16 units if GSM-7 lacks one of its characters. */

const BASIC =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION = "\f^{}\\[~]|€"; // an escape and a character: two septets each
const ALONE = { septets: 160, units: 70 }; // in one segment
const JOINED = { septets: 153, units: 67 }; // in each of several, with a header

const COST = new Map([...[...BASIC].map((c) => [c, 1]), ...[...EXTENSION].map((c) => [c, 2])]);

/** `{kind: "septets" | "units", used}` */
export function measure(text) {
  const { kind, costs } = priced(text);
  return { kind, used: costs.reduce((sum, cost) => sum + cost, 0) };
}

/**
 * The size of an SMS: `{kind, used, segments, most}`; `most` is the capacity of these segments. Like a handset, it splits
 * neither an escape from its character nor a surrogate pair.
 */
export function segmented(text) {
  const { kind, costs } = priced(text);
  const used = costs.reduce((sum, cost) => sum + cost, 0);
  if (used <= ALONE[kind]) return { kind, used, segments: 1, most: ALONE[kind] };
  const [full, last] = costs.reduce(([parts, part], cost) =>
    (part + cost > JOINED[kind] ? [parts + 1, cost] : [parts, part + cost]), [0, 0]);
  const segments = full + (last > 0 ? 1 : 0);
  return { kind, used, segments, most: segments * JOINED[kind] };
}

function priced(text) {
  const characters = [...text];
  const costs = characters.map((character) => COST.get(character));
  return costs.includes(undefined)
    ? { kind: "units", costs: characters.map(({ length }) => length) }
    : { kind: "septets", costs };
}
