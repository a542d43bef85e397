// The page: which metric and what of it is kept in the address, asked for, and shown.
// The address has the very parameters of /_emulator/points, so that it can be linked.

import { Chart, COLOURS, aligned } from "./chart.js";
import { clock, element, number, say, visible } from "./parts.js";

const RENEWED_MS = 5000;
const PATIENCE_MS = 20000;
const NEWEST = 15;
const ROWS_MAX = 200;
const CONTENT_MAX = 300;
const RANGES = [
  [3600, "1 hour"], [10800, "3 hours"], [21600, "6 hours"], [43200, "12 hours"], [86400, "1 day"],
  [0, "all"],
];
const byId = (id) => document.getElementById(id);

const state = {
  query: new URLSearchParams(location.search),
  metrics: null, // the list as it was shown last
  answer: null, // of /_emulator/points, as it is shown
  hidden: new Set(), // ids of series whose lines are off
  asked: 0,
  waiting: 0,
};
const chart = new Chart(byId("chart"), showValues);

// ---- asking

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}

const lines = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

async function renew() {
  const asked = ++state.asked;
  state.waiting += 1;
  try {
    const search = new URLSearchParams({ search: byId("search").value });
    const [metrics, faults, events, requests] = await Promise.all([
      ask(`/_emulator/metrics?${search}`),
      ask("/_emulator/faults"),
      ask(`/_emulator/events?last=${NEWEST}`),
      ask(`/_emulator/requests?last=${NEWEST}`),
    ]);
    const found = JSON.parse(metrics);
    if (!state.query.has("metric") && found.metrics.length) {
      state.query.set("metric", found.metrics[0].MetricName);
      remember();
    }
    const metric = state.query.get("metric") ?? undefined;
    const answer = metric === undefined ? null : JSON.parse(await ask(`/_emulator/points?${pointsOf(metric)}`));
    if (asked !== state.asked) return;
    state.answer = answer;
    showSummary(found, JSON.parse(faults));
    showMetrics(found, metric);
    showAnswer(metric);
    showEvents(lines(events));
    showRequests(lines(requests));
    say("state", "");
    say("renewed", `As of ${clock(Date.now())} UTC`);
  } catch (problem) {
    if (asked === state.asked) say("state", visible(`No answer: ${problem.message}`.trim()));
  } finally {
    state.waiting -= 1;
  }
}

function pointsOf(metric) {
  const query = new URLSearchParams(state.query);
  query.set("metric", metric);
  if (!query.has("seconds")) query.set("seconds", String(RANGES[0][0]));
  return query;
}

// ---- choosing

function choose(changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") state.query.delete(name);
    else state.query.set(name, value);
  }
  remember();
  renew();
}

function remember() {
  history.replaceState(null, "", `?${state.query}${location.hash}`);
}

// Another metric keeps range and period; its statistics and dimensions are its own.
function linkTo(metric) {
  const query = new URLSearchParams({ metric });
  for (const name of ["period", "seconds"]) {
    if (state.query.has(name)) query.set(name, state.query.get(name));
  }
  return `?${query}`;
}

function fill(select, options, chosen) {
  const wanted = JSON.stringify([options, chosen]);
  if (select.dataset.filled === wanted) return;
  select.dataset.filled = wanted;
  select.replaceChildren(...options.map(
    ([value, text]) => element("option", { value, selected: value === chosen }, text)));
  select.value = chosen;
}

// ---- showing

function showSummary(found, faults) {
  const waiting = faults.reduce((sum, fault) => sum + fault.times, 0);
  say("summary", `${number(found.series)} series stored. ${number(waiting)} faults waiting.`);
  byId("faults").replaceChildren(...faults.slice(0, NEWEST).map(({ times, ...what }) => {
    const text = Object.entries(what).map(([key, value]) => `${key} ${value}`).join(", ");
    return row(times, text.slice(0, CONTENT_MAX));
  }));
}

// By the first word of the name, which is what was before the first dot.
function showMetrics(found, metric) {
  const wanted = JSON.stringify([found.metrics, found.left_off, metric, linkTo("")]);
  if (state.metrics === wanted) return;
  state.metrics = wanted;
  const groups = new Map();
  for (const one of found.metrics) {
    const word = one.MetricName.split("_", 1)[0];
    if (!groups.has(word)) groups.set(word, []);
    groups.get(word).push(one);
  }
  const focus = document.activeElement;
  const focused = byId("metrics").contains(focus) ? focus.dataset.metric : null;
  byId("metrics").replaceChildren(...[...groups].flatMap(([word, ones]) => [
    element("h3", {}, word),
    element("ul", {}, ...ones.map((one) => element("li", {}, metricLink(one, metric)))),
  ]));
  for (const link of byId("metrics").querySelectorAll("a")) {
    if (link.dataset.metric === focused) link.focus();
  }
  const left = found.left_off ? `${number(found.left_off)} more; search for them.` : "";
  say("more-metrics", found.metrics.length ? left : "No metric found.");
}

function metricLink({ MetricName, series }, chosen) {
  const current = MetricName === chosen ? "true" : null;
  const link = element("a", { href: linkTo(MetricName), "aria-current": current },
    MetricName, element("span", { title: "series" }, number(series)));
  link.dataset.metric = MetricName;
  return link;
}

function showAnswer(metric) {
  const answer = state.answer;
  const series = answer?.series ?? [];
  const labels = labelsOf(series);
  say("metric", metric === undefined ? "No entries yet" : visible(metric));
  document.title = metric === undefined ? "CloudMonitor emulator" : `${visible(metric)} – CloudMonitor emulator`;
  say("common", labels.common);
  byId("choice").hidden = answer === null;
  if (answer !== null) showChoice(answer);
  const points = series.reduce((sum, one) => sum + one.times.length, 0);
  byId("nothing").hidden = points > 0;
  say("nothing", metric === undefined
    ? "Send the relay something; a minute that has ended shows here within seconds."
    : `No points of ${visible(metric)} in this time range with this choice.`);
  byId("chart").hidden = points === 0;
  byId("chart").setAttribute("aria-label", visible(`${answer?.Statistic ?? ""} of ${metric ?? "nothing"} over time`));
  chart.show({
    labels: labels.of,
    data: aligned(series, (answer?.Period ?? 60) * 1000),
    span: answer && answer.since !== null ? [answer.since / 1000, answer.now / 1000] : null,
    hidden: series.map((one) => state.hidden.has(one.id)),
  });
  say("more-series", answer?.left_off ? `${number(answer.left_off)} more series; choose dimensions to see them.` : "");
  showLegend(series, labels.of);
  showPoints(series, labels.of);
}

function showChoice(answer) {
  const statistic = answer.Statistic ?? state.query.get("statistic") ?? "";
  const statistics = answer.statistics.length ? answer.statistics : [statistic];
  fill(byId("statistic"), statistics.map((name) => [name, name || "none"]), statistic);
  fill(byId("period"), answer.periods.map((seconds) => [String(seconds), `${seconds} s`]), String(answer.Period));
  const seconds = state.query.get("seconds") ?? String(RANGES[0][0]);
  const ranges = RANGES.map(([value, text]) => [String(value), text]);
  if (!ranges.some(([value]) => value === seconds)) ranges.push([seconds, `${seconds} s`]);
  fill(byId("seconds"), ranges, seconds);
  const keys = Object.entries(answer.dimensions).map(([key, values]) => [`d.${key}`, key, values]);
  if (answer.groups.length > 1) keys.push(["group", "group", answer.groups]);
  const place = byId("dimensions");
  const names = JSON.stringify(keys.map(([name]) => name));
  if (place.dataset.names !== names) {
    place.dataset.names = names;
    place.replaceChildren(...keys.map(([name, key]) => element("label", {}, key, element("select", { name }))));
  }
  for (const [name, , values] of keys) {
    const chosen = state.query.get(name) ?? "";
    const known = chosen === "" || values.includes(chosen) ? values : [chosen, ...values];
    const select = place.querySelector(`[name="${CSS.escape(name)}"]`);
    fill(select, [["", "all"], ...known.map((value) => [value, value])], chosen);
  }
}

// What all series have in common is said once, and each line named after the rest.
function labelsOf(series) {
  const pairs = series.map((one) => [
    ...Object.entries(one.Dimensions).map(([key, value]) => `${key}=${value}`),
    ...(one.GroupId === "0" ? [] : [`group=${one.GroupId}`]),
  ]);
  const isCommon = (pair) => pairs.length > 1 && pairs.every((other) => other.includes(pair));
  const common = (pairs[0] ?? []).filter(isCommon);
  const of = pairs.map((own) =>
    visible(own.filter((pair) => !isCommon(pair)).join(", ") || "the other"));
  return { common: visible(common.join(", ")), of };
}

function showLegend(series, labels) {
  const body = byId("legend").tBodies[0];
  const wanted = JSON.stringify([series.map((one) => one.id), labels]);
  if (body.dataset.of !== wanted) {
    body.dataset.of = wanted;
    body.replaceChildren(...series.map((one, place) => legendRow(one, labels[place], place)));
  }
  series.forEach((one, place) => {
    const cells = body.rows[place].cells;
    const figures = [Math.min(...one.values), mean(one.values), Math.max(...one.values)];
    figures.forEach((value, column) => { cells[column + 2].textContent = number(value); });
  });
  showValues(chart.plot?.cursor.idx ?? null);
}

function legendRow(one, label, place) {
  const box = element("input", { type: "checkbox" });
  box.checked = !state.hidden.has(one.id);
  const made = element("tr", {},
    element("th", { scope: "row" }, element("label", {}, box,
      element("span", { class: `mark line-${place % COLOURS}${place < COLOURS ? "" : " dashed"}` }), element("span", {}, label))),
    ...Array.from({ length: 4 }, () => element("td")));
  box.addEventListener("change", () => {
    if (box.checked) state.hidden.delete(one.id);
    else state.hidden.add(one.id);
    made.classList.toggle("off", !box.checked);
    chart.hide(place, !box.checked);
  });
  return made;
}

function mean(values) {
  return Number(values.reduce((sum, value) => sum + value / values.length, 0).toPrecision(4));
}

// The column of values: at the cursor, or each series' last.
function showValues(at) {
  const series = state.answer?.series ?? [];
  say("at", at === null ? "Last" : clock(chart.data[0][at] * 1000));
  series.forEach((one, place) => {
    const cell = byId("legend").tBodies[0].rows[place]?.cells[1];
    if (cell) cell.textContent = number(at === null ? one.values.at(-1) : chart.data[place + 1]?.[at]);
  });
}

function showPoints(series, labels) {
  if (!byId("points").open) return;
  const table = byId("points").querySelector("table");
  const times = [...new Set(series.flatMap((one) => one.times))].sort((a, b) => b - a);
  const found = series.map((one) => new Map(one.times.map((time, place) => [time, one.values[place]])));
  say("more-points", times.length > ROWS_MAX ? `The newest ${ROWS_MAX} of ${number(times.length)} times.` : "");
  table.tHead.replaceChildren(element("tr", {}, element("th", { scope: "col" }, "Time"),
    ...labels.map((label) => element("th", { scope: "col" }, label))));
  table.tBodies[0].replaceChildren(...times.slice(0, ROWS_MAX).map((time) => element("tr", {},
    element("th", { scope: "row" }, clock(time, true)),
    ...found.map((values) => element("td", {}, number(values.get(time)))))));
}

function row(...cells) {
  return element("tr", {}, ...cells.map((cell) => (cell instanceof Node ? cell : element("td", {}, cell))));
}

function showEvents(events) {
  byId("events").replaceChildren(...events.reverse().map((event) =>
    row(clock(event.Time), event.EventName, event.GroupId, event.Content.slice(0, CONTENT_MAX))));
}

function showRequests(requests) {
  byId("requests").replaceChildren(...requests.reverse().map((seen) => row(
    clock(seen.received * 1000), seen.action ?? "", seen.signature ?? "none", seen.entries, seen.bytes,
    element("td", { class: seen.code === "200" ? "good" : "bad" }, seen.status ?? "cut"), seen.code ?? "")));
}

// ---- beginning

function begin() {
  byId("overview").hidden = true;
  byId("explorer").hidden = false;
  byId("live-label").hidden = false;
  byId("choice").addEventListener("submit", (event) => event.preventDefault());
  byId("choice").addEventListener("change", ({ target }) => choose({ [target.name || target.id]: target.value }));
  byId("search").addEventListener("input", renew);
  byId("points").addEventListener("toggle", () => {
    const series = state.answer?.series ?? [];
    showPoints(series, labelsOf(series).of);
  });
  byId("metrics").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    follow();
  });
  addEventListener("popstate", follow);
  document.addEventListener("visibilitychange", renewIfLive);
  byId("live").addEventListener("change", renewIfLive);
  setInterval(renewIfLive, RENEWED_MS);
  renew();
}

function follow() {
  state.query = new URLSearchParams(location.search);
  state.hidden.clear();
  renew();
}

// Not while an answer is on its way: where each takes long, none would ever be the last.
function renewIfLive() {
  if (byId("live").checked && !document.hidden && !state.waiting) renew();
}

begin();
