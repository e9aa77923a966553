/** The browser's storage: SIM card, network, language, and the ids of SMS that were read and reported. */

const PLACE = "ekdial.simulator";
const MOST = 200; // stored ids of SMS; a gateway stores no more for a number
const E164 = /^\+[1-9]\d{6,14}$/;
// Prefixes of new numbers and the count of random digits: neighbours of the sample numbers, which nobody owns.
const BLOCKS = { "+88017000": 5, "+9190000": 5, "+25470000": 4 };

export const isNumber = (text) => E164.test(text);

/** A new number near the sample numbers, in the country of `number` if that is one of theirs. */
export function randomNumber(number) {
  const blocks = Object.keys(BLOCKS);
  const block = blocks.find((start) => number.startsWith(start.slice(0, 3))) ?? blocks[0];
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0] % 10 ** BLOCKS[block];
  return block + String(drawn).padStart(BLOCKS[block], "0");
}

/** The stored choices that this gateway offers. */
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
    // In a browser without storage the phone starts with the first sample number each time.
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
