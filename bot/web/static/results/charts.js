// Charts of the table that stands below them: a line with its 95 % interval for each score, and the calls.

const box = document.querySelector(".charts");
const table = document.getElementById(box.dataset.table);
const heads = [...table.tHead.rows[0].cells].slice(1);
const rows = [...table.tBodies[0].rows];
const decimal = table.dataset.decimal;

// Days as moments in UTC, shown in UTC: a day is a day wherever the reader sits.
const days = rows.map((row) => Date.parse(`${row.cells[0].dataset.day}T00:00:00Z`) / 1000);
const when = table.tHead.rows[0].cells[0].textContent.trim();
const names = rows.map((row) => row.cells[0].textContent.trim());

const number = (text) => (text === undefined ? null : Number(text));
const column = (place, name) => rows.map((row) => number(row.cells[place + 1].dataset[name]));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shown = (value, digits) => (value == null ? "—" : value.toFixed(digits).replace(".", decimal).replace("-", "−"));

function faded(of) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(of.slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, 0.18)`;
}

function axes(digits) {
  const text = colour("--pico-muted-color");
  const lines = colour("--pico-muted-border-color");
  const common = { stroke: text, grid: { stroke: lines, width: 1 }, ticks: { stroke: lines, width: 1 } };
  const label = (value) => {
    const day = new Date(value * 1000);
    return `${String(day.getUTCDate()).padStart(2, "0")}.${String(day.getUTCMonth() + 1).padStart(2, "0")}`;
  };
  return [
    { ...common, values: (_, splits) => splits.map(label), incrs: [86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400] },
    { ...common, size: 48, values: (_, splits) => splits.map((value) => shown(value, digits)) },
  ];
}

function options(width, digits, series, more) {
  return {
    width,
    height: 220,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    axes: axes(digits),
    series: [{ label: when, value: (_, at) => names[days.indexOf(at)] ?? "—" }, ...series],
    cursor: { points: { size: 7 } },
    ...more,
  };
}

function scoreChart(head, place, width) {
  const digits = Number(head.dataset.digits);
  const line = colour("--results-bar");
  const value = { value: (_, of) => shown(of, digits) };
  const edge = { stroke: faded(line), width: 1, points: { show: false }, ...value };
  const data = [days, column(place, "to"), column(place, "value"), column(place, "from")];
  const series = [
    { ...edge, label: "95 % ↑" },
    { label: head.textContent.trim(), stroke: line, width: 2, points: { show: days.length < 60, size: 5 }, ...value },
    { ...edge, label: "95 % ↓" },
  ];
  const [low, high] = [Number(head.dataset.low), Number(head.dataset.high)];
  const range = (_, least, most) => {
    if (least == null) return [low, high];
    const room = Math.max((most - least) * 0.1, (high - low) * 0.02);
    return [Math.max(low, least - room), Math.min(high, most + room)];
  };
  return [data, options(width, digits, series, { scales: { y: { range } }, bands: [{ series: [1, 3], fill: faded(line) }] })];
}

function countChart(places, width) {
  const colours = [colour("--results-middle"), colour("--results-bar"), colour("--results-good")];
  const series = places.map((place, at) => ({
    label: heads[place].textContent.trim(),
    stroke: colours[at],
    width: 2,
    dash: [[], [6, 3], [2, 2]][at], // told apart without colours, too
    points: { show: days.length < 60, size: 5 },
    value: (_, of) => shown(of, 0),
  }));
  const range = (_, least, most) => [0, Math.max(most ?? 0, 1) * 1.05];
  return [[days, ...places.map((place) => column(place, "value"))], options(width, 0, series, { scales: { y: { range } } })];
}

let drawn = [];

function draw() {
  for (const each of drawn) each.destroy();
  drawn = [];
  box.replaceChildren();
  box.hidden = false;
  const counts = heads.flatMap((head, place) => ("count" in head.dataset ? [place] : []));
  const scores = heads.flatMap((head, place) => ("count" in head.dataset ? [] : [place]));
  const charts = [...scores.map((place) => [heads[place].textContent.trim(), (width) => scoreChart(heads[place], place, width)])];
  charts.push([counts.map((place) => heads[place].textContent.trim()).join(", "), (width) => countChart(counts, width)]);
  const frames = charts.map(([name]) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = name;
    figure.append(caption);
    figure.setAttribute("aria-hidden", "true"); // the table below says it all
    box.append(figure);
    return figure;
  });
  charts.forEach(([, make], at) => {
    const [data, of] = make(frames[at].clientWidth);
    drawn.push(new uPlot(of, data, frames[at]));
  });
}

if (days.length > 1) {
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(box.clientWidth - width) > 8) {
      width = box.clientWidth;
      draw();
    }
  }).observe(box);
}
