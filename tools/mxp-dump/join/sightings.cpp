#include "mxp-dump/join/sightings.h"

#include <algorithm>
#include <unordered_map>

#include "mxp-dump/dissect/dissector.h"

namespace mxp::dump {
namespace {

// The first bytes of a packet are its own: id and ciphertext, or an ephemeral key. More is not hashed, so that captures
// of different snap lengths can be joined.
constexpr std::size_t kContentBytes = 64;

std::uint64_t content_of(ByteView packet, std::uint32_t length) {
  const ByteView begin = packet.first(std::min(packet.size(), kContentBytes));
  return hash_of(begin) ^ (std::uint64_t{length} * 0x9e3779b97f4a7c15);
}

class Collector {
 public:
  Collector(KeyRing& keys, std::uint16_t port) : dissector_(keys, port, [](const Connection&) {}) {}

  void survey(const CapturedPacket& packet, const FoundUdp& found) {
    if (found) dissector_.survey(packet, *found);
  }
  void end_survey() { dissector_.end_survey(); }

  void look(const CapturedPacket& packet, const FoundUdp& found) {
    ++seen_.frames;
    if (packet.time_ns) {
      const auto time = static_cast<std::int64_t>(*packet.time_ns);
      if (!timed_ || time < seen_.first_ns) seen_.first_ns = time;
      if (!timed_ || time > seen_.last_ns) seen_.last_ns = time;
      timed_ = true;
    }
    if (!found || !packet.time_ns) return;
    std::size_t at = 0;
    dissector_.dissect(packet, *found, [&](const PacketRecord& record) {
      const ByteView payload = found->payload.subspan(std::min(at, found->payload.size()));
      at += record.length;
      keep(record, payload.first(std::min<std::size_t>(record.captured, payload.size())));
    });
  }
  Sightings take() { return std::move(seen_); }

 private:
  void keep(const PacketRecord& record, ByteView bytes) {
    if (record.connection == 0 || bytes.empty()) return;
    const auto [place, is_new] =
        places_.emplace(record.connection, static_cast<std::uint32_t>(seen_.connections.size()));
    if (is_new) {
      seen_.connections.push_back({record.client().to_string(), record.server().to_string(), {}});
    }
    Sightings::Ends& ends = seen_.connections[place->second];
    for (const Frame& frame : record.frames) {
      if (const auto* ack = std::get_if<AckFrame>(&frame)) {
        for (const AckRange& range : ack->ranges)
          ends.acknowledged[index(reverse(record.direction))].add_joining(range.first.value(), range.last.value() + 1,
                                                                          kMaxRanges);
      }
    }
    if (seen_.packets.size() == kMaxSightings) {
      ++seen_.not_kept;
      return;
    }
    seen_.packets.push_back({content_of(bytes, record.length), static_cast<std::int64_t>(*record.time_ns), record.frame,
                             record.number ? static_cast<std::int64_t>(record.number->value()) : -1, place->second,
                             record.direction});
  }

  static constexpr std::size_t kMaxRanges = 100'000;

  Dissector dissector_;
  std::unordered_map<std::uint64_t, std::uint32_t> places_;
  Sightings seen_;
  bool timed_ = false;
};

}  // namespace

tools::Result<Sightings> collect_sightings(FilePass& input, KeyRing& keys, std::uint16_t port) {
  Collector collector(keys, port);
  keys.begin_embedded();
  const auto secrets = [&keys](ByteView piece) { keys.take_embedded(piece); };
  if (auto done = input.each(secrets, [&](const auto& packet, const auto& found) { collector.survey(packet, found); });
      !done)
    return std::unexpected(done.error());
  collector.end_survey();
  if (auto done = input.each({}, [&](const auto& packet, const auto& found) { collector.look(packet, found); }); !done)
    return std::unexpected(done.error());
  return collector.take();
}

}  // namespace mxp::dump
