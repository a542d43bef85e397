// The chart: one line a series, read with the mouse or the arrow keys.

import { clock, number, short } from "./parts.js";

const HEIGHT = 320;
export const COLOURS = 10;

// Times and one row of values a series, as uPlot wants them: undefined where only others
// have a point, null where a series has missed one, so that its line breaks there.
export function aligned(series, periodMs) {
  const times = new Set();
  const rows = series.map((one) => {
    const row = new Map();
    one.times.forEach((time, place) => {
      const before = one.times[place - 1];
      if (place && time - before > 1.5 * periodMs) row.set(before + periodMs, null);
      row.set(time, one.values[place]);
    });
    for (const time of row.keys()) times.add(time);
    return row;
  });
  const sorted = [...times].sort((a, b) => a - b);
  return [sorted.map((time) => time / 1000), ...rows.map((row) => sorted.map((t) => row.get(t)))];
}

export class Chart {
  // `onCursor` gets the place in `data` that is pointed at, or null.
  constructor(place, onCursor) {
    this.place = place;
    this.onCursor = onCursor;
    this.data = [[]];
    this.plot = null;
    place.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resize()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  // `labels`: of the lines; `span`: [first, last] second of the axis, or null for all.
  show({ labels, data, span, hidden }) {
    const same = this.plot && JSON.stringify(labels) === JSON.stringify(this.labels);
    Object.assign(this, { labels, data, span, hidden });
    if (same) this.plot.setData(data);
    else this.#build();
    this.#describe(this.#pointed());
  }

  hide(place, hidden) {
    this.hidden[place] = hidden;
    this.plot?.setSeries(place + 1, { show: !hidden });
  }

  #build() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.labels?.length || !this.place.clientWidth) return;
    this.plot = new uPlot(this.#options(), this.data, this.place);
  }

  #options() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const grid = { stroke: colour("--grid"), width: 1 };
    const axis = { stroke: colour("--faint"), grid, ticks: grid };
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 8 } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: {
        x: { range: (_, low, high) => this.#range(low, high) },
        y: { range: { min: { pad: 0.05, soft: 0, mode: 1 }, max: { pad: 0.08, soft: 0, mode: 1 } } },
      },
      axes: [
        { ...axis, space: 70, values: (_, seconds, __, ___, step) => seconds.map((s) => tick(s, step)) },
        { ...axis, values: (_, values) => values.map(short), size: (_, texts) => widthOf(texts ?? []) },
      ],
      series: [{}, ...this.labels.map((label, place) => ({
        label,
        show: !this.hidden[place],
        stroke: colour(`--line-${place % COLOURS}`),
        dash: place < COLOURS ? undefined : [8, 4],
        width: 1.75,
        points: { size: 5, space: 24, fill: colour("--paper"), filter: alone },
      }))],
      hooks: { setCursor: [(plot) => this.#moved(plot.cursor.idx ?? null)] },
    };
  }

  #range(low, high) {
    if (this.span) return this.span;
    return low === high ? [low - 60, high + 60] : [low, high];
  }

  #resize() {
    const width = this.place.clientWidth;
    if (!this.plot) this.#build();
    else if (width && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  #moved(at) {
    this.#describe(at);
    this.onCursor(at);
  }

  #pointed() {
    return this.plot?.cursor.idx ?? null;
  }

  #key(event) {
    const last = this.data[0].length - 1;
    const at = this.#pointed();
    const to = {
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      ArrowRight: Math.min(last, (at ?? -1) + 1),
      Home: 0,
      End: last,
      Escape: null,
    }[event.key];
    if (to === undefined || !this.plot || last < 0) return;
    event.preventDefault();
    const left = to === null ? -10 : this.plot.valToPos(this.data[0][to], "x");
    this.plot.setCursor({ left, top: to === null ? -10 : 10 });
  }

  // What a reader of the screen hears: the time and the values pointed at, or the last.
  #describe(pointed) {
    const times = this.data[0];
    const at = pointed ?? times.length - 1;
    const values = (this.labels ?? []).map((label, place) => `${label} ${number(this.data[place + 1][at])}`);
    const text = times.length ? `${clock(times[at] * 1000)} UTC: ${values.join(", ")}` : "no points";
    this.place.setAttribute("aria-valuemin", "0");
    this.place.setAttribute("aria-valuemax", String(Math.max(0, times.length - 1)));
    this.place.setAttribute("aria-valuenow", String(Math.max(0, at)));
    this.place.setAttribute("aria-valuetext", text);
  }
}

// Where a line has no room for its points: those that no line leads to or from.
function alone(plot, place, shown) {
  if (shown) return null;
  const values = plot.data[place];
  const has = (from, step) => {
    let at = from + step;
    while (values[at] === undefined && at >= 0 && at < values.length) at += step;
    return typeof values[at] === "number";
  };
  return [...values.keys()].filter((at) => typeof values[at] === "number" && !has(at, -1) && !has(at, 1));
}

// Of the axis of values, by its longest text, in pixels.
function widthOf(texts) {
  return 18 + 7.5 * Math.max(3, ...texts.map((text) => text.length));
}

function tick(second, step) {
  const text = new Date(second * 1000);
  if (Number.isNaN(text.getTime())) return "";
  const iso = text.toISOString();
  if (step >= 86400 || iso.includes("T00:00:00")) return iso.slice(0, iso.indexOf("T"));
  const at = iso.indexOf("T") + 1;
  return step < 60 ? iso.slice(at, at + 8) : iso.slice(at, at + 5);
}
