// Charts of the dashboard: each draws the table behind it, so that a figure is never computed twice.
import * as echarts from "echarts/core";
import { LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

// Nothing else of the library is there: each part of it costs the page time before it answers.
echarts.use([LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Up to so long is shown step by step.
const CLOSE = 4 * DAY;
// The shortest time that a chart shows.
const CLOSEST = HOUR / 6;
// Lets the page answer before work goes on.
const pause = () => new Promise((resolve) => setTimeout(resolve));
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const said = (value) => number.format(value).replaceAll(",", "\u202f");

// The colours of the page, as they are now.
function colours() {
  const probe = document.body.appendChild(document.createElement("i"));
  const of = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
  const found = { text: of("--text"), soft: of("--soft"), line: of("--line"), strong: of("--strong-line"), accent: of("--accent"),
    full: of("--full"), sheet: of("--sheet"), area: of("--accent-area") };
  probe.remove();
  return found;
}

// The rows of the table behind a chart, by the names of their columns.
function rows(figure) {
  const names = [...figure.querySelectorAll("thead th")].map((head) => head.dataset.name);
  return [...figure.querySelectorAll("tbody tr")].map((row) =>
    Object.fromEntries([...row.cells].map((cell, nth) => [names[nth], cell.dataset.v === undefined ? null : Number(cell.dataset.v)])));
}

const stamp = (ms, close) => {
  const text = new Date(ms).toISOString();
  return close ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
};

// What the pointer is on, as elements: the page's policy takes no style from a text.
function tip(title, lines) {
  const box = document.createElement("div");
  box.className = "tip";
  box.append(Object.assign(document.createElement("b"), { textContent: title }));
  for (const [name, value] of lines) {
    const line = document.createElement("div");
    line.append(Object.assign(document.createElement("span"), { textContent: name }), Object.assign(document.createElement("strong"), { textContent: value }));
    box.append(line);
  }
  return box;
}

function frame(colour) {
  return {
    animation: false,
    useUTC: true,
    textStyle: { fontFamily: "system-ui, sans-serif", color: colour.soft },
    tooltip: { trigger: "axis", backgroundColor: colour.sheet, borderColor: colour.strong, textStyle: { color: colour.text },
      padding: 0, axisPointer: { type: "line", lineStyle: { color: colour.soft, type: "solid", width: 1 } } },
  };
}

const axis = (colour) => ({
  axisLine: { lineStyle: { color: colour.strong } }, axisTick: { lineStyle: { color: colour.strong } },
  axisLabel: { color: colour.soft, hideOverlap: true }, splitLine: { lineStyle: { color: colour.line } },
});

// The room of the drawing, beside the largest number of its axis.
const room = (largest, top) => ({ left: 14 + 7.5 * largest.length, right: 24, top, bottom: 30, outerBoundsMode: "none" });

// The greatest number of points, and 1 at least; they may be more than a call takes arguments.
function highest(points) {
  return points.reduce((most, point) => Math.max(most, point[1] ?? 0), 1);
}

// Ticks on the base, at the instants of denials; the more there were, the higher. How many there were stretches no axis.
function ticks(points, colour) {
  const most = highest(points);
  return {
    type: "line", data: points.map(([at, number]) => [at, 0, number]), silent: true, z: 5, tooltip: { show: false }, lineStyle: { width: 0 },
    symbol: "rect", showAllSymbol: true, symbolOffset: [0, "-50%"], itemStyle: { color: colour.full },
    symbolSize: ([, , number]) => [1.75, 5 + 9 * Math.sqrt(number / most)],
  };
}

// A stretch of a chart is chosen by a drag over it.
function onStretch(place, chosen) {
  const shade = Object.assign(document.createElement("div"), { className: "stretch", hidden: true });
  place.append(shade);
  const at = (event) => Math.min(Math.max(0, event.clientX - place.getBoundingClientRect().left), place.clientWidth);
  let began = null;
  const show = (event) => {
    const ends = [began, at(event)].sort((one, other) => one - other);
    shade.hidden = ends[1] - ends[0] < 4;
    shade.style.left = `${ends[0]}px`;
    shade.style.width = `${ends[1] - ends[0]}px`;
    return ends;
  };
  place.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    began = at(event);
    place.setPointerCapture(event.pointerId);
  });
  place.addEventListener("pointermove", (event) => { if (began !== null) show(event); });
  place.addEventListener("pointercancel", () => { began = null; shade.hidden = true; });
  place.addEventListener("pointerup", (event) => {
    if (began === null) return;
    const ends = show(event);
    if (!shade.hidden) chosen(...ends);
    began = null;
    shade.hidden = true;
  });
}

// Seats in use over time against the seats that there were.
class Seats {
  constructor(figure) {
    this.figure = figure;
    this.words = JSON.parse(figure.dataset.words);
    this.step = figure.dataset.step === "hour" ? HOUR : DAY;
    this.rows = rows(figure);
    this.first = this.rows[0]?.from ?? 0;
    this.last = (this.rows.at(-1)?.from ?? 0) + this.step;
    this.close = null;
    this.buttons();
  }

  buttons() {
    const back = Object.assign(document.createElement("button"), { type: "button", textContent: this.words.back, hidden: true, className: "back" });
    back.addEventListener("click", () => this.look(this.first, this.last));
    this.figure.querySelector("figcaption").append(back);
    this.back = back;
  }

  // Pieces of a line, with gaps where nobody watched.
  lines() {
    const [peaks, averages, issued] = [[], [], []];
    let before = null;
    for (const row of this.rows) {
      if (before !== null && row.from - before > this.step * 1.6) {
        for (const line of [peaks, averages, issued]) line.push([before + this.step, null]);
      }
      peaks.push([row.from, row.seats_peak]);
      averages.push([row.from, row.seats_average]);
      issued.push([row.from, row.seats_issued]);
      before = row.from;
    }
    for (const line of [peaks, averages, issued]) if (line.length) line.push([this.last, line.at(-1)[1]]);
    return { peaks, averages, issued, denials: this.rows.filter((row) => row.denials > 0).map((row) => [row.from + this.step / 2, row.denials]) };
  }

  series(colour) {
    const lines = this.close ?? this.lines();
    const line = (name, data, more) => ({ name, data, type: "line", step: "end", symbol: "none", connectNulls: false, sampling: false, ...more });
    return [
      line(this.words.seats_average, lines.averages, { lineStyle: { width: 0 }, areaStyle: { color: colour.accent, opacity: 0.2 }, itemStyle: { color: colour.accent } }),
      line(this.close ? this.words.in_use : this.words.seats_peak, lines.peaks, { lineStyle: { width: 1.4, color: colour.accent }, itemStyle: { color: colour.accent },
        areaStyle: this.close ? { color: colour.accent, opacity: 0.2 } : { color: colour.accent, opacity: 0.06 } }),
      line(this.words.seats_issued, lines.issued, { lineStyle: { width: 1.2, type: [5, 4], color: colour.soft }, itemStyle: { color: colour.soft },
        endLabel: { show: true, offset: [-4, -9], align: "right", color: colour.soft, formatter: (point) => point.value[1] == null ? "" : `${this.words.seats_issued} ${said(point.value[1])}` } }),
      { name: this.words.denials, ...ticks(lines.denials, colour) },
    ];
  }

  told(points) {
    const at = points[0]?.axisValue ?? 0;
    const lines = points.filter((point) => point.value?.[1] != null && point.seriesType === "line").map((point) => [point.seriesName, said(point.value[1])]);
    const row = this.close ? null : this.rows.find((row) => row.from <= at && at < row.from + this.step);
    if (row?.denials) lines.push([this.words.denials, said(row.denials)]);
    return tip(stamp(points[0]?.value?.[0] ?? at, this.close || this.step === HOUR), lines);
  }

  option() {
    const colour = colours();
    const [min, max] = this.window ?? [this.first, this.last];
    const series = this.series(colour);
    const largest = highest(series.slice(1, 3).flatMap((line) => line.data));
    return {
      ...frame(colour),
      grid: room(said(Math.ceil(largest * 1.2)), 26),
      tooltip: { ...frame(colour).tooltip, formatter: (points) => this.told(points) },
      xAxis: { type: "time", min, max, ...axis(colour), splitLine: { show: false } },
      yAxis: { type: "value", min: 0, minInterval: 1, ...axis(colour), axisLine: { show: false }, axisTick: { show: false } },
      series,
    };
  }

  // What a chart listens to, once it is drawn.
  listen(place) {
    const at = (x) => this.chart.convertFromPixel({ xAxisIndex: 0 }, x);
    onStretch(place, (left, right) => this.look(at(left), at(right)));
    place.addEventListener("dblclick", () => this.look(this.first, this.last));
    place.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const [from, until] = this.window ?? [this.first, this.last];
      const [here, by] = [at(event.clientX - place.getBoundingClientRect().left), event.deltaY < 0 ? 0.8 : 1.25];
      this.look(here - (here - from) * by, here + (until - here) * by);
    }, { passive: false });
  }

  // Shows a stretch of time; looked at closely enough, the steps themselves are fetched.
  async look(from, until) {
    const within = (at) => Math.min(this.last, Math.max(this.first, at));
    [from, until] = [within(from), within(until)];
    const short = Math.max(0, CLOSEST - (until - from)) / 2;
    [from, until] = [within(from - short), within(until + short)];
    const isWhole = from <= this.first && until >= this.last;
    this.back.hidden = isWhole;
    this.window = isWhole ? null : [from, until];
    if (until - from > CLOSE) this.close = null;
    this.draw();
    if (until - from > CLOSE || (this.close && this.close.from <= from && until <= this.close.until)) return;
    const wide = [Math.floor(Math.max(this.first, from - (until - from) / 2)), Math.ceil(Math.min(this.last, until + (until - from) / 2))];
    const query = new URLSearchParams({ code: this.figure.dataset.code, from: wide[0], until: wide[1] });
    const asked = this.window;
    const answer = await fetch(`${this.figure.dataset.steps}?${query}`);
    if (!answer.ok) return;
    const steps = await answer.json();
    if (this.window !== asked) return;
    const whole = (line) => line.length ? [...line, [wide[1], line.at(-1)[1]]] : [];
    this.close = { from: wide[0], until: wide[1], peaks: whole(steps.seats), averages: [], issued: whole(steps.issued), denials: steps.denials.map((at) => [at, 1]) };
    this.draw();
  }

  draw() {
    this.chart.setOption(this.option(), { notMerge: true });
  }
}

// The share of the time in which at least so many seats were in use.
class Levels {
  constructor(figure) {
    this.figure = figure;
    this.words = JSON.parse(figure.dataset.words);
    this.rows = rows(figure);
  }

  option() {
    const colour = colours();
    const points = this.rows.filter((row) => row.seats > 0).map((row) => [row.seats, row.percent_at_least]);
    const marks = [["issued", this.words.seats_issued], ["needed", this.words.seats_needed_p95]]
      .filter(([name]) => this.figure.dataset[name])
      .map(([name, word]) => [Number(this.figure.dataset[name]), word, name === "issued"]);
    const widest = Math.max(1, ...points.map((point) => point[0]), ...marks.map((mark) => mark[0]));
    const highest = Math.max(1, ...points.map((point) => point[1]));
    // The least round number of percent of which at most five are one above the other.
    const interval = [1, 2, 5, 10, 20, 25].find((step) => step * 5 >= highest) ?? 25;
    const top = Math.ceil(highest / interval) * interval;
    const place = (seats) => seats > widest * 0.7 ? "right" : seats < widest * 0.3 ? "left" : "center";
    return {
      ...frame(colour),
      grid: room("100 %", 40),
      tooltip: { ...frame(colour).tooltip, formatter: ([found]) => tip(`≥ ${said(found.value[0])}`, [[this.words.percent_at_least, said(found.value[1])]]) },
      xAxis: { type: "value", min: 0, max: Math.ceil(widest * 1.04), minInterval: 1, ...axis(colour), splitLine: { show: false } },
      yAxis: { type: "value", min: 0, max: top, interval, ...axis(colour), axisLine: { show: false }, axisLabel: { color: colour.soft, formatter: "{value} %" } },
      series: [{
        type: "line", step: "start", symbol: "none", data: [[0, points[0]?.[1] ?? 0], ...points, [points.at(-1)?.[0] ?? 0, 0]],
        lineStyle: { width: 1.5, color: colour.accent }, areaStyle: { color: colour.accent, opacity: 0.15 }, itemStyle: { color: colour.accent },
      }, ...marks.map(([seats, word, isIssued]) => ({
        type: "line", symbol: "none", silent: true, tooltip: { show: false }, data: [[seats, 0], [seats, top]],
        lineStyle: { color: isIssued ? colour.soft : colour.full, type: isIssued ? [5, 4] : "solid", width: 1.2 },
        endLabel: { show: true, formatter: () => `${word} ${said(seats)}`, color: colour.text, distance: 0, offset: [0, isIssued ? -4 : -18], align: place(seats), verticalAlign: "bottom" },
      }))],
    };
  }

  draw() {
    this.chart.setOption(this.option(), { notMerge: true });
  }
}

const KINDS = { seats: Seats, levels: Levels };

// Draws a chart in steps, and says for what each waits, so that the page answers in between.
function* begin(figure, drawn) {
  const place = figure.querySelector(".drawing");
  yield pause;
  const of = new KINDS[figure.dataset.chart](figure);
  yield pause;
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", figure.querySelector("h2").textContent);
  figure.querySelector("details").open = false;
  delete figure.dataset.waiting;
  figure.dataset.drawn = "";
  of.chart = echarts.init(place, null, { renderer: "canvas" });
  drawn.push(of);
  yield pause;
  const { series, ...ground } = of.option();
  of.chart.setOption(ground, { lazyUpdate: true });
  yield painted;
  of.chart.setOption({ series }, { lazyUpdate: true });
  of.listen?.(place);
  // The first look at a size changes none.
  let looked = false;
  new ResizeObserver(() => { if (looked) of.chart.resize(); looked = true; }).observe(place);
}

// Draws each chart when it comes into sight, one after the other; on paper all are there.
export function draw(figures) {
  const drawn = [];
  const works = new Map(figures.map((figure) => [figure, begin(figure, drawn)]));
  const inSteps = async (work) => { for (const wait of work) await wait(); };
  let turn = Promise.resolve();
  const sight = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      turn = turn.then(() => inSteps(works.get(target)));
    }
  }, { rootMargin: "200px" });
  for (const figure of figures) sight.observe(figure);
  const again = () => { for (const of of drawn) of.draw(); };
  addEventListener("beforeprint", () => { for (const work of works.values()) Array.from(work); again(); });
  document.addEventListener("themechange", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}
