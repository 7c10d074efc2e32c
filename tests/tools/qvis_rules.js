// What the loader of the qvis tools asks of a file, and what its diagrams look up in it; written from its behaviour:
// how it finds the format, which versions it takes, how it reads times, and which names its diagrams know.
// Usage: node qvis_rules.js FILE...   Exit 1 and a line for each rule that is broken.
'use strict';
const fs = require('fs');

const VERSIONS = ['draft-02', 'draft-02-RC1', 'qlog-03-WIP', '0.3'];
const problems = [];

function load(path) {
  const bad = (text) => problems.push(`${path}: ${text}`);
  const text = fs.readFileSync(path, 'utf8');
  if (!path.endsWith('.sqlog')) bad('only .sqlog is read as a text sequence by its name');
  const records = text.split('\u001e').filter((record) => record.trim() !== '').map((record) => JSON.parse(record));
  const header = records.shift();
  if (!VERSIONS.includes(header.qlog_version)) bad(`qlog_version ${header.qlog_version} is not taken`);
  if (header.qlog_format !== 'JSON-SEQ') bad(`qlog_format ${header.qlog_format} is not taken`);
  if (header.trace === undefined) return bad('the header has no trace');
  const vantage = header.trace.vantage_point || {};
  if (!['client', 'server', 'network'].includes(vantage.type)) bad('vantage_point.type is missing');
  const onNetwork = vantage.type === 'network';  // sees the handshake, and no windows or parameters
  const common = header.trace.common_fields || {};
  let offset = 0;
  if (common.time_format === 'relative') {
    offset = parseFloat(common.reference_time);
    if (!Number.isFinite(offset)) bad('reference_time is no number');
  } else if (common.time_format !== undefined && common.time_format !== 'absolute') {
    bad(`time_format ${common.time_format} is not supported`);
  }
  let last = -Infinity;
  const known = {};
  for (const event of records) {
    const time = parseFloat(event.time) + offset;
    if (!(time >= last)) bad(`times go back at ${event.time}`);
    last = time;
    const [category, name] = event.name.split(':');
    const data = event.data;
    if (data.header && (data.header.packet_size || data.header.payload_length)) bad('sizes belong into raw');
    if (data.packet_type) bad('packet_type belongs into header');
    known[event.name] = (known[event.name] || 0) + 1;
    if (category === 'transport' && (name === 'packet_sent' || name === 'packet_received')) {
      const type = data.header.packet_type;
      if (type !== '1RTT' && !(onNetwork && ['initial', 'handshake'].includes(type))) bad(`packet_type is ${type}`);
      if (!Number.isInteger(data.header.packet_number) && !(onNetwork && data.frames.length === 0)) bad('packet_number is missing');
      if (!(data.raw.length > 0)) bad('raw.length is missing');
      for (const frame of data.frames) {
        if (frame.frame_type === 'stream' && ![frame.stream_id, frame.offset, frame.length].every(Number.isInteger))
          bad('a stream frame lacks what the multiplexing diagram shows');
        if (frame.frame_type === 'ack' && !frame.acked_ranges.every(([from, to]) => from <= to)) bad('acked_ranges');
      }
    }
    if (event.name === 'recovery:metrics_updated' && !onNetwork && !(data.congestion_window > 0)) bad('no congestion_window');
    if (event.name === 'recovery:packet_lost' && !Number.isInteger(data.header.packet_number)) bad('packet_lost');
  }
  for (const name of ['transport:packet_sent', 'transport:packet_received',
                      ...(onNetwork ? [] : ['recovery:metrics_updated', 'transport:parameters_set'])])
    if (!known[name]) bad(`there is no ${name}: a diagram would be empty`);
  return records.length;
}

for (const path of process.argv.slice(2)) console.log(`${path}: ${load(path)} events`);
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
