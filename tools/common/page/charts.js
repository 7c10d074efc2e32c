// What pages of the tools share: elements, numbers with units, and charts in the colours of the page.

// element('p', 'class', 'text' or [children]): what comes from data becomes text, never markup.
function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const part of [].concat(content === undefined ? [] : content)) made.append(part);
  return made;
}

function withUnit(value, units) {
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit + 1 < units.length) {
    value /= 1000;
    ++unit;
  }
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`.trim();
}
const bytesText = (value) => withUnit(value, ['B', 'kB', 'MB', 'GB', 'TB']);
const rateText = (value) => withUnit(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
const countText = (value) => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
function millisecondsText(value) {
  if (Math.abs(value) >= 1000) return withUnit(value / 1000, ['s']);
  return Math.abs(value) >= 1 || value === 0 ? withUnit(value, ['ms']) : withUnit(value * 1000, ['µs']);
}

// Numbers with no figure behind the first three that matter.
function axisText(text) {
  return (value) => text(value).replace(/(\.\d*?)0+(?= )/, '$1').replace(/\.(?= )/, '');
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}

function table(heads, rows) {
  const cell = (tag, value) => element(tag, typeof value === 'number' || (value && value.number) ? 'number' : '',
      typeof value === 'number' ? countText(value) : value && value.number !== undefined ? value.number : value);
  const numeric = heads.map((_, i) => rows.some((row) => typeof row[i] === 'number' || (row[i] && row[i].number !== undefined)));
  const head = element('tr', '', heads.map((title, i) => element('th', numeric[i] ? 'number' : '', title)));
  const body = rows.map((row) => element('tr', '', row.map((value) => cell('td', value))));
  return element('div', 'scroll', element('table', '', [element('thead', '', head), element('tbody', '', body)]));
}

// One row for each time of any series; a series is {label, colour, points: [[x, y]…], …options of dygraphs}.
function rowsOf(series) {
  const times = new Map();
  series.forEach((one, column) => {
    for (const [x, y] of one.points) {
      if (!times.has(x)) times.set(x, new Array(series.length).fill(null));
      times.get(x)[column] = y;
    }
  });
  return [...times.entries()].sort((a, b) => a[0] - b[0]).map(([x, values]) => [x, ...values]);
}

const charts = [];  // those on the page

function chartColours(series) {
  return {colors: series.map((one) => colour(one.colour)), axisLineColor: colour('line'), gridLineColor: colour('grid')};
}

// Draws `series` over time in ms below `parent`: what the y axis is, how its values are written, further options.
function chart(parent, title, series, valueText, options) {
  series = series.filter((one) => one.points.length > 0);
  if (series.length === 0) return null;
  parent.append(element('h3', '', title));
  const place = element('div', 'chart');
  const legend = element('div', 'legend');
  place.setAttribute('role', 'img');
  place.setAttribute('aria-label', `${title}: ${series.map((one) => one.label).join(', ')}`);
  parent.append(place, legend);
  const perSeries = {};
  for (const one of series) perSeries[one.label] = one.options || {};
  const drawn = new Dygraph(place, rowsOf(series), {
    labels: ['time', ...series.map((one) => one.label)],
    series: perSeries, labelsDiv: legend, legend: 'always', connectSeparatedPoints: true, strokeWidth: 1.5,
    includeZero: true, labelsKMB: false, highlightCircleSize: 3, rightGap: 8, xRangePad: 4, animatedZooms: false,
    axes: {
      x: {valueFormatter: (x) => millisecondsText(x) + ': ', axisLabelFormatter: axisText(millisecondsText), pixelsPerLabel: innerWidth < 600 ? 56 : 80},
      y: {valueFormatter: (y) => y === null ? '' : valueText(y), axisLabelFormatter: axisText(valueText), axisLabelWidth: 72, pixelsPerLabel: 36},
    },
    ...chartColours(series), ...options,
  });
  charts.push({drawn, series});
  return drawn;
}

// Takes all that is in `parent` away, charts and what stands between them.
function removeCharts(parent) {
  for (let i = charts.length; i-- > 0;) {
    if (!parent.contains(charts[i].drawn.graphDiv)) continue;
    charts[i].drawn.destroy();
    charts.splice(i, 1);
  }
  parent.replaceChildren();
}

function startPage(draw) {
  const data = JSON.parse(document.getElementById('data').textContent);
  draw(data, document.getElementById('page'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const one of charts) one.drawn.updateOptions(chartColours(one.series));
  });
}
