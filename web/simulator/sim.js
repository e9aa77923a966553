/** What is remembered between visits: the SIM card, its network, the language, and which of its SMS were read and reported. */

const PLACE = "ekdial.simulator";
const MOST = 200; // ids of SMS kept; a gateway keeps no more of a number's
const E164 = /^\+[1-9]\d{6,14}$/;
// Where new numbers are drawn from, and how many digits are drawn: the sample numbers' neighbours, nobody else's.
const BLOCKS = { "+88017000": 5, "+9190000": 5, "+25470000": 4 };

export const isNumber = (text) => E164.test(text);

/** A number beside the sample ones, of the country that `number` is of where it is one of theirs. */
export function randomNumber(number) {
  const blocks = Object.keys(BLOCKS);
  const block = blocks.find((start) => number.startsWith(start.slice(0, 3))) ?? blocks[0];
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0] % 10 ** BLOCKS[block];
  return block + String(drawn).padStart(BLOCKS[block], "0");
}

/** The remembered choices, each checked against what this gateway offers. */
export function remembered(phone) {
  const kept = load();
  const offers = (values, value) => (values.includes(value) ? value : values[0]);
  return {
    number: isNumber(kept.number) ? kept.number : phone.numbers[0],
    network: offers(phone.networks.map(({ code }) => code), kept.network),
    language: offers(phone.languages, kept.language ?? navigator.language.slice(0, 2)),
    read: newest(kept.read),
    delivered: newest(kept.delivered),
  };
}

export function remember(choices) {
  try {
    const { read, delivered } = choices;
    localStorage.setItem(PLACE, JSON.stringify({ ...choices, read: newest(read), delivered: newest(delivered) }));
  } catch {
    // A browser that keeps nothing still has a phone; it starts from the first sample number each time.
  }
}

const newest = (ids) => (Array.isArray(ids) ? ids.slice(0, MOST) : []);

function load() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? {};
  } catch {
    return {};
  }
}
