/* The last hour as charts: keeps samples, makes lines of them, draws with uPlot.
   Says of each chart in words what it shows, and in a table for whoever asks. */

const HOUR = 3600, LEAST = 120, ROWS = 12;

/* `of` are columns, `under` all columns that begin so. `per` seconds: what came in the
   last so many; `rate`: as a figure a second. Neither: the figure itself. */
const CHARTS = [
  { title: "Lines per second", of: ["lines"], per: 10, rate: true },
  { title: "Refused per minute", under: "refused.", per: 60, first: 1, by: "by reason" },
  { title: "Series", of: ["series"] },
  { title: "Requests per minute", under: "requests.", per: 60, by: "by outcome",
    colors: { accepted: 4, partial: 2, throttled: 3, unavailable: 1, uncertain: 5, unauthorised: 1, rejected: 6 } },
  { title: "Entries in the spool", of: ["spool_entries"] },
  { title: "Entries lost per minute", under: "lost.", per: 60, first: 1, by: "by cause" },
  { title: "Kernel drops per minute", of: ["kernel_drops"], per: 60, first: 1 },
  { title: "Clock and lag, seconds", of: ["clock_offset_seconds", "lag_seconds"], least: 0.1, by: "0 is well" },
];

const COLORS = 7, MINUTES = [60, 120, 300, 600, 900, 1200, 1800];
const figure = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export const words = (name) => name.replaceAll("_", " ");
export const number = (value) => (value == null ? "not known" : figure.format(value));
export const clock = (seconds, withSeconds = false) =>
  new Date(seconds * 1000).toLocaleTimeString("en-GB",
    { hour: "2-digit", minute: "2-digit", ...(withSeconds && { second: "2-digit" }) });

export function element(tag, text = "", classes = "") {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

/* The samples of the last hour. A column that was never named has been 0. */
export class Hour {
  constructor() { this.t = []; this.columns = new Map(); }

  get last() { return this.t.at(-1) ?? null; }

  take({ t, columns }) {
    if (!t.length) return;
    const known = this.t.length;
    if (this.last !== null && t[0] <= this.last) this.drop(this.t.findIndex((one) => one >= t[0]), true);
    for (const name of Object.keys(columns))
      if (!this.columns.has(name)) this.columns.set(name, new Array(this.t.length).fill(0));
    for (const [name, column] of this.columns)
      column.push(...(columns[name] ?? new Array(t.length).fill(known ? null : 0)));
    this.t.push(...t);
    this.drop(this.t.findIndex((one) => one >= this.last - HOUR));
  }

  drop(at, tail = false) {
    for (const column of [this.t, ...this.columns.values()])
      if (tail) column.splice(at); else column.splice(0, at);
  }

  /* What a column rose by in the last `seconds` before each sample. */
  risen(name, seconds, rate = false) {
    const column = this.columns.get(name) ?? this.t.map(() => 0);
    let from = 0;
    return this.t.map((now, i) => {
      while (this.t[from] < now - seconds) from += 1;
      if (column[i] === null || column[from] === null || (rate && from === i)) return null;
      const by = Math.max(0, column[i] - column[from]);
      return rate ? by / (now - this.t[from]) : by;
    });
  }

  latest(name, seconds, rate) { return this.risen(name, seconds, rate).at(-1) ?? null; }
}

function linesOf(chart, hour) {
  const names = chart.of ?? [...hour.columns.keys()].filter((name) => name.startsWith(chart.under)).sort();
  return names.map((name) => ({
    name: words(chart.under ? name.slice(chart.under.length) : name.replace(/_seconds$/, "")),
    color: chart.colors?.[name.slice(chart.under.length)],
    values: chart.per ? hour.risen(name, chart.per, chart.rate)
      : hour.columns.get(name) ?? hour.t.map(() => 0),
  })).slice(0, 12);
}

const known = (values) => values.filter((value) => value !== null);

function said(lines, hour) {
  if (!hour.t.length) return "no sample yet";
  if (!lines.length) return "none";
  return lines.map(({ name, values }) => {
    const some = known(values);
    if (!some.length) return `${name} not known`;
    const most = some.reduce((a, b) => Math.max(a, b));
    const before = lines.length > 1 ? `${name} ` : "";
    return `${before}${number(values.at(-1))} now, ${number(most)} at most`;
  }).join("; ");
}

/* One chart on the page. */
class Chart {
  constructor(chart) {
    this.chart = chart;
    this.figure = element("figure");
    const caption = element("figcaption");
    this.said = element("p");
    caption.append(element("h3", chart.title), this.said);
    this.plot = element("div", "", "plot");
    this.plot.setAttribute("role", "img");
    this.legend = element("ul", "", "legend");
    this.legend.setAttribute("aria-hidden", "true"); // the picture's name says the same
    this.table = element("details");
    this.table.append(element("summary", "As a table"));
    this.table.addEventListener("toggle", () => this.tabulate());
    this.figure.append(caption, this.plot, this.legend, this.table);
    this.shape = "";
  }

  draw(hour) {
    this.hour = hour;
    this.lines = linesOf(this.chart, hour);
    const words = said(this.lines, hour);
    // Of several lines the legend has the figures, and the picture's name all of it.
    const brief = this.lines.length > 1 ? this.chart.by ?? "" : words;
    if (this.said.textContent !== brief) this.said.textContent = brief;
    const since = hour.t.length ? `, since ${clock(hour.t[0])}` : "";
    this.plot.setAttribute("aria-label", `${this.chart.title}: ${words}${since}`);
    const shown = this.lines.length ? this.lines : [{ name: "none", values: hour.t.map(() => 0) }];
    const data = [hour.t, ...shown.map(({ values }) => values)];
    const shape = shown.map(({ name }) => name).join("\n");
    if (shape === this.shape && this.made) this.made.setData(data);
    else this.make(shown, data, shape);
    this.read(null);
    this.tabulate();
  }

  make(lines, data, shape) {
    this.made?.destroy();
    this.shape = shape;
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false }, font: "12px system-ui, sans-serif" };
    this.keys = lines.map(({ name, color: own }, i) => {
      const place = own ?? ((this.chart.first ?? 0) + i) % COLORS;
      const item = element("li", "", `c${place}`), value = element("b");
      item.append(element("i"), `${name} `, value);
      return { item, value, place };
    });
    this.legend.replaceChildren(...this.keys.map(({ item }) => item));
    this.made = new uPlot({
      width: this.plot.clientWidth || 300, height: 150, padding: [10, 18, 0, 0], legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: (u, low, high) => [Math.min(low ?? 0, (high ?? LEAST) - LEAST), high ?? LEAST] },
        y: { range: (u, low, high) => [Math.min(0, low ?? 0), Math.max(this.chart.least ?? 1, high ?? 1) * 1.1] },
      },
      axes: [
        { ...axis, size: 28, space: 60, incrs: MINUTES, values: (u, splits) => splits.map((t) => clock(t)) },
        { ...axis, size: 48, space: 34, values: (u, splits) => splits.map((v) => short.format(v)) },
      ],
      series: [{}, ...this.keys.map(({ place }) => ({
        stroke: color(`--c${place}`), width: 2, points: { show: false },
        fill: lines.length === 1 ? `${color(`--c${place}`)}22` : undefined }))],
      hooks: { setCursor: [(u) => this.read(u.cursor.idx ?? null)] },
    }, data, this.plot);
  }

  /* The figures in the legend: those under the pointer, else the latest. */
  read(at) {
    const i = at ?? this.hour.t.length - 1;
    const when = at === null ? "" : ` at ${clock(this.hour.t[i], true)}`;
    this.keys.forEach(({ value }, n) => {
      const values = this.lines[n]?.values;
      value.textContent = values ? `${number(values[i])}${when}` : "";
    });
  }

  tabulate() {
    if (!this.table.open || !this.hour) return;
    const table = element("table"), head = element("tr"), { t } = this.hour;
    for (const title of ["until", ...this.lines.map(({ name }) => name)]) {
      const cell = element("th", title);
      cell.scope = "col";
      head.append(cell);
    }
    table.append(head);
    const step = Math.max(1, Math.ceil(t.length / ROWS));
    for (let i = t.length - 1; i >= 0; i -= step) {
      const row = element("tr"), when = element("th", clock(t[i], true));
      when.scope = "row";
      row.append(when, ...this.lines.map(({ values }) => element("td", number(values[i]))));
      table.append(row);
    }
    const wide = element("div", "", "wide");
    wide.append(table);
    this.table.replaceChildren(this.table.firstChild, wide);
  }

  resize() {
    if (this.made && this.plot.clientWidth) this.made.setSize({ width: this.plot.clientWidth, height: 150 });
  }
}

/* All of them, in `place`; `draw` again whenever there is news. */
export class Charts {
  constructor(place) {
    this.charts = CHARTS.map((chart) => new Chart(chart));
    place.append(...this.charts.map(({ figure: made }) => made));
    new ResizeObserver(() => this.charts.forEach((one) => one.resize())).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const one of this.charts) one.shape = "";
      if (this.hour) this.draw(this.hour);
    });
  }

  draw(hour) {
    this.hour = hour;
    for (const one of this.charts) one.draw(hour);
  }
}
