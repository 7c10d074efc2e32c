-- A dissector of MXP (Mesh eXchange Protocol) for Wireshark and tshark 4.0 and later.
--
-- It shows what is in the clear: handshake messages, and of 1-RTT packets the first byte and the connection id. A
-- conversation is recognised by its handshake, wherever it goes from there; a capture that began later needs the
-- preference "UDP port" or Decode As. Frames are shown in files that `mxp-dump --to-upper-pdu` made with the keys.

set_plugin_info({version = "1.0", description = "MXP, the Mesh eXchange Protocol"})

local mxp = Proto("mxp", "Mesh eXchange Protocol")
local opened = Proto("mxp_decrypted", "Mesh eXchange Protocol (decrypted)")

local SUITES = {[1] = "ChaCha20-Poly1305", [2] = "AES-256-GCM"}
local KINDS = {[0xc0] = "initial", [0xc1] = "response"}
local DIRECTIONS = {[0] = "client to server", [1] = "server to client"}
local MIN_SHORT, HANDSHAKE_HEADER, SHORT_HEADER = 29, 14, 9
local MIN_HANDSHAKE, MAX_HANDSHAKE = 1200, 65527

-- Fields ---------------------------------------------------------------------------------------------------------

local f = {
  type = ProtoField.string("mxp.type", "Packet type"),
  first = ProtoField.uint8("mxp.first_byte", "First byte", base.HEX),
  version = ProtoField.string("mxp.version", "Version"),
  suite = ProtoField.uint8("mxp.suite", "Cipher suite", base.DEC, SUITES),
  client_id = ProtoField.bytes("mxp.client_id", "Client's connection id", base.NONE),
  destination_id = ProtoField.bytes("mxp.destination_id", "Destination connection id", base.NONE),
  connection = ProtoField.uint32("mxp.connection", "Connection"),
  direction = ProtoField.string("mxp.direction", "Direction"),
  protected = ProtoField.bytes("mxp.protected", "Protected bytes", base.NONE),
  noise = ProtoField.bytes("mxp.noise", "Handshake message", base.NONE),
  retransmission = ProtoField.bool("mxp.retransmission", "Repeats an earlier packet"),
  first_frame = ProtoField.framenum("mxp.first_frame", "First sent in", base.NONE, frametype.RETRANS_PREV),
  request = ProtoField.framenum("mxp.request_in", "Message 1 in", base.NONE, frametype.REQUEST),
  handshake_time = ProtoField.relative_time("mxp.handshake_time", "Time since message 1"),
}
mxp.fields = f

local g = {
  direction = ProtoField.uint8("mxp.decrypted.direction", "Direction", base.DEC, DIRECTIONS),
  id = ProtoField.bytes("mxp.decrypted.destination_id", "Destination connection id", base.NONE),
  number = ProtoField.uint64("mxp.packet_number", "Packet number"),
  frame = ProtoField.string("mxp.frame.type", "Frame"),
  frame_number = ProtoField.uint64("mxp.frame.type_number", "Frame type", base.HEX),
  stream = ProtoField.uint64("mxp.stream.id", "Stream"),
  offset = ProtoField.uint64("mxp.stream.offset", "Offset"),
  length = ProtoField.uint64("mxp.frame.length", "Length"),
  fin = ProtoField.bool("mxp.stream.fin", "End of the stream"),
  data = ProtoField.bytes("mxp.frame.data", "Data", base.NONE),
  largest = ProtoField.uint64("mxp.ack.largest", "Largest acknowledged"),
  delay = ProtoField.uint64("mxp.ack.delay", "Delay (us)"),
  range = ProtoField.string("mxp.ack.range", "Acknowledged"),
  code = ProtoField.uint64("mxp.error_code", "Error code"),
  reason = ProtoField.string("mxp.close.reason", "Reason"),
  sequence = ProtoField.uint64("mxp.sequence", "Sequence"),
  limit = ProtoField.uint64("mxp.limit", "Limit"),
  value = ProtoField.uint64("mxp.value", "Value"),
  new_id = ProtoField.bytes("mxp.new_connection_id", "Connection id", base.NONE),
}
opened.fields = g

local e = {
  repeated = ProtoExpert.new("mxp.expert.repeated", "A handshake message is repeated", expert.group.SEQUENCE, expert.severity.NOTE),
  suite = ProtoExpert.new("mxp.expert.suite", "Unknown cipher suite", expert.group.PROTOCOL, expert.severity.WARN),
  size = ProtoExpert.new("mxp.expert.size", "Its receiver drops a handshake message of this size", expert.group.PROTOCOL, expert.severity.WARN),
  unasked = ProtoExpert.new("mxp.expert.unasked", "Message 2 without a message 1 in the capture", expert.group.SEQUENCE, expert.severity.NOTE),
}
mxp.experts = {e.repeated, e.suite, e.size, e.unasked}
local x = {
  close = ProtoExpert.new("mxp.expert.close", "The connection is closed", expert.group.SEQUENCE, expert.severity.NOTE),
  reset = ProtoExpert.new("mxp.expert.reset", "A stream is given up", expert.group.SEQUENCE, expert.severity.NOTE),
  blocked = ProtoExpert.new("mxp.expert.blocked", "Its sender is stopped by a limit of the other side", expert.group.SEQUENCE, expert.severity.NOTE),
  malformed = ProtoExpert.new("mxp.expert.malformed", "The frames end with one that is malformed or unknown", expert.group.MALFORMED, expert.severity.ERROR),
}
opened.experts = {x.close, x.reset, x.blocked, x.malformed}

mxp.prefs.port = Pref.uint("UDP port", 0, "UDP on this port is MXP, for captures that began after the handshake; 0: none")

-- Conversations --------------------------------------------------------------------------------------------------
-- Wireshark 4.0 has no conversations for Lua, and dissects packets again in any order. So what a packet tells is kept
-- by its frame number when it is seen first (pinfo.visited is false), and only read later.

local by_client_id, by_pair, notes, connections = {}, {}, {}, 0

function mxp.init()
  by_client_id, by_pair, notes, connections = {}, {}, {}, 0
end

local function pair(pinfo)
  local a = tostring(pinfo.src) .. " " .. pinfo.src_port
  local b = tostring(pinfo.dst) .. " " .. pinfo.dst_port
  return a < b and a .. " " .. b or b .. " " .. a
end

local function connection_of(id, pinfo)
  local one = by_client_id[id]
  if not one then
    connections = connections + 1
    one = {number = connections}
    by_client_id[id] = one
  end
  by_pair[pair(pinfo)] = one
  return one
end

local function note_handshake(buffer, pinfo, kind)
  local one = connection_of(buffer(6, 8):bytes():tohex(), pinfo)
  local note = {connection = one}
  local first = kind == "initial" and "message_1" or "message_2"
  if one[first] then
    note.repeats = one[first]
  else
    one[first] = pinfo.number
    one[first .. "_time"] = pinfo.rel_ts
  end
  if kind == "initial" then
    one.client = tostring(pinfo.src) .. " " .. pinfo.src_port
  else
    one.client = one.client or tostring(pinfo.dst) .. " " .. pinfo.dst_port
    if one.message_1 and one.message_1 ~= pinfo.number then
      note.request, note.time = one.message_1, pinfo.rel_ts - one.message_1_time
    end
  end
  return note
end

local function note_of(buffer, pinfo, kind)
  -- A tunnel may hold several packets in one frame.
  local key = pinfo.number .. " " .. pair(pinfo)
  if not pinfo.visited and not notes[key] then
    notes[key] = KINDS[kind] and note_handshake(buffer, pinfo, KINDS[kind]) or {connection = by_pair[pair(pinfo)]}
  end
  return notes[key] or {}
end

-- Packets --------------------------------------------------------------------------------------------------------

local function is_handshake(buffer)
  return buffer:len() >= HANDSHAKE_HEADER and KINDS[buffer(0, 1):uint()] ~= nil and buffer(1, 4):string() == "MXP1"
end

local function is_short(buffer)
  return buffer:reported_len() >= MIN_SHORT and buffer:len() >= SHORT_HEADER and bit32.band(buffer(0, 1):uint(), 0xc0) == 0x40
end

local function add_connection(tree, note, pinfo)
  local one = note.connection
  if not one then return "" end
  tree:add(f.connection, one.number):set_generated()
  local from_client = one.client == tostring(pinfo.src) .. " " .. pinfo.src_port
  tree:add(f.direction, from_client and "client_to_server" or "server_to_client"):set_generated()
  return "#" .. one.number .. " "
end

local function handshake(buffer, pinfo, tree, note)
  local kind, suite = KINDS[buffer(0, 1):uint()], buffer(5, 1)
  tree:add(f.first, buffer(0, 1))
  tree:add(f.version, buffer(1, 4))
  local item = tree:add(f.suite, suite)
  if not SUITES[suite:uint()] then item:add_proto_expert_info(e.suite) end
  tree:add(f.client_id, buffer(6, 8))
  if buffer:len() > HANDSHAKE_HEADER then tree:add(f.noise, buffer(HANDSHAKE_HEADER)) end
  local size = buffer:reported_len()
  if size < MIN_HANDSHAKE or size > MAX_HANDSHAKE then tree:add_proto_expert_info(e.size) end
  if note.repeats then
    tree:add(f.retransmission, true):set_generated()
    tree:add(f.first_frame, note.repeats):set_generated()
    tree:add_proto_expert_info(e.repeated)
  end
  if note.request then
    tree:add(f.request, note.request):set_generated()
    local whole = math.floor(note.time)
    tree:add(f.handshake_time, NSTime(whole, math.floor((note.time - whole) * 1e9 + 0.5))):set_generated()
  elseif kind == "response" then
    tree:add_proto_expert_info(e.unasked)
  end
  return kind, (SUITES[suite:uint()] or "unknown suite") .. (note.repeats and ", repeated" or "")
end

function mxp.dissector(buffer, pinfo, root)
  local long = is_handshake(buffer)
  if not long and not is_short(buffer) then return 0 end
  pinfo.cols.protocol = "MXP"
  local tree = root:add(mxp, buffer())
  local note = note_of(buffer, pinfo, long and buffer(0, 1):uint() or nil)
  local who = add_connection(tree, note, pinfo)
  local kind, more = "1rtt", ""
  if long then
    kind, more = handshake(buffer, pinfo, tree, note)
  else
    tree:add(f.first, buffer(0, 1))
    tree:add(f.destination_id, buffer(1, 8))
    if buffer:len() > SHORT_HEADER then tree:add(f.protected, buffer(SHORT_HEADER)) end
    more = "to " .. buffer(1, 8):bytes():tohex():lower()
  end
  tree:add(f.type, kind):set_generated()
  tree:append_text(", " .. kind)
  pinfo.cols.info = who .. kind .. ", " .. more .. ", " .. buffer:reported_len() .. " bytes"
  return buffer:len()
end

mxp:register_heuristic("udp", function(buffer, pinfo, root)
  if not is_handshake(buffer) and not (is_short(buffer) and by_pair[pair(pinfo)]) then return false end
  return mxp.dissector(buffer, pinfo, root) > 0
end)

local udp_ports, port = DissectorTable.get("udp.port"), 0
udp_ports:add_for_decode_as(mxp)
function mxp.prefs_changed()
  if port ~= 0 then udp_ports:remove(port, mxp) end
  port = mxp.prefs.port
  if port ~= 0 then udp_ports:add(port, mxp) end
end

-- Frames of decrypted packets ------------------------------------------------------------------------------------
-- What mxp-dump exports: one byte 1, one of the direction, the destination id, the packet number, and the frames.

local EXPORT_HEADER = 18

local Cursor = {}
Cursor.__index = Cursor
function Cursor:left() return self.buffer:len() - self.at end
function Cursor:bytes(size)
  if size > self:left() then error("short", 0) end
  local range = size > 0 and self.buffer(self.at, size) or nil
  self.at = self.at + size
  return range
end
local VALUE_BITS = {[1] = 0x3f, [2] = 0x3fff, [4] = 0x3fffffff}  -- of the first bytes of a varint (RFC 9000 §16)
function Cursor:varint()
  local size = bit32.lshift(1, bit32.rshift(self:peek(), 6))
  local range = self:bytes(size)
  if size == 8 then return range:uint64():band(UInt64(0xffffffff, 0x3fffffff)), range end
  return UInt64(bit32.band(range:uint(), VALUE_BITS[size])), range
end
function Cursor:peek()
  if self:left() < 1 then error("short", 0) end
  return self.buffer(self.at, 1):uint()
end
function Cursor:add(tree, field)
  local value, range = self:varint()
  tree:add(field, range, value)
  return value
end
function Cursor:data(tree, size)
  local range = self:bytes(size)
  if range then tree:add(g.data, range) end
end

local function ack(has_ecn, has_times)
  return function(cursor, tree)
    local largest = cursor:add(tree, g.largest)
    cursor:add(tree, g.delay)
    local count = cursor:varint():tonumber()
    local first, range = cursor:varint()
    local low = largest - first
    tree:add(g.range, range, tostring(low) .. "-" .. tostring(largest))
    for _ = 1, count do
      local gap = cursor:varint()
      local size, at = cursor:varint()
      local high = low - gap - 2
      low = high - size
      tree:add(g.range, at, tostring(low) .. "-" .. tostring(high))
    end
    if has_ecn then for _ = 1, 3 do cursor:add(tree, g.value) end end
    if has_times then
      for _ = 1, cursor:varint():tonumber() do
        cursor:varint()
        for _ = 1, cursor:varint():tonumber() do cursor:add(tree, g.value) end
      end
    end
    return " " .. tostring(largest)
  end
end

local function values(...)
  local fields = {...}
  return function(cursor, tree)
    local text = ""
    for _, field in ipairs(fields) do text = text .. " " .. tostring(cursor:add(tree, field)) end
    return text
  end
end

local function with_expert(info, inner)
  return function(cursor, tree, kind)
    tree:add_proto_expert_info(info)
    return inner(cursor, tree, kind)
  end
end

local function stream(cursor, tree, kind)
  local id, offset = cursor:add(tree, g.stream), UInt64(0)
  if bit32.band(kind, 4) ~= 0 then offset = cursor:add(tree, g.offset) end
  local size = bit32.band(kind, 2) ~= 0 and cursor:add(tree, g.length):tonumber() or cursor:left()
  local fin = bit32.band(kind, 1) ~= 0
  tree:add(g.fin, fin)
  cursor:data(tree, size)
  return " " .. tostring(id) .. " [" .. tostring(offset) .. ", +" .. size .. ")" .. (fin and " fin" or "")
end

local function close(cursor, tree, kind)
  tree:add_proto_expert_info(x.close)
  local code = cursor:add(tree, g.code)
  if kind == 0x1c then cursor:add(tree, g.value) end
  local reason = cursor:bytes(cursor:varint():tonumber())
  if reason then tree:add(g.reason, reason) end
  return " " .. tostring(code)
end

local function sized(...)
  local before = values(...)
  return function(cursor, tree)
    local text = before(cursor, tree)
    local size = cursor:add(tree, g.length):tonumber()
    cursor:data(tree, size)
    return text .. " " .. size .. " bytes"
  end
end

local function eight(field)
  return function(cursor, tree)
    tree:add(field, cursor:bytes(8))
    return ""
  end
end

local function nothing() return "" end

local FRAMES = {
  [0x01] = {"ping", nothing}, [0x02] = {"ack", ack(false, false)}, [0x03] = {"ack", ack(true, false)},
  [0x05] = {"ack_frequency", values(g.sequence, g.value, g.value, g.value)},
  [0x06] = {"reset_stream", with_expert(x.reset, values(g.stream, g.code, g.value))},
  [0x07] = {"stop_sending", with_expert(x.reset, values(g.stream, g.code))},
  [0x10] = {"max_data", values(g.limit)}, [0x11] = {"max_stream_data", values(g.stream, g.limit)},
  [0x12] = {"max_streams", values(g.limit)}, [0x13] = {"max_streams", values(g.limit)},
  [0x14] = {"data_blocked", with_expert(x.blocked, values(g.limit))},
  [0x15] = {"stream_data_blocked", with_expert(x.blocked, values(g.stream, g.limit))},
  [0x16] = {"streams_blocked", with_expert(x.blocked, values(g.limit))},
  [0x17] = {"streams_blocked", with_expert(x.blocked, values(g.limit))},
  [0x18] = {"new_connection_id", function(cursor, tree)
    return values(g.sequence, g.value)(cursor, tree) .. eight(g.new_id)(cursor, tree)
  end},
  [0x19] = {"retire_connection_id", values(g.sequence)},
  [0x1a] = {"path_challenge", eight(g.data)}, [0x1b] = {"path_response", eight(g.data)},
  [0x1c] = {"close", close}, [0x1d] = {"close", close}, [0x1f] = {"immediate_ack", nothing},
  [0x20] = {"ack", ack(false, true)}, [0x21] = {"ack", ack(true, true)},
  [0x30] = {"datagram", function(cursor, tree)
    local size = cursor:left()
    cursor:data(tree, size)
    return " " .. size .. " bytes"
  end},
  [0x31] = {"datagram", sized()}, [0x32] = {"message", sized(g.sequence)}, [0x37] = {"message", sized(g.sequence)},
  [0x33] = {"expired", values(g.sequence, g.value, g.value)}, [0x34] = {"max_messages", values(g.value, g.limit)},
  [0x36] = {"drain", function(cursor, tree)
    local state = cursor:add(tree, g.value):tonumber()
    if state == 0 then cursor:add(tree, g.value) end
    return " " .. (({[0] = "begins", "done", "agrees"})[state] or "?")
  end},
  [0x38] = {"messages_blocked", with_expert(x.blocked, values(g.limit, g.value))},
  [0x39] = {"message_part", sized(g.sequence, g.value, g.offset)}, [0x3a] = {"message_part", sized(g.sequence, g.value, g.offset)},
  [0x3b] = {"ordered", values(g.value)},
}
for kind = 0x08, 0x0f do FRAMES[kind] = {"stream", stream} end

local function padding(cursor)
  local begin = cursor.at
  while cursor:left() > 0 and cursor:peek() == 0 do cursor.at = cursor.at + 1 end
  return "padding", " " .. cursor.at - begin
end

-- Adds one frame to the tree; returns what the list of packets says of it.
local function one_frame(cursor, tree)
  local begin = cursor.at
  local item = tree:add(opened, cursor.buffer(begin))
  local name, text = nil, nil
  local good, problem = pcall(function()
    if cursor:peek() == 0 then
      name, text = padding(cursor)
      return
    end
    local kind, range = cursor:varint()
    local known = FRAMES[kind:tonumber()]
    if not known then error("unknown", 0) end
    name = known[1]
    item:add(g.frame_number, range, kind)
    text = known[2](cursor, item, kind:tonumber())
  end)
  if not good then
    item:add_proto_expert_info(x.malformed)
    item:set_text(tostring(problem) == "unknown" and "Unknown frame" or "Malformed frame")
    return nil
  end
  item:set_len(cursor.at - begin)
  item:set_text(name .. text)
  item:add(g.frame, name):set_generated()
  return name .. text
end

function opened.dissector(buffer, pinfo, root)
  if buffer:len() < EXPORT_HEADER or buffer(0, 1):uint() ~= 1 then return 0 end
  pinfo.cols.protocol = "MXP"
  local tree = root:add(opened, buffer())
  tree:add(g.direction, buffer(1, 1))
  tree:add(g.id, buffer(2, 8))
  tree:add(g.number, buffer(10, 8))
  local info = "1rtt " .. tostring(buffer(10, 8):uint64()) .. ":"
  local cursor = setmetatable({buffer = buffer, at = EXPORT_HEADER}, Cursor)
  while cursor:left() > 0 do
    local said = one_frame(cursor, tree)
    if not said then
      info = info .. " malformed"
      break
    end
    info = info .. " " .. said
  end
  pinfo.cols.info = info
  return buffer:len()
end
