// The page of mxp-perf report: called with the data that report.cpp makes, which come from files of anybody.

const MANY = 8;  // more than that are told apart by their groups
const PALETTE = ['one', 'two', 'three', 'four', 'bad', 'warn', 'quiet'];
const words = (name) => text(name).replace(/_/g, ' ');
const isNumber = (value) => typeof value === 'number' && isFinite(value);
const text = (value) => value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
const listOf = (value) => Array.isArray(value) ? value : [];
const within = (object, ...path) => path.reduce((inner, key) => inner === null || typeof inner !== 'object' ? undefined : inner[key], object);
const objectsOf = (value) => listOf(value).filter((each) => each !== null && typeof each === 'object');
// A word of others may be the name of something that every object has.
const known = (object, key, otherwise) => typeof key === 'string' && Object.hasOwn(object, key) ? object[key] : otherwise;
const isTime = (seconds) => isNumber(seconds) && seconds >= 0 && seconds <= 4.6e9;
const microsecondsText = (value) => millisecondsText(value / 1000);
const perSecondText = (value) => withUnit(value, ['/s', 'k/s', 'M/s']);
const percentText = (value) => `${value > 0 ? '+' : ''}${value.toFixed(2)} %`;

// Runs of one kind, as compare --keep names them: "base-001" and "base-002" have one colour.
const groupOf = (name) => name.replace(/-\d+$/, '');

function metricText(metric, value) {
  if (!isNumber(value)) return '';
  return metric.unit === 'bits_per_second' ? rateText(value) : metric.unit === 'us' ? microsecondsText(value) : perSecondText(value);
}

function median(values) {
  const sorted = listOf(values).filter(isNumber).sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

const FINDINGS = {regression: ['high', 'Regression'], unclear: ['', 'Unclear'], no_regression: ['none', 'No regression'], improvement: ['none', 'Better']};

function intervalText(metric) {
  if (!metric.interval_percent) return isNumber(metric.change_percent) ? 'one run: none' : '';
  const {low, high} = metric.interval_percent;
  return `${isNumber(low) ? percentText(low) : '…'} to ${isNumber(high) ? percentText(high) : '…'}`;
}

function addComparison(one, page) {
  const comparison = one.comparison, [kind, word] = known(FINDINGS, comparison.finding, ['', words(comparison.finding)]);
  const card = element('div', 'card');
  page.append(card);  // a chart needs its width, which it has only in its place
  const runs = known({pairs: 'run in turn', groups: 'groups of runs', single: 'one run of each'}, comparison.runs, '');
  card.append(element('div', `finding ${kind}`, [
    element('p', '', [element('b', '', word), ` — ${text(comparison.test)}, ${one.name}: NEW against BASE, ${runs}; the limit is ${text(comparison.max_regression_percent)} %`])]));
  const rows = objectsOf(comparison.metrics).map((metric) => [
    metric.decides ? element('b', '', text(metric.name)) : text(metric.name), {number: metricText(metric, median(metric.base))}, {number: metricText(metric, median(metric.new))},
    {number: isNumber(metric.change_percent) ? percentText(metric.change_percent) : ''}, {number: intervalText(metric)},
    metric.decides ? known(FINDINGS, metric.finding, ['', words(metric.finding)])[1] : '']);
  const figures = table(['', 'base, median', 'new, median', 'change', `${text(comparison.confidence_percent)} % interval`, ''], rows);
  figures.style.whiteSpace = 'nowrap';
  card.append(figures);
  addRuns(comparison, card);
  const differences = objectsOf(comparison.differences);
  if (differences.length > 0) {
    card.append(element('h3', '', 'What else differs between BASE and NEW'));
    card.append(table(['', 'base', 'new'], differences.map((row) => [text(row.key), text(row.base), text(row.new)])));
  }
}

// Each run of the metric that decides, in the order of the runs.
function addRuns(comparison, card) {
  const metric = objectsOf(comparison.metrics).find((each) => each.decides);
  if (!metric || listOf(metric.base).length < 2) return;
  const points = (values) => listOf(values).filter(isNumber).map((value, i) => [i + 1, value]);
  const options = {drawPoints: true, pointSize: 3, strokePattern: [4, 3]};
  const valueText = (value) => metricText(metric, value), whole = (value) => Number.isInteger(value) ? String(value) : '';
  chart(card, `${words(metric.name)} of each run`, [{label: 'base', colour: 'one', points: points(metric.base), options}, {label: 'new', colour: 'two', points: points(metric.new), options}], valueText, {
    includeZero: false,
    axes: {x: {valueFormatter: (x) => `run ${x}: `, axisLabelFormatter: whole, pixelsPerLabel: 40},
      y: {valueFormatter: (y) => y === null ? '' : valueText(y), axisLabelFormatter: axisText(valueText), axisLabelWidth: 72, pixelsPerLabel: 36}},
  });
}

function addCapacity(one, page) {
  const capacity = one.capacity, card = element('div', 'card');
  const found = isNumber(capacity.rate_per_second) ? `${perSecondText(capacity.rate_per_second)} keeps the bound` : 'no rate kept the bound';
  card.append(element('div', 'finding none', element('p', '', [element('b', '', `Capacity: ${found}`), ` — ${text(capacity.test)}, ${one.name}; limited by: ${words(capacity.limited_by)}`])));
  const rows = objectsOf(capacity.trials).map((trial) => [cell(trial.rate_per_second, perSecondText), trial.kept ? 'kept' : 'not kept',
    {number: isNumber(trial.p99_us) ? microsecondsText(trial.p99_us) : ''}, {number: isNumber(trial.loss_share) ? `${(100 * trial.loss_share).toFixed(3)} %` : ''}, text(trial.why)]);
  card.append(table(['rate', '', 'p99', 'loss', ''], rows));
  page.append(card);
}

function addResults(results, page) {
  const columns = [['result', (one) => one.name], ['test', (one) => text(one.test)],
    ['goodput', (one) => cell(within(one, 'result', 'goodput_bits_per_second'), rateText)],
    ['per second', (one) => cell(within(one, 'result', 'messages_per_second'), perSecondText)],
    ['streams', (one) => cell(within(one, 'result', 'streams_per_second'), perSecondText)],
    ['handshakes', (one) => cell(within(one, 'result', 'handshakes_per_second'), perSecondText)],
    ['p50', (one) => cell(within(one, 'result', 'latency_us', 'p50'), microsecondsText)],
    ['p99', (one) => cell(within(one, 'result', 'latency_us', 'p99'), microsecondsText)],
    ['max', (one) => cell(within(one, 'result', 'latency_us', 'max'), microsecondsText)],
    ['lost packets', (one) => cell(within(one, 'transport', 'packets_lost'), countText)],
    ['cpu, client and server', (one) => cpuText(one.cpu)], ['limited by', (one) => one.verdict === 'none' ? '' : text(one.verdict)],
    ['', (one) => one.error ? `${text(one.error.kind)}: ${text(one.error.message)}` : '']];
  const filled = columns.filter(([, value]) => results.some((one) => { const shown = value(one); return (shown && shown.number !== undefined ? shown.number : shown) !== ''; }));
  const rows = table(filled.map(([head]) => head), results.map((one) => filled.map(([, value]) => value(one))));
  rows.style.whiteSpace = 'nowrap';  // it scrolls by itself where it is too wide
  if (results.length <= MANY) return page.append(element('div', 'card', rows));
  page.append(element('details', 'card', [element('summary', '', element('b', '', `All ${results.length} results`)), rows]));
}

const cell = (value, write) => ({number: isNumber(value) ? write(value) : ''});

function cpuText(cpu) {
  const parts = ['client_seconds', 'server_seconds'].map((key) => within(cpu, key)).filter(isNumber);
  return {number: parts.map((seconds) => `${seconds.toFixed(2)} s`).join(' + ')};
}

// Series of many runs are told apart by their groups; few by themselves.
function giveColours(results) {
  const names = results.map((one) => results.length > MANY ? groupOf(one.name) : one.name);
  const different = [...new Set(names)];
  results.forEach((one, i) => { one.colour = PALETTE[different.indexOf(names[i]) % PALETTE.length]; });
}

const RATES = [['goodput_bits_per_second', 'Goodput over time', rateText], ['messages_per_second', 'Calls or messages over time', perSecondText],
  ['datagrams_per_second', 'Datagrams over time', perSecondText], ['streams_per_second', 'Streams over time', perSecondText],
  ['handshakes_per_second', 'Handshakes over time', perSecondText]];

function addRates(results, page) {
  for (const [key, title, valueText] of RATES) {
    const series = results.map((one) => ({label: one.name, colour: one.colour, points: pointsOf(one, key)}));
    if (!series.some((each) => each.points.length > 1)) continue;
    const card = element('div', 'card');
    page.append(card);
    const drawn = series.filter((each) => each.points.length > 1);
    chart(card, title, drawn, valueText, manyRuns(drawn));
    addGroups(drawn, card);
  }
}

function pointsOf(one, key) {
  return listOf(one.intervals).filter((each) => isNumber(within(each, key)) && isNumber(each.start_seconds) && isNumber(each.end_seconds))
      .map((each) => [500 * (each.start_seconds + each.end_seconds), each[key]]);
}

// The legend of twenty runs would be longer than the chart: it shows the one that is pointed at.
const manyRuns = (series) => series.length > MANY ? {legend: 'onmouseover', strokeWidth: 1} : {};

function addGroups(series, card) {
  if (series.length <= MANY) return;
  const groups = new Map(series.map((one) => [groupOf(one.label), one.colour]));
  card.append(element('div', 'keys', [...groups].map(([name, colourName]) => {
    const key = element('i');
    key.style.background = `var(--${colourName})`;
    return element('span', '', [key, name]);
  })));
}

// Over the share of values that are longer, so that each step to the right is ten times as rare.
function addCurves(results, page) {
  const shown = results.flatMap((one) => Object.keys(one.curves || {}).map((name) => ({one, name, points: listOf(one.curves[name])})))
      .filter((each) => each.points.length > 2);
  const names = [...new Set(shown.map((each) => each.name))];
  for (const name of names) {
    const curves = shown.filter((each) => each.name === name);
    const series = curves.map((each) => ({label: each.one.name, colour: each.one.colour, points: each.points.map(([us, above]) => [-Math.log10(above), us])}));
    const last = Math.max(...series.map((each) => each.points[each.points.length - 1][0]));
    const card = element('div', 'card');
    page.append(card);
    const tick = (x) => x === 0 ? '0 %' : `${(100 * (1 - 10 ** -x)).toFixed(Math.max(0, x - 2))} %`;
    const ticks = () => Array.from({length: Math.min(Math.ceil(last), 20) + 1}, (_, x) => ({v: x, label: tick(x)}));
    const title = known({latency: 'Latency by percentile', service_time: 'Service time by percentile', alone: 'Latency by percentile, before the bulk data',
      sender_late: 'How late the sender was, by percentile', to_server: 'Delay to the server by percentile', to_client: 'Delay to the client by percentile'}, name, `${words(name)} by percentile`);
    chart(card, title, series, microsecondsText, {
      ...manyRuns(series), logscale: series.every((each) => each.points.every(([, us]) => us > 0)), includeZero: false,
      axes: {x: {valueFormatter: (x) => `${(100 * (1 - 10 ** -x)).toFixed(Math.max(2, Math.ceil(x) - 1))} %: `, ticker: ticks},
        y: {valueFormatter: (y) => y === null ? '' : microsecondsText(y), axisLabelFormatter: axisText(microsecondsText), axisLabelWidth: 72, pixelsPerLabel: 36}},
    });
    addGroups(series, card);
  }
}

function flat(value, key, rows) {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) flat(inner, `${key} ${words(name)}`, rows);
  } else {
    rows.set(key, Array.isArray(value) ? value.map(text).join(', ') : String(value));
  }
}

// What all results have in common once, and what differs with each value.
function addEnvironment(results, page) {
  const all = results.map((one) => {
    const rows = new Map();
    for (const part of ['version', 'config', 'environment', 'limits']) if (one[part] !== undefined) flat(one[part], part, rows);
    return rows;
  });
  const keys = [...new Set(all.flatMap((rows) => [...rows.keys()]))].sort();
  const valuesOf = (key) => [...new Set(all.map((rows) => rows.has(key) ? rows.get(key) : 'absent'))];
  const same = keys.filter((key) => valuesOf(key).length === 1), different = keys.filter((key) => valuesOf(key).length > 1);
  const card = element('details', 'card', element('summary', '', element('b', '', 'Settings and environment')));
  if (different.length > 0) {
    card.append(element('h3', '', 'Different'));
    card.append(table(['', 'values'], different.map((key) => [key, valuesOf(key).slice(0, 12).join(' · ')])));
    card.append(element('h3', '', 'The same for all'));
  }
  card.append(table(['', ''], same.map((key) => [key, valuesOf(key)[0]])));
  card.open = results.length < 8;
  page.append(card);
}

function page(data, main) {
  main.append(element('h1', '', data.title));
  const times = data.results.map((one) => one.started_at_unix_seconds).filter(isTime);
  const when = times.length > 0 ? ` of ${new Date(1000 * Math.min(...times)).toISOString().slice(0, 16).replace('T', ' ')} UTC` : '';
  main.append(element('p', 'quiet', `Made by ${data.tool}, from ${countText(data.results.length)} ${data.results.length === 1 ? 'result' : 'results'}${when}. `
      + 'The page is one file and loads nothing. In a chart: drag to zoom, double tap to see all again.'));
  for (const one of data.comparisons) addComparison(one, main);
  for (const one of data.capacities) addCapacity(one, main);
  for (const one of data.failures) {
    const error = one.error || {kind: 'error', message: 'no result'};
    main.append(element('div', 'card', element('div', 'finding high', element('p', '', `${one.name}: ${text(error.kind)}: ${text(error.message)}`))));
  }
  if (data.results.length === 0) return;
  main.append(element('h2', '', data.results.length === 1 ? 'The result' : 'The results'));
  giveColours(data.results);
  addResults(data.results, main);
  addRates(data.results, main);
  addCurves(data.results, main);
  addEnvironment(data.results, main);
}
