// What the moving of a connection sends: challenges and answers, each in a datagram of its own on its path, and the
// coming and going of connection ids, which travels with other frames.
#include <algorithm>

#include "connection/flows.h"
#include "connection/migration.h"
#include "connection/packet_builder.h"
#include "core/frame_writer.h"

namespace mxp {

namespace {

// RFC 9000 §8.2.1: a challenge shows that the path carries the smallest datagram that a connection needs.
constexpr std::size_t kProbeSize = kMinInitialSize;

// A peer that asks and does not acknowledge gets its answers beyond a full window, but no more than fit into the queue
// of answers (threat t04).
bool may_answer(const Path& path) {
  return path.responses.waiting() > 0 &&
         path.control.bytes_in_flight() < path.control.congestion_window() + PathResponses::kMost * kProbeSize;
}

// Something waits to be sent on it, and its allowance holds it.
bool has_probe(const Path& path, Timestamp now) {
  const bool waits = may_answer(path) || (path.validation && path.validation->challenge_due(now));
  return waits && path.amplification.allowance() >= kSmallestPathProbe;
}

}  // namespace

bool path_probe_due(const Parts& parts, Timestamp now) {
  return has_probe(*parts.path, now) || (parts.other && has_probe(*parts.other, now));
}

std::optional<Transmit> transmit_path_probe(Parts& parts, Timestamp now, MutableBytes buffer) {
  if (!path_probe_due(parts, now)) return std::nullopt;
  // To wait would mean to be asked again at once.
  if (closes_for_seal_limit(parts)) return std::nullopt;
  Path& path = has_probe(*parts.path, now) ? *parts.path : *parts.other;
  const std::size_t most = std::min(kProbeSize, buffer.size());
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, path.amplification.allowance()));
  const MutableBytes space = buffer.first(size);
  OpenPacket open = begin_packet(parts, path, space);
  if (const auto response = path.responses.due()) {
    write_frame(open.writer, *response);
    path.responses.on_sent();
    parts.sent_frames.append({.kind = SentFrame::Kind::path_response});
  }
  if (path.validation && path.validation->challenge_due(now)) {
    PathData data;
    parts.environment.random.fill(data);
    write_frame(open.writer, PathChallengeFrame{data});
    path.validation->on_challenge_sent(now, data, size);
    parts.sent_frames.append({.kind = SentFrame::Kind::path_challenge});
  }
  write_padding(open.writer, size - kTagSize - open.writer.written());
  seal_alone(parts, space, open);
  note_sent(parts, now, path, {open.number, open.frames_begin, size, true, PacketKind::path_probe});
  return Transmit{path.remote, path.local, size, size};
}

bool id_frames_due(const Parts& parts) {
  return parts.ids && (parts.ids->local.announcement_due() || parts.ids->peer.retirement_due());
}

bool write_id_frames(Parts& parts, Writer& writer) {
  if (!parts.ids) return false;
  bool wrote = false;
  while (const auto frame = parts.ids->local.announcement_due()) {
    if (!write_frame(writer, *frame)) break;
    parts.ids->local.on_announcement_sent(frame->sequence);
    parts.sent_frames.append({.kind = SentFrame::Kind::new_connection_id, .value = frame->sequence});
    wrote = true;
  }
  while (const auto frame = parts.ids->peer.retirement_due()) {
    if (!write_frame(writer, *frame)) break;
    parts.ids->peer.on_retirement_sent(frame->sequence);
    parts.sent_frames.append({.kind = SentFrame::Kind::retire_connection_id, .value = frame->sequence});
    wrote = true;
  }
  return wrote;
}

}  // namespace mxp
