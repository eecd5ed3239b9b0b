// Charts of the dashboard: each draws the table behind it, so that a figure is never computed twice.
import * as echarts from "echarts/core";
import { CustomChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, MarkLineComponent, ToolboxComponent, TooltipComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([CustomChart, LineChart, DataZoomComponent, GridComponent, MarkLineComponent, ToolboxComponent, TooltipComponent,
  CanvasRenderer]);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Up to so long is shown step by step.
const CLOSE = 4 * DAY;
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
    grid: { left: 8, right: 16, top: 26, bottom: 26, containLabel: true },
    tooltip: { trigger: "axis", backgroundColor: colour.sheet, borderColor: colour.strong, textStyle: { color: colour.text },
      padding: 0, axisPointer: { type: "line", lineStyle: { color: colour.soft, type: "solid", width: 1 } } },
  };
}

const axis = (colour) => ({
  axisLine: { lineStyle: { color: colour.strong } }, axisTick: { lineStyle: { color: colour.strong } },
  axisLabel: { color: colour.soft, hideOverlap: true }, splitLine: { lineStyle: { color: colour.line } },
});

// Ticks on the base, at the instants of denials; the more there were, the higher.
function ticks(points, colour) {
  const most = Math.max(1, ...points.map((point) => point[1]));
  return {
    // They stand on the base: how many there were stretches no axis.
    type: "custom", data: points.map(([at, number]) => [at, 0, number]), silent: true, clip: true, z: 5, tooltip: { show: false },
    renderItem(params, api) {
      const [x, y] = api.coord([api.value(0), 0]);
      const high = 5 + 9 * Math.sqrt(api.value(2) / most);
      return { type: "rect", shape: { x: x - 0.75, y: y - high, width: 1.75, height: high }, style: { fill: colour.full } };
    },
  };
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
    back.addEventListener("click", () => this.chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, start: 0, end: 100 }));
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

  draw(chart) {
    this.chart = chart;
    const colour = colours();
    const zoom = { type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: false, moveOnMouseWheel: false, minValueSpan: 10 * 60_000,
      ...(this.window ? { startValue: this.window[0], endValue: this.window[1] } : {}) };
    chart.setOption({
      ...frame(colour),
      tooltip: { ...frame(colour).tooltip, formatter: (points) => this.told(points) },
      toolbox: { show: true, showTitle: false, itemSize: 0, left: -100, feature: { dataZoom: { yAxisIndex: "none", filterMode: "none", brushStyle: { color: colour.accent, opacity: 0.15 } } } },
      dataZoom: [zoom],
      xAxis: { type: "time", min: this.first, max: this.last, ...axis(colour), splitLine: { show: false } },
      yAxis: { type: "value", min: 0, minInterval: 1, ...axis(colour), axisLine: { show: false }, axisTick: { show: false } },
      series: this.series(colour),
    }, { notMerge: true });
    chart.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true });
    if (this.listens) return;
    this.listens = true;
    chart.on("datazoom", () => this.zoomed());
    chart.getZr().on("dblclick", () => chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, start: 0, end: 100 }));
  }

  // Looked at closely enough, the steps themselves are fetched.
  async zoomed() {
    const { startValue: from, endValue: until } = this.chart.getOption().dataZoom[0];
    const isWhole = from <= this.first && until >= this.last;
    this.back.hidden = isWhole;
    this.window = isWhole ? null : [from, until];
    if (until - from > CLOSE) {
      if (this.close) { this.close = null; this.draw(this.chart); }
      return;
    }
    const wide = [Math.floor(Math.max(this.first, from - (until - from) / 2)), Math.ceil(Math.min(this.last, until + (until - from) / 2))];
    if (this.close && this.close.from <= from && until <= this.close.until) return;
    const query = new URLSearchParams({ code: this.figure.dataset.code, from: wide[0], until: wide[1] });
    const answer = await fetch(`${this.figure.dataset.steps}?${query}`);
    if (!answer.ok) return;
    const steps = await answer.json();
    const whole = (line) => line.length ? [...line, [wide[1], line.at(-1)[1]]] : [];
    this.close = { from: wide[0], until: wide[1], peaks: whole(steps.seats), averages: [], issued: whole(steps.issued), denials: steps.denials.map((at) => [at, 1]) };
    this.draw(this.chart);
  }
}

// The share of the time in which at least so many seats were in use.
class Levels {
  constructor(figure) {
    this.figure = figure;
    this.words = JSON.parse(figure.dataset.words);
    this.rows = rows(figure);
  }

  draw(chart) {
    const colour = colours();
    const points = this.rows.filter((row) => row.seats > 0).map((row) => [row.seats, row.percent_at_least]);
    const marks = [["issued", this.words.seats_issued], ["needed", this.words.seats_needed_p95]]
      .filter(([name]) => this.figure.dataset[name])
      .map(([name, word]) => ({ xAxis: Number(this.figure.dataset[name]), name: `${word} ${said(Number(this.figure.dataset[name]))}`, isIssued: name === "issued" }));
    const widest = Math.max(1, ...points.map((point) => point[0]), ...marks.map((mark) => mark.xAxis));
    chart.setOption({
      ...frame(colour),
      grid: { left: 8, right: 24, top: 40, bottom: 26, containLabel: true },
      tooltip: { ...frame(colour).tooltip, formatter: (found) => tip(`≥ ${said(found[0].value[0])}`, [[this.words.percent_at_least, said(found[0].value[1])]]) },
      xAxis: { type: "value", min: 0, max: Math.ceil(widest * 1.04), minInterval: 1, ...axis(colour), splitLine: { show: false } },
      yAxis: { type: "value", min: 0, ...axis(colour), axisLine: { show: false }, axisLabel: { color: colour.soft, formatter: "{value} %" } },
      series: [{
        type: "line", step: "start", symbol: "none", data: [[0, points[0]?.[1] ?? 0], ...points, [points.at(-1)?.[0] ?? 0, 0]],
        lineStyle: { width: 1.5, color: colour.accent }, areaStyle: { color: colour.accent, opacity: 0.15 }, itemStyle: { color: colour.accent },
        markLine: {
          symbol: "none", silent: true,
          data: marks.map((mark) => ({ xAxis: mark.xAxis, name: mark.name,
            lineStyle: { color: mark.isIssued ? colour.soft : colour.full, type: mark.isIssued ? [5, 4] : "solid", width: 1.2 },
            label: { formatter: mark.name, color: colour.text, position: "end", distance: mark.isIssued ? 4 : 18, align: mark.xAxis > widest * 0.7 ? "right" : mark.xAxis < widest * 0.3 ? "left" : "center" } })),
        },
      }],
    }, { notMerge: true });
  }
}

const KINDS = { seats: Seats, levels: Levels };

function start(figure) {
  const place = figure.querySelector(".drawing");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", figure.querySelector("h2").textContent);
  figure.querySelector("details").open = false;
  delete figure.dataset.waiting;
  figure.dataset.drawn = "";
  const [chart, of] = [echarts.init(place, null, { renderer: "canvas" }), new KINDS[figure.dataset.chart](figure)];
  of.draw(chart);
  // The first look at a size changes none.
  let looked = false;
  new ResizeObserver(() => { if (looked) chart.resize(); looked = true; }).observe(place);
  return [chart, of];
}

// Draws each chart when it comes into sight, one at a time, so that the page answers in between; on paper all are there.
export function draw(figures) {
  const [drawn, waiting] = [[], new Set(figures)];
  const begin = (figure) => { if (waiting.delete(figure)) drawn.push(start(figure)); };
  let turn = Promise.resolve();
  const sight = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      sight.unobserve(target);
      turn = turn.then(() => new Promise((resolve) => setTimeout(resolve))).then(() => begin(target));
    }
  }, { rootMargin: "200px" });
  for (const figure of figures) sight.observe(figure);
  addEventListener("beforeprint", () => [...waiting].forEach(begin));
  const again = () => { for (const [chart, of] of drawn) of.draw(chart); };
  document.addEventListener("themechange", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
}
