#include "mxp-dump/dissect/handshake_copies.h"

#include <algorithm>

#include "core/packet_header.h"
#include "mxp-dump/dissect/recent_hashes.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kKeySize = 32, kTailSize = 16;
// Where the ephemeral key stands while token and ticket are empty, as in this version (docs/protocol.md §2.1).
constexpr std::size_t kInitialKeyOffset = 18, kResponseKeyOffset = 14;

// Bytes that are all the same identify nothing, since no key and no tag looks like that.
std::uint64_t print_of(ByteView bytes) {
  const bool uniform = std::all_of(bytes.begin(), bytes.end(), [&](std::uint8_t byte) { return byte == bytes[0]; });
  return uniform ? 0 : hash_of(bytes);
}

bool same_message(const HandshakeCopy& a, const HandshakeCopy& b) {
  if (a.message != b.message) return false;
  return a.whole == b.whole || a.rest == b.rest || (a.ephemeral != 0 && a.ephemeral == b.ephemeral) ||
         (a.tail != 0 && a.tail == b.tail);
}

}  // namespace

HandshakeCopy describe_handshake(ByteView payload, HandshakeMessage message, Captured captured,
                                 std::optional<std::uint64_t> time_ns) {
  HandshakeCopy copy{.message = message, .client_id = {}, .time_ns = time_ns};
  ConnectionId::Bytes id{};
  std::copy_n(payload.begin() + 6, id.size(), id.begin());
  copy.client_id = ConnectionId(id);
  copy.suite = payload[5];
  copy.whole = hash_of(payload);
  copy.rest = hash_of(payload.subspan(kHandshakeHeaderSize));
  const std::size_t key = message == HandshakeMessage::initial ? kInitialKeyOffset : kResponseKeyOffset;
  if (payload.size() >= key + kKeySize) copy.ephemeral = print_of(payload.subspan(key, kKeySize));
  if (captured == Captured::whole && payload.size() >= key + kKeySize + kTailSize)
    copy.tail = print_of(payload.last(kTailSize));
  return copy;
}

void HandshakeCopies::add(const HandshakeCopy& copy) {
  for (Variant& variant : variants_) {
    if (variant.first.message != copy.message || variant.first.whole != copy.whole) continue;
    ++variant.count;
    if (copy.time_ns && (!variant.first.time_ns || *copy.time_ns < *variant.first.time_ns))
      variant.first.time_ns = copy.time_ns;
    return;
  }
  if (variants_.size() < kMaxVariants) variants_.push_back({copy, 1});
}

bool HandshakeCopies::any(HandshakeMessage message) const {
  return std::any_of(variants_.begin(), variants_.end(), [&](const Variant& v) { return v.first.message == message; });
}

bool HandshakeCopies::related(const HandshakeCopy& copy) const {
  return std::any_of(variants_.begin(), variants_.end(), [&](const Variant& v) { return same_message(v.first, copy); });
}

bool HandshakeCopies::confirm(ConnectionId id) {
  if (confirmed_) return false;
  const bool ours =
      std::any_of(variants_.begin(), variants_.end(), [&](const Variant& v) { return v.first.client_id == id; });
  if (ours) confirmed_ = id;
  return ours;
}

std::optional<ConnectionId> HandshakeCopies::client_id() const {
  if (confirmed_) return confirmed_;
  std::optional<ConnectionId> best;
  std::uint64_t best_count = 0;
  for (const Variant& candidate : variants_) {
    std::uint64_t count = 0;
    for (const Variant& variant : variants_) {
      if (variant.first.client_id == candidate.first.client_id) count += variant.count;
    }
    if (count <= best_count) continue;
    best = candidate.first.client_id;
    best_count = count;
  }
  return best;
}

std::optional<std::uint8_t> HandshakeCopies::suite() const {
  const auto id = client_id();
  for (const HandshakeMessage message : {HandshakeMessage::initial, HandshakeMessage::response}) {
    const Variant* best = nullptr;
    const auto votes = [&](const Variant& candidate) {
      std::uint64_t count = 0;
      for (const Variant& variant : variants_) {
        // An answer speaks for the suite of its question.
        if (variant.first.suite == candidate.first.suite) count += variant.count;
      }
      return count;
    };
    for (const Variant& variant : variants_) {
      if (variant.first.message != message || variant.first.client_id != id) continue;
      if (best == nullptr || votes(variant) > votes(*best)) best = &variant;
    }
    if (best != nullptr) return best->first.suite;
  }
  return std::nullopt;
}

bool HandshakeCopies::answers(const Variant& variant, std::optional<std::uint8_t> suite) const {
  return variant.first.message == HandshakeMessage::response && variant.first.client_id == client_id() &&
         variant.first.suite == suite;
}

HandshakeVerdict HandshakeCopies::judge(const HandshakeCopy& copy, std::optional<std::uint8_t> known_suite,
                                        std::optional<std::uint64_t> confirmed_ns) const {
  const auto suite = known_suite ? known_suite : this->suite();
  if (copy.client_id != client_id()) return HandshakeVerdict::damaged;
  const bool right_suite = copy.suite == suite;
  if (!right_suite && copy.message == HandshakeMessage::response) return HandshakeVerdict::other_suite;
  std::uint64_t count = 0;
  for (const Variant& variant : variants_) {
    if (variant.first.message == copy.message && variant.first.whole == copy.whole) count = variant.count;
  }
  for (const Variant& variant : variants_) {
    if (variant.first.whole == copy.whole || !same_message(variant.first, copy)) continue;
    const bool other_is_right = variant.first.client_id == client_id() && variant.first.suite == suite;
    if (!other_is_right) continue;
    if (!right_suite || variant.count > count) return HandshakeVerdict::damaged;
    // If there are as many copies of each, the first one stands for the message.
    if (variant.count == count && variant.first.time_ns < copy.time_ns) return HandshakeVerdict::damaged;
  }
  if (!right_suite) return HandshakeVerdict::damaged;
  if (copy.message == HandshakeMessage::initial) return HandshakeVerdict::good;

  // Of several answers it is the last one before the client went on, or else the first.
  const Variant* taken = nullptr;
  for (const Variant& variant : variants_) {
    if (!answers(variant, suite)) continue;
    if (taken == nullptr) {
      taken = &variant;
      continue;
    }
    const bool in_time = confirmed_ns && variant.first.time_ns <= confirmed_ns;
    const bool taken_in_time = confirmed_ns && taken->first.time_ns <= confirmed_ns;
    if (in_time != taken_in_time ? in_time : in_time == (variant.first.time_ns > taken->first.time_ns))
      taken = &variant;
  }
  return taken == nullptr || same_message(taken->first, copy) ? HandshakeVerdict::good : HandshakeVerdict::other_answer;
}

}  // namespace mxp::dump
