// The page of mxp-dump --html: called with the data that page_writer.cpp makes.

const DIRECTIONS = ['client_to_server', 'server_to_client'];
const ARROW = {client_to_server: 'client → server', server_to_client: 'server → client'};
const COLOURS = {client_to_server: 'one', server_to_client: 'two'};
const LIMIT_COLOURS = {start_up: 'quiet', application: 'three', receiver_window: 'four', recovery: 'bad', path_rate: 'two',
  congestion_window: 'one', pacing: 'warn', not_told: 'line'};
const words = (name) => name.replace(/_/g, ' ');

function figure(value, name) {
  return element('div', '', [element('b', '', value), element('span', '', name)]);
}

function figures(pairs) {
  return element('div', 'figures', pairs.filter(([value]) => value !== undefined && value !== null).map(([value, name]) => figure(value, name)));
}

function number(value) {
  return value === undefined || value === null ? undefined : countText(value);
}

function addSummary(data, page) {
  const all = data.summary;
  const card = element('div', 'card');
  card.append(figures([
    [countText(data.connections), data.connections === 1 ? 'connection' : 'connections'],
    [countText(data.with_findings), 'with findings'],
    [number(all.packets), 'packets'],
    [all.bytes === undefined ? undefined : bytesText(all.bytes), 'of UDP payload'],
    [number(all.lost), 'lost'],
    [number(all.not_captured), 'not captured'],
    [number(all.retransmitted), 'retransmitted'],
    [number(all.duplicates || undefined), 'duplicates'],
    [number(all.damaged || undefined), 'damaged'],
    [all.handshake_ms === undefined ? undefined : millisecondsText(all.handshake_ms), 'handshake, median'],
  ]));
  const unread = data.shown.some((one) => one.decrypted === 0 && one.packets > 2);
  if (unread) {
    card.append(element('p', 'quiet', 'Some connections could not be opened: with their key log (--keylog) the page shows losses, round trips, '
        + 'bytes in flight and streams too.'));
  }
  if (all.error) card.append(element('p', '', `The capture is not whole: ${all.error.message}. This is what could be read.`));
  page.append(card);
}

function addFindings(one, place) {
  if (one.findings.length === 0) {
    place.append(element('div', 'finding none', element('p', '', 'Nothing found.')));
    return;
  }
  one.findings.forEach((finding, rank) => {
    const made = element('div', 'finding' + (finding.confidence >= 0.8 ? ' high' : ''));
    made.append(element('p', '', [element('b', '', `${rank + 1}. ${finding.title}`), ` — confidence ${finding.confidence.toFixed(2)}`]));
    made.append(element('p', '', finding.detail));
    const frames = finding.frames.length > 0 ? `Frames ${finding.frames.join(', ')}. ` : '';
    made.append(element('p', 'quiet', `${frames}To confirm: ${finding.confirm}. Page: ${finding.page}`));
    place.append(made);
  });
}

// Where the time went, as one bar.
function addTime(one, place) {
  const parts = Object.entries(one.time_ms.limited_by).filter(([, ms]) => ms > 0);
  const total = parts.reduce((sum, [, ms]) => sum + ms, 0);
  if (total === 0) return;
  place.append(element('h3', '', `Where the time went, ${ARROW[one.time_ms.direction]}`));
  const bar = element('div', 'bar'), keys = element('div', 'keys');
  for (const [limit, ms] of parts.sort((a, b) => b[1] - a[1])) {
    const share = 100 * ms / total, piece = element('i'), key = element('i');
    piece.style.width = `${share}%`;
    piece.style.background = key.style.background = `var(--${LIMIT_COLOURS[limit] || 'quiet'})`;
    piece.title = words(limit);
    bar.append(piece);
    keys.append(element('span', '', [key, `${words(limit)} ${share.toFixed(share < 10 ? 1 : 0)} %, ${millisecondsText(ms)}`]));
  }
  place.append(bar, keys);
}

// Of a column of a direction, where it has values: the middle of the slot, and the value.
function pointsOf(direction, column) {
  const at = direction.columns.slot, values = direction.columns[column], points = [];
  values.forEach((value, i) => { if (value !== null) points.push([(at[i] + 0.5) * direction.slot_ms, value]); });
  return points;
}

function addSequence(plot, place, time) {
  const series = [];
  for (const name of DIRECTIONS) {
    const direction = plot[name];
    series.push({label: `${ARROW[name]}, sent`, colour: COLOURS[name], points: pointsOf(direction, 'sent')});
    series.push({label: `${ARROW[name]}, acknowledged`, colour: name === DIRECTIONS[0] ? 'three' : 'four', points: pointsOf(direction, 'acknowledged'),
      options: {strokePattern: [5, 3]}});
    series.push({label: `${ARROW[name]}, lost`, colour: 'bad', points: direction.losses.map(([time, position]) => [time, position]),
      options: {strokeWidth: 0, drawPoints: true, pointSize: 3, connectSeparatedPoints: false}});
  }
  const drawn = chart(place, 'Bytes of packets over time', series, bytesText, time);
  for (const name of DIRECTIONS) {
    const direction = plot[name];
    if (drawn === null || direction.lost + direction.lost_elsewhere === 0) continue;
    const each = direction.losses_each_stand_for > 1 ? `, of which one in ${direction.losses_each_stand_for} is marked` : '';
    const other = direction.lost_elsewhere > 0 ? `; ${countText(direction.lost_elsewhere)} more that only other places saw` : '';
    place.append(element('p', 'quiet', `${ARROW[name]}: ${countText(direction.lost)} lost${each}${other}.`));
  }
}

// Of slots put together until there are few enough to show a rate and not single packets.
function ratesOf(direction, span) {
  const points = pointsOf(direction, 'sent');
  if (points.length === 0) return [];
  const width = Math.max(direction.slot_ms, span / 60), sums = new Map();
  let last = 0;
  for (const [time, sent] of points) {
    const slot = Math.floor(time / width);
    sums.set(slot, (sums.get(slot) || 0) + sent - last);
    last = sent;
  }
  const end = Math.max(...sums.keys()), rates = [];
  for (let slot = 0; slot <= end; ++slot) rates.push([(slot + 0.5) * width, (sums.get(slot) || 0) * 8000 / width]);
  return rates;
}

function addRate(one, plot, place, time) {
  chart(place, 'Rate of UDP payload', DIRECTIONS.map((name) => ({label: ARROW[name], colour: COLOURS[name], points: ratesOf(plot[name], one.duration_ms)})),
      rateText, time);
}

function addRoundTrips(plot, place, time) {
  const behind = {client_to_server: 'here → server → here', server_to_client: 'here → client → here'};
  const series = DIRECTIONS.map((name) => {
    const low = pointsOf(plot[name], 'rtt_min_ms'), middle = pointsOf(plot[name], 'rtt_mean_ms'), high = pointsOf(plot[name], 'rtt_max_ms');
    return {label: behind[name], colour: COLOURS[name], points: middle.map(([time, value], i) => [time, [low[i][1], value, high[i][1]]])};
  });
  chart(place, 'Round trips: mean, least and greatest', series, millisecondsText, {customBars: true, ...time});
}

function addFlight(plot, place, time) {
  const series = DIRECTIONS.filter((name) => plot[name].columns.flight.some((bytes) => bytes > 0))
      .map((name) => ({label: `${ARROW[name]}, in flight`, colour: COLOURS[name], points: pointsOf(plot[name], 'flight')}));
  chart(place, 'Bytes in flight', series, bytesText, time);
  chart(place, 'Credit left of the connection (MAX_DATA)',
      DIRECTIONS.map((name) => ({label: ARROW[name], colour: COLOURS[name], points: pointsOf(plot[name], 'credit')})), bytesText, time);
}

// A line for each stream where it was busy.
function addStreams(plot, place, time) {
  const rows = plot.streams.rows;
  if (rows.length === 0) return;
  const height = rows.length;
  const label = (row) => `${row.label} ${row.direction === DIRECTIONS[0] ? '→' : '←'}`;
  const series = rows.map((row, i) => {
    const points = [], y = height - i;
    for (const [first, last] of row.busy) {
      points.push([first * row.slot_ms, y], [(last + 1) * row.slot_ms, y], [(last + 1.001) * row.slot_ms, NaN]);
    }
    return {label: label(row), colour: COLOURS[row.direction], points};
  });
  const ticks = () => rows.map((row, i) => ({v: height - i, label: label(row)}));
  const drawn = chart(place, 'Streams: when each was busy (→ client to server, ← server to client)', series, () => '', {
    ...time, strokeWidth: 7, valueRange: [0.4, height + 0.6], legend: 'never', highlightCircleSize: 0, drawHighlightPointCallback: () => {},
    axes: {
      x: {valueFormatter: millisecondsText, axisLabelFormatter: axisText(millisecondsText), pixelsPerLabel: innerWidth < 600 ? 56 : 80},
      y: {ticker: ticks, axisLabelWidth: 100, drawGrid: false},
    },
  });
  if (drawn === null) return;
  const parent = drawn.graphDiv.parentNode;
  parent.style.height = `${40 + 19 * height}px`;
  drawn.resize();
  const bytes = rows.slice(0, 8).map((row) => `${label(row)} ${bytesText(row.bytes)}`).join(', ');
  place.append(element('p', 'quiet', `The busiest: ${bytes}.`));
  const left = [];
  if (plot.streams.left_out > 0) left.push(`${countText(plot.streams.left_out)} less busy ones are not shown`);
  if (plot.streams.not_followed > 0) left.push(`${countText(plot.streams.not_followed)} frames are of streams that were not followed`);
  if (left.length > 0) place.append(element('p', 'quiet', `${left.join('; ')}.`));
}

// What was seen at one place of the capture.
function placeFigures(plot) {
  const bytes = DIRECTIONS.map((name) => plot[name].bytes);
  return [
    [bytesText(bytes[0]), 'to the server'],
    [bytesText(bytes[1]), 'to the client'],
    [plot.readable ? countText(plot.client_to_server.lost) : undefined, 'lost to the server'],
    [plot.readable ? countText(plot.server_to_client.lost) : undefined, 'lost to the client'],
  ];
}

function addPlots(one, plot, place) {
  const time = one.duration_ms > 0 ? {dateWindow: [0, 1.01 * one.duration_ms]} : {};  // the same for all, one below the other
  addSequence(plot, place, time);
  addRate(one, plot, place, time);
  addRoundTrips(plot, place, time);
  addFlight(plot, place, time);
  addStreams(plot, place, time);
  if (!plot.readable) place.append(element('p', 'quiet', 'No packet could be opened: acknowledgements, losses, round trips and streams need the keys.'));
}

// Several places, of which one is drawn at a time: the charts stay where they are, so that the eye sees what differs.
function addChoice(one, place) {
  const choice = element('div', 'choice'), drawn = element('div');
  choice.setAttribute('role', 'group');
  choice.setAttribute('aria-label', 'place of the capture');
  const buttons = one.places.map((plot) => {
    const packets = DIRECTIONS.reduce((sum, name) => sum + plot[name].packets, 0);
    return element('button', '', [element('b', '', `${plot.client} → ${plot.server}`), element('span', '', packets === 1 ? '1 packet' : `${countText(packets)} packets`)]);
  });
  const show = (chosen) => {
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(i === chosen)));
    removeCharts(drawn);
    drawn.append(element('div', '', figures(placeFigures(one.places[chosen]))));
    addPlots(one, one.places[chosen], drawn);
  };
  buttons.forEach((button, i) => button.addEventListener('click', () => show(i)));
  choice.append(...buttons);
  const further = one.not_placed > 0 ? ` ${countText(one.not_placed)} packets from further places are not drawn.` : '';
  place.append(element('h3', '', `Seen at ${one.places.length} places`),
      element('p', 'quiet', `The capture saw this connection on several sides of a relay or NAT, and the packets above are those of all. Each side is drawn by itself, from the same moment on.${further}`),
      choice, drawn);
  show(0);
}

function addConnection(one, page, open) {
  const card = element('details', 'card connection');
  const found = one.findings.length === 0 ? 'nothing found' : one.findings[0].title;
  card.append(element('summary', '', [element('b', '', `#${one.connection} ${one.client} → ${one.server}`), ` — ${found}`]));
  const alone = one.places.length === 1 ? one.places[0] : undefined;
  card.append(figures([
    [countText(one.packets), 'packets'],
    [one.decrypted === one.packets ? undefined : countText(one.decrypted), 'of them decrypted'],
    [millisecondsText(one.duration_ms), 'duration'],
    [one.round_trip_ms === undefined ? undefined : millisecondsText(one.round_trip_ms), 'shortest round trip'],
    ...(alone ? placeFigures(alone) : []),
  ]));
  const captured = {near_client: 'captured near the client', near_server: 'captured near the server', between: 'captured between the two'};
  card.append(element('p', 'quiet', [captured[one.captured] || 'where it was captured does not show', one.client_id ? `, client id ${one.client_id}` : '',
    `, frames ${one.first_frame} to ${one.last_frame}`]));
  addFindings(one, card);
  addTime(one, card);
  const plots = element('div', 'plots');
  card.append(plots);
  page.append(card);
  // A chart needs its width, which it has only once its place is shown.
  card.addEventListener('toggle', () => {
    if (!card.open || plots.childElementCount > 0) return;
    if (alone) addPlots(one, alone, plots);
    else if (one.places.length > 1) addChoice(one, plots);
  });
  card.open = open;
}

function page(data, main) {
  main.append(element('h1', '', data.capture));
  main.append(element('p', 'quiet', `What ${data.tool} sees in this capture. The page is one file and loads nothing. In a chart: drag to zoom, double tap to see all again.`));
  addSummary(data, main);
  if (data.shown.length > 0) {
    const title = data.others.length + data.not_listed > 0 ? `The ${data.shown.length} busiest connections` : data.shown.length === 1 ? 'The connection' : 'The connections';
    main.append(element('h2', '', title));
  }
  data.shown.forEach((one, i) => addConnection(one, main, i === 0));
  if (data.others.length > 0) {
    main.append(element('h2', '', 'Other connections'));
    main.append(element('div', 'card', table(['#', 'client', 'server', 'packets', 'findings', 'the first'],
        data.others.map((row) => [{number: String(row.connection)}, row.client, row.server, row.packets, row.findings, row.first || '']))));
  }
  if (data.not_listed > 0) main.append(element('p', 'quiet', `${countText(data.not_listed)} more connections, of fewer packets, are not listed: see mxp-dump --stats connections.`));
  if (data.shown.length === 0) main.append(element('p', '', 'There is no MXP in this capture, as far as can be seen.'));
}
