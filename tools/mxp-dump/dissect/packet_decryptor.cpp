// Which keys and numbers are tried for a packet:
//
//   open     its phase bit is the present phase's   the likely number, then others around it
//            it is not                              the likely number under the next phase, then the one before; then
//                                                   higher numbers under the next, lower ones under the one before
//   search   its phase bit is the present phase's   half of the trials go to more distant numbers in this phase
//            in any case                            the rest to the phases ahead whose lowest bit fits: half to those
//                                                   that the key log names, half to all up to a constant
#include "mxp-dump/dissect/packet_decryptor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/packet_number.h"
#include "crypto/key_schedule.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kLongestHeader = kShortHeaderSize + 4;
constexpr std::size_t kNear = 16;  // numbers on each side; what the holes of a lossy capture take
// open() tries the numbers on one side under two keys, and `likely` under both, or those on both sides under one key.
static_assert(PacketDecryptor::kOpenTrials == 2 * (kNear + 1));
constexpr std::uint32_t kPhasesBeyondLog = 4;  // the log may have been copied a moment before the capture ended
// How many numbers a phase under load has at least. It ends after 10,000 packets, and not before three probe timeouts
// have gone by since its beginning was acknowledged (docs/protocol.md §3.1); and less than one number in a hundred is
// left out (§6). Long round trips make phases longer. What search() finds then, it finds by its distance from here.
constexpr std::uint64_t kNumbersOfPhase = 10'050;

std::optional<std::uint64_t> above(std::uint64_t number, std::uint64_t distance) {
  if (number > kMaxVarint || distance > kMaxVarint - number) return std::nullopt;
  return number + distance;
}

std::optional<std::uint64_t> below(std::uint64_t number, std::uint64_t distance) {
  if (distance > number) return std::nullopt;
  return number - distance;
}

// The `i`th of the numbers around `centre`, the nearest first: 0, +1, -1, +2, …, in steps of `window`.
std::optional<std::uint64_t> around(std::uint64_t centre, std::uint64_t i, std::uint64_t window) {
  const std::uint64_t distance = (i + 1) / 2 * window;
  return i % 2 == 1 ? above(centre, distance) : below(centre, distance);
}

// What the trial that succeeded has left in the scratch buffer.
PacketDecryptor::Opened opened_in(MutableBytes scratch, std::size_t header_size, std::uint64_t number,
                                  std::uint32_t phase) {
  return {PacketNumber(number), phase, scratch[0],
          scratch.subspan(header_size, scratch.size() - header_size - kTagSize)};
}

}  // namespace

PacketDecryptor::PacketDecryptor(Suite suite, const TrafficSecret& phase_0)
    : PacketDecryptor(suite, derive_packet_keys(phase_0), phase_0) {}

PacketDecryptor::PacketDecryptor(Suite suite, const PacketKeys& keys, const TrafficSecret& secret)
    : suite_(suite), header_(suite, keys.hp), present_(suite, keys), secret_(secret) {}

std::optional<PacketDecryptor::Opened> PacketDecryptor::open(ByteView bytes, std::uint64_t expected,
                                                             std::vector<std::uint8_t>& scratch) {
  const auto packet = unmask(bytes, expected, scratch);
  if (!packet) return std::nullopt;
  if (packet->odd_phase == (phase_ % 2 == 1)) return try_present(*packet, 0, 1 + 2 * kNear);
  for (std::uint64_t i = 0; i <= kNear; ++i) {
    if (auto opened = try_next(*packet, above(packet->likely, i * packet->window))) return opened;
    if (auto opened = try_previous(*packet, below(packet->likely, i * packet->window))) return opened;
  }
  return std::nullopt;
}

std::optional<PacketDecryptor::Opened> PacketDecryptor::search(ByteView bytes, std::uint64_t expected,
                                                               const Search& how, std::vector<std::uint8_t>& scratch) {
  const auto packet = unmask(bytes, expected, scratch);
  if (!packet) return std::nullopt;
  std::size_t trials = kSearchTrials;
  if (packet->odd_phase == (phase_ % 2 == 1)) {
    trials /= 2;
    if (auto opened = try_present(*packet, how.round * trials, trials)) return opened;
  }
  Link link{.phase = phase_, .secret = secret_, .before = secret_};
  const std::uint64_t furthest = std::uint64_t{phase_} + kMaxPhasesAhead;
  const std::uint64_t named = std::uint64_t{std::max(how.highest_named, phase_)} + kPhasesBeyondLog;
  const auto last_named = static_cast<std::uint32_t>(std::min({named, furthest, std::uint64_t{UINT32_MAX}}));
  const auto last_blind =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{phase_} + kBlindPhasesAhead, UINT32_MAX));
  if (auto opened = search_phases(*packet, link, last_named, trials / 2, how.round)) return opened;
  return search_phases(*packet, link, last_blind, trials / 2, how.round);
}

PacketDecryptor PacketDecryptor::copy(const TrafficSecret& phase_0) const {
  PacketDecryptor copy(suite_, phase_0);
  copy.present_ = PhaseKeys(suite_, derive_packet_keys(secret_));
  copy.secret_ = secret_;
  copy.phase_ = phase_;
  copy.lowest_of_phase_ = lowest_of_phase_;
  return copy;
}

std::optional<OpenedAhead> PacketDecryptor::open_likely(ByteView bytes, std::uint64_t expected, MutableBytes room) {
  const Unmasked packet = unmask_in(room, bytes, expected);
  const auto opened =
      packet.odd_phase == (phase_ % 2 == 1) ? try_present(packet, 0, 1) : try_next(packet, packet.likely);
  if (!opened) return std::nullopt;
  return OpenedAhead{.packet = bytes,
                     .number = opened->number,
                     .phase = opened->phase,
                     .first_byte = opened->first_byte,
                     .number_size = packet.number_size,
                     .truncated = packet.truncated,
                     .payload = opened->payload};
}

std::optional<PacketDecryptor::Opened> PacketDecryptor::adopt(const OpenedAhead& ahead, std::uint64_t expected) {
  const std::uint64_t number = ahead.number.value();
  if (ahead.phase != phase_ || number != expand_packet_number(expected, ahead.truncated, ahead.number_size).value())
    return std::nullopt;
  ++trials_;
  lowest_of_phase_ = std::min(lowest_of_phase_, number);
  return Opened{ahead.number, ahead.phase, ahead.first_byte, ahead.payload};
}

std::optional<PacketDecryptor::Unmasked> PacketDecryptor::unmask(ByteView packet, std::uint64_t expected,
                                                                 std::vector<std::uint8_t>& scratch) {
  if (packet.size() < kMinShortPacket) return std::nullopt;
  if (scratch.size() < packet.size()) scratch.resize(packet.size());
  return unmask_in(MutableBytes(scratch).first(packet.size()), packet, expected);
}

// RFC 9001 §5.4, with the mask of phase 0 for every phase (docs/protocol.md §3.1).
PacketDecryptor::Unmasked PacketDecryptor::unmask_in(MutableBytes room, ByteView packet, std::uint64_t expected) {
  Unmasked out{.packet = packet, .scratch = room};
  std::ranges::copy(packet.first(kLongestHeader), out.scratch.begin());

  std::array<std::uint8_t, HeaderProtector::kSampleSize> sample{};
  std::ranges::copy(header_sample(packet), sample.begin());
  std::array<HeaderProtector::Mask, 1> mask{};
  header_.masks(sample, mask);
  const TruncatedNumber number = unmask_header(out.scratch, mask[0]);
  out.number_size = number.size;
  out.truncated = number.value;
  out.header_size = kShortHeaderSize + out.number_size;
  out.window = std::uint64_t{1} << (8 * out.number_size);
  out.likely = expand_packet_number(expected, out.truncated, out.number_size).value();
  out.odd_phase = (out.scratch[0] & packet_bits::kKeyPhase) != 0;
  return out;
}

// nullopt if there is no number at that distance.
bool PacketDecryptor::try_number(PhaseKeys& keys, const Unmasked& packet, std::optional<std::uint64_t> number) {
  if (!number) return false;
  ++trials_;
  const std::size_t body = packet.packet.size() - packet.header_size - kTagSize;
  return keys.aead.open(packet_nonce(keys.iv, PacketNumber(*number)), packet.scratch.first(packet.header_size),
                        packet.packet.subspan(packet.header_size, body),
                        packet.scratch.subspan(packet.header_size, body), packet.packet.last<kTagSize>());
}

std::optional<PacketDecryptor::Opened> PacketDecryptor::try_present(const Unmasked& packet, std::size_t first,
                                                                    std::size_t count) {
  for (std::size_t i = first; i < first + count; ++i) {
    const auto number = around(packet.likely, i, packet.window);
    if (!try_number(present_, packet, number)) continue;
    lowest_of_phase_ = std::min(lowest_of_phase_, *number);
    return opened_in(packet.scratch, packet.header_size, *number, phase_);
  }
  return std::nullopt;
}

std::optional<PacketDecryptor::Opened> PacketDecryptor::try_next(const Unmasked& packet,
                                                                 std::optional<std::uint64_t> number) {
  // Kept from the first packet that needs it, forged or not, so that flipped phase bits make us pay for this once.
  if (!next_) next_.emplace(suite_, derive_packet_keys(derive_next_secret(secret_)));
  if (!try_number(*next_, packet, number)) return std::nullopt;
  turn(*number);
  return opened_in(packet.scratch, packet.header_size, *number, phase_);
}

std::optional<PacketDecryptor::Opened> PacketDecryptor::try_previous(const Unmasked& packet,
                                                                     std::optional<std::uint64_t> number) {
  if (!previous_ || !try_number(*previous_, packet, number)) return std::nullopt;
  return opened_in(packet.scratch, packet.header_size, *number, phase_ - 1);
}

void PacketDecryptor::turn(std::uint64_t number) {
  Link link{.phase = phase_, .secret = secret_, .before = secret_};
  link.step();
  previous_ = std::move(present_);
  present_ = std::move(*next_);
  next_.reset();
  secret_ = link.secret;
  phase_ = link.phase;
  lowest_of_phase_ = number;
}

// --- search ------------------------------------------------------------------------------------------------------

void PacketDecryptor::Link::step() {
  before = secret;
  secret = derive_next_secret(secret);
  ++phase;
}

// Searches from the link to the phase `last`, where the lowest bit fits. The numbers of a later phase lie above those
// of the present one (RFC 9001 §6.4). Half of a phase's trials go upwards from the likely number, as for a quiet
// connection whose phases are turned by time. The other half go to where the numbers of a connection under load would
// be by then.
std::optional<PacketDecryptor::Opened> PacketDecryptor::search_phases(const Unmasked& packet, Link& link,
                                                                      std::uint32_t last, std::size_t trials,
                                                                      std::size_t round) {
  if (link.phase >= last) return std::nullopt;
  const std::size_t share = trials / ((last - link.phase) / 2 + 1);
  const std::size_t first = round * (share / 2);
  while (link.phase < last) {
    link.step();
    if (packet.odd_phase != (link.phase % 2 == 1)) continue;
    PhaseKeys keys(suite_, derive_packet_keys(link.secret));
    const std::uint64_t under_load = lowest_of_phase_ + (link.phase - phase_) * kNumbersOfPhase + kNumbersOfPhase / 2;
    const std::uint64_t centre = expand_packet_number(under_load, packet.truncated, packet.number_size).value();
    for (std::size_t i = first; i < first + share / 2; ++i) {
      for (const auto number : {above(packet.likely, i * packet.window), around(centre, i, packet.window)}) {
        if (!try_number(keys, packet, number)) continue;
        jump(link, std::move(keys), *number);
        return opened_in(packet.scratch, packet.header_size, *number, phase_);
      }
    }
  }
  return std::nullopt;
}

void PacketDecryptor::jump(const Link& link, PhaseKeys keys, std::uint64_t number) {
  previous_.emplace(suite_, derive_packet_keys(link.before));
  present_ = std::move(keys);
  next_.reset();
  secret_ = link.secret;
  phase_ = link.phase;
  lowest_of_phase_ = number;
}

}  // namespace mxp::dump
