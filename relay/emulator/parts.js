// What the page is put together from: elements, and what anybody sent as people may see it.
// Text goes into the page as text only; nothing here, or anywhere, makes markup of data.

// The same characters as shown.py: invisible ones, those that turn text, halves of others.
const HIDDEN = new RegExp(
  "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5" +
  "\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f" +
  "\\ufeff\\uffa0\\ufff9-\\ufffb\\u{d800}-\\u{dfff}\\u{e0000}-\\u{e0fff}]", "gu");
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

export function visible(text) {
  return String(text).replace(HIDDEN, (character) => {
    const code = character.codePointAt(0);
    const digits = code.toString(16);
    const long = code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\u{${digits}}`;
    return SHORT[character] ?? long;
  });
}

// An element; each child is an element, or text that somebody may have sent.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : visible(child))));
  return made;
}

export function say(id, text) {
  const place = document.getElementById(id);
  if (place.textContent !== text) place.textContent = text;
}

const NUMBERS = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const LARGE = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });

export function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1e15 || (size < 1e-4 && size > 0)) return value.toExponential(3);
  return NUMBERS.format(value + 0); // what is -0 is 0
}

export function short(value) {
  return Math.abs(value) >= 1e15 ? value.toExponential(1) : LARGE.format(value);
}

// HH:MM:SS of Unix milliseconds, with the date where `dated`; what is no date is "?".
export function clock(ms, dated = false) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "?";
  const text = date.toISOString();
  const at = text.indexOf("T");
  return dated ? `${text.slice(0, at)} ${text.slice(at + 1, at + 9)}` : text.slice(at + 1, at + 9);
}
