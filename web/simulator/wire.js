/** What all requests to the gateway share: the provider's encoding, its ids and its timeout. */

const ANSWERS_WITHIN = 10_000; // ms, like the provider
const STILL_ESCAPED = /[!'()*]/g; // the provider escapes these, unlike encodeURIComponent

/** An id in the provider's form: `ATUid_`, `ATXid_` or `ATVId_`, and 32 hexadecimal digits. */
export function newId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return prefix + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The current time in UTC in the provider's form: `2026-01-02 03:04:05`. */
export const moment = () => new Date().toISOString().slice(0, 19).replace("T", " ");

/** A form body in the provider's encoding: `+` for a space, `%2A` for an asterisk, `%2B` for a plus. */
export function encode(fields) {
  const spelled = (text) => encodeURIComponent(text)
    .replace(STILL_ESCAPED, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
  return Object.entries(fields).map(([name, value]) => `${name}=${spelled(value)}`).join("&");
}

/** `{status, body, headers, ms}`; without a response, status 0 and `why`: "timeout" or "unreachable". */
export async function post(path, body, headers = {}) {
  const begun = performance.now();
  const took = () => performance.now() - begun;
  try {
    const answer = await fetch(path, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
      signal: AbortSignal.timeout(ANSWERS_WITHIN),
    });
    return { status: answer.status, body: await answer.text(), headers: answer.headers, ms: took() };
  } catch (error) {
    const why = error.name === "TimeoutError" ? "timeout" : "unreachable";
    return { status: 0, body: "", headers: new Headers(), why, ms: took() };
  }
}
