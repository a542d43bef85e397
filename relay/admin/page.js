/* Keeps the page up to date, searches and explains. What the relay answers is data from
   strangers: it becomes text, never markup, and characters nobody can see are written out. */

import { Charts, Hour, clock, element, number, words } from "./charts.js";

const EVERY_MS = 5000, TYPING_MS = 400, SEARCH_AGAIN_MS = 15000, SMALL = 20000;
const byId = (id) => document.getElementById(id);

const visible = (text) => String(text).replace(/[\p{C}\p{Z}]/gu, (one) => {
  if (one === " ") return one;
  const plain = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[one];
  const code = one.codePointAt(0).toString(16);
  if (plain) return plain;
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
});

function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

async function ask(path, query = {}) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`,
    { signal: AbortSignal.timeout(15000) });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `HTTP ${answer.status}`);
  return answer.json();
}

/* Verdict and tiles. */

function judge({ mood, sentence, reason, fix }) {
  const place = byId("verdict");
  if (place.className !== mood) place.className = mood;
  for (const [id, text] of Object.entries({ sentence, reason, fix })) {
    say(byId(id), visible(text));
    byId(id).hidden = !text;
  }
  document.title = `${{ flows: "✓", careful: "!", stopped: "✕", idle: "…" }[mood]} cms-relay`;
}

function ago(seconds) {
  const length = Math.abs(seconds);
  const [unit, size] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].find(([, size]) => length >= size)
    ?? ["s", 1];
  const text = `${number(Math.floor(length / size))} ${unit}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

const size = (bytes) => bytes < 1e4 ? `${number(bytes)} bytes` : bytes < 1e7 ? `${number(Math.round(bytes / 1e3))} kB`
  : `${number(Math.round(bytes / 1e6))} MB`;

const share = (part, all) => part ? `${number(100 * part / all)} % of all` : "none";

function tiles({ status, now }, hour) {
  const { ledger, sink, credentials, spool } = status, { entries } = ledger;
  const drops = sum(status.listeners.map((one) => one.kernel_drops ?? 0));
  const lost = entries.partial + entries.parked + sum(entries.dropped);
  const rate = hour.latest("lines", 10, true);
  const expires = credentials === null ? "—" : credentials.expires_at === null ? "never"
    : ago(now - credentials.expires_at);
  const last = sink.last_success;
  const figures = {
    "lines": [ledger.lines, rate === null ? "" : `${number(rate)} per second`],
    "series": [status.series, ""],
    "sections refused": [sum(ledger.refused), share(sum(ledger.refused), ledger.sections), true],
    "dropped by the kernel": [drops, "datagrams", true],
    "entries delivered": [entries.acked, last === null ? "none yet" : `the last ${ago(now - last)}`],
    "entries waiting": [entries.waiting, size(spool.bytes ?? 0)],
    "entries lost": [lost, "", true],
    "requests": [sum(ledger.requests), `${number(sum(ledger.requests) - ledger.requests.accepted)} not accepted`],
    "keys expire": [expires, credentials?.source ?? "none known yet"],
    "clock is off by": [`${number(Math.round(sink.clock_offset))} s`,
      status.clock_steps ? `set ${status.clock_steps} times` : ""],
  };
  for (const tile of document.querySelectorAll("dl.tiles div")) {
    const [title, value, more] = tile.children;
    const [shown, beside, isLoss] = figures[title.textContent] ?? [];
    if (shown === undefined) continue;
    say(value, typeof shown === "number" ? number(shown) : visible(shown));
    value.className = isLoss && shown ? "bad" : "";
    say(more ?? tile.appendChild(element("dd", "", "more")), visible(beside));
  }
}

/* Periods, with a mark where something was lost. */

const CAUSES = {
  kernel_drops: "datagrams dropped by the kernel", gap_seconds: "seconds lost before this start",
  defects: "defects of this program", partial: "entries taken in part at most",
  parked: "entries refused for good", expired: "entries too old to send",
  space: "entries for which the spool had no room", too_large: "entries larger than a request",
};

function periods({ periods: all, period }) {
  const lossy = all.filter((one) => sum(one.lost)), refusing = all.filter((one) => sum(one.refused));
  say(byId("periods-said"), !all.length ? `None is over yet; each takes ${number(period)} s.`
    : `Of the last ${number(all.length)}, ${number(lossy.length)} lost data and `
      + `${number(refusing.length)} had lines refused.`);
  byId("strip").replaceChildren(...all.map((one) => {
    const mark = sum(one.lost) ? "lost" : sum(one.refused) ? "refused" : one.lines ? "" : "quietly";
    const cell = element("li", { lost: "✕", refused: "!" }[mark] ?? "", mark);
    cell.title = `${clock(one.start, true)}: ${number(one.lines)} lines`;
    return cell;
  }));
  const told = all.filter((one) => sum(one.lost) || sum(one.refused)).slice(-4).reverse();
  byId("losses").replaceChildren(...told.map((one) => {
    const item = element("li", "", sum(one.lost) ? "lost" : "refused");
    const parts = [
      ...Object.entries(one.lost).map(([why, n]) => `${number(n)} ${CAUSES[why] ?? words(why)}`),
      ...Object.entries(one.refused).map(([why, n]) => `${number(n)} refused (${words(why)})`),
    ];
    item.append(element("b", `${sum(one.lost) ? "✕ lost" : "! refused"} ${clock(one.start, true)}`),
      ` ${visible(parts.join(", "))}`);
    return item;
  }));
}

/* The tables below, as the server makes them. */

const TIMES = new Set(["started", "last_success", "expires_at", "since", "at", "last_checkpoint"]);
const moment = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

function shown(key, value, now) {
  if (value === null || value === undefined) return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number")
    return TIMES.has(key) ? `${moment(value)} (${ago(now - value)})` : value.toLocaleString("en-US", { maximumFractionDigits: 9 });
  if (typeof value === "string") return visible(value);
  if (Array.isArray(value)) return rows(value, now);
  return pairs(value, now);
}

function cell(tag, content, scope) {
  const made = element(tag);
  made.append(content);
  if (scope) made.scope = scope;
  return made;
}

function pairs(value, now) {
  const isCount = Object.values(value).every((one) => Number.isInteger(one) || typeof one === "boolean");
  const table = element("table");
  for (const [key, one] of Object.entries(value)) {
    if (isCount && !one) continue;
    const row = table.insertRow();
    row.append(cell("th", visible(words(key)), "row"), cell("td", shown(key, one, now)));
  }
  return table.rows.length ? table : "none";
}

function rows(value, now) {
  if (!value.length) return "none";
  if (value.some((one) => one === null || typeof one !== "object"))
    return value.map((one) => visible(one)).join(", ");
  const keys = [...new Set(value.flatMap(Object.keys))], table = element("table");
  table.insertRow().append(...keys.map((key) => cell("th", visible(words(key)), "col")));
  for (const one of value)
    table.insertRow().append(...keys.map((key) => cell("td", shown(key, one[key], now))));
  return table;
}

const written = new Map();

function fact(key, value, now) {
  const place = byId(key), text = JSON.stringify(value);
  // What somebody may be reading or copying is left alone until there is news.
  if (!place || (written.get(key) === text && !text.includes("last_success") && !TIMES.has(key))) return;
  written.set(key, text);
  place.replaceChildren(shown(key, value, now));
}

function facts({ status, now }) {
  const keys = ["sink", "listeners", "spool", "events", "credentials", "collisions", "overflow", "rules",
    "ledger", "last_refusals"];
  for (const key of keys) fact(key, status[key], now);
  const rest = Object.entries(status)
    .filter(([key]) => ![...keys, "version", "engine", "series"].includes(key));
  fact("about", Object.fromEntries(rest), now);
  say(byId("as-of"), moment(now));
  const { sections, samples, refused, ignored, entries } = status.ledger;
  const ends = { delivered: entries.acked, partial: entries.partial, dropped: sum(entries.dropped),
    parked: entries.parked, waiting: entries.waiting };
  byId("equations").replaceChildren(
    equation("sections", sections, { samples: sum(samples), refused: sum(refused), ignored: sum(ignored) }),
    equation("entries", entries.closed, ends));
}

function equation(name, total, parts) {
  const summed = Object.entries(parts).map(([part, n]) => `${number(n)} ${part}`).join(" + ");
  const line = element("p", `${number(total)} ${name} = ${summed}: `), balances = total === sum(parts);
  line.append(element("b", balances ? "balanced" : "does not balance", balances ? "fine" : "bad"));
  return line;
}

/* Live. */

let hour = new Hour(), started = null, charts = null, waiting = null, answeredAt = Date.now();

async function renew() {
  clearTimeout(waiting);
  try {
    const news = await ask("/history", hour.last === null ? {} : { after: hour.last });
    if (started !== null && started !== news.status.started) { hour = new Hour(); started = null; return renew(); }
    started = news.status.started;
    answeredAt = Date.now();
    hour.take(news.hour);
    judge(news.verdict);
    say(byId("ready"), news.ready ? "ready" : "not ready");
    byId("ready").className = news.ready ? "fine" : "bad";
    tiles(news, hour);
    charts ??= new Charts(byId("charts"));
    charts.draw(hour);
    periods(news.hour);
    facts(news);
  } catch (problem) {
    judge({ mood: "stopped", sentence: "The relay does not answer this page.",
      reason: `${problem.message}; what is below is ${number(Math.round((Date.now() - answeredAt) / 1000))} s old`,
      fix: "see whether it runs (its log, `systemctl status cms-relay`); this page goes on trying" });
  }
  clearTimeout(waiting); // another may have come first, when the page was looked at again
  waiting = setTimeout(renew, EVERY_MS);
}

/* Search. */

let searching = 0, searchAgain = null, typing = null;

async function search() {
  clearTimeout(typing);
  clearTimeout(searchAgain);
  const mine = ++searching, q = byId("q").value;
  try {
    const { found, more, scanned } = await ask("/series", { q });
    if (mine !== searching) return;
    say(byId("search-said"), !found.length
      ? (scanned ? `None of ${number(scanned)} series fits.` : "No series is held.")
      : more ? `The first ${found.length}; there are others, so say more.` : `${found.length} found.`);
    byId("found").replaceChildren(...found.map(match));
    if (scanned <= SMALL) searchAgain = setTimeout(() => document.hidden || search(), SEARCH_AGAIN_MS);
  } catch (problem) {
    if (mine === searching) say(byId("search-said"), visible(problem.message));
  }
}

function match({ name, kind, metric, dimensions, rule, values, of, answer }) {
  const item = element("li"), list = element("dl");
  const pairs = (all, sign) => Object.entries(all).map(([key, one]) => visible(`${key}${sign}${one}`)).join(", ");
  const line = (title, text, classes = "") => list.append(element("dt", title), element("dd", text, classes));
  line("kind", visible(kind));
  line("reported as", visible(metric));
  line("Dimensions", pairs(dimensions, "=") || "none");
  line(of.is_closed ? `last Values` : "so far", Object.entries(values).map(([key, one]) =>
    `${visible(key)} ${number(one)}`).join(", "));
  line("of", `${clock(of.start, true)}, ${number(of.length)} s, ${of.is_closed ? "closed" : "still open"}`);
  line("rule", rule ? visible(`${rule.number}: ${rule.match}`) : "none that is known");
  if (answer) line("last answer", visible(`${answer.word} ${answer.text}`.trim())
    + ` at ${clock(answer.at, true)}, for the period until ${clock(answer.closed_at, true)}`,
    answer.word === "accepted" ? "" : "bad");
  else line("last answer", "none in the requests that are remembered");
  item.append(element("h3", visible(name)), list);
  return item;
}

/* Explain. */

async function explain() {
  const line = byId("line").value, place = byId("explained");
  if (!line) return say(place, "");
  try {
    say(place, (await ask("/explain", { line })).words.map(visible).join("\n"));
  } catch (problem) {
    say(place, visible(problem.message));
  }
}

function begin() {
  for (const id of ["hour", "periods", "search", "explain"]) byId(id).hidden = false;
  byId("search-form").addEventListener("submit", (event) => { event.preventDefault(); search(); });
  byId("explain-form").addEventListener("submit", (event) => { event.preventDefault(); explain(); });
  byId("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, TYPING_MS); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { renew(); search(); } });
  renew();
  search();
}

begin();
