// IP fragments that wait for the rest of their datagram (RFC 791, RFC 8200 §4.5). What strangers can make us keep is
// bounded in bytes, in datagrams and in capture time; the oldest goes first. Datagrams whose fragments overlap are
// dropped as a whole (RFC 5722), since two receivers may read them differently; exact copies of a fragment are not
// overlaps. The frames are kept whole, so that a datagram that was recognised can be written as it was captured.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "mxp-dump/capture/captured_packet.h"
#include "mxp/address.h"

namespace mxp::dump {

struct FragmentKey {
  AddressFamily family = AddressFamily::ipv4;
  std::uint8_t protocol = 0;
  std::uint32_t id = 0;
  std::array<std::uint8_t, 16> source{}, destination{};
  bool operator==(const FragmentKey&) const = default;
};

struct Fragment {
  std::size_t offset = 0;  // in the datagram
  std::size_t length = 0;  // as IP says it
  bool last = false;
  ByteView body;  // what was captured of `length`, part of the frame's bytes
};

class Fragments {
 public:
  // Our choices: 64 datagrams of the largest size; far more than a path holds; far more pieces than any MTU makes of a
  // datagram; Linux's own patience.
  static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024, kMaxDatagrams = 1024, kMaxFragments = 1024;
  static constexpr std::uint64_t kPatienceNs = 30'000'000'000;

  struct Counts {
    std::uint64_t unmatched = 0;  // fragments whose datagram never became whole, the first ones aside
    std::uint64_t copies = 0;     // exact copies of a fragment that was there
    std::uint64_t overlapping =
        0;  // fragments that overlap or that no datagram can have, and others of their datagrams
    std::uint64_t reassembled = 0;  // datagrams
  };

  struct Kept {
    CapturedPacket packet;  // its `bytes` are those of `frame`
    std::vector<std::uint8_t> frame;
    Fragment fragment;  // its `body` lies in `frame`
  };
  struct Whole {
    ByteView body;           // contiguous from the first byte on, as far as it was captured; valid until the next call
    std::size_t length = 0;  // on the wire
    std::uint32_t fragments = 0;
  };

  // Keeps a fragment of `frame`. If it was the one that was missing, the whole datagram is the answer.
  std::optional<Whole> add(const FragmentKey& key, const Fragment& fragment, const CapturedPacket& frame);

  // Gives up what has waited too long by the capture's clock.
  void expire(std::uint64_t now_ns);
  // Gives up everything: the input has ended.
  void give_up_all();
  // A first fragment that was given up; it holds the UDP header. Nothing if there is none.
  std::optional<Kept> take_first();

  // The frames of the datagram that was completed last, without the frame that completed it, in the order in which they
  // were captured. To be asked for before the next add().
  std::vector<CapturedPacket> earlier_frames() const;

  const Counts& counts() const { return counts_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    FragmentKey key;
    std::optional<std::uint64_t> since_ns;
    std::optional<std::size_t> length;  // known once the last fragment is there
    std::size_t received = 0;
    bool dropped = false;    // its fragments overlap
    std::vector<Kept> kept;  // by offset
  };
  using Place = std::list<Waiting>::iterator;

  bool fits(const Waiting& waiting, const Fragment& fragment) const;
  void drop(Waiting& waiting);
  Whole complete(Place place);
  void give_up(Place place);
  void bound();

  std::list<Waiting> waiting_;  // the oldest first
  std::list<Kept> first_;       // first fragments that were given up
  std::vector<Kept> completed_;
  std::vector<std::uint8_t> body_;
  std::size_t bytes_ = 0;  // of waiting_
  Counts counts_;
};

}  // namespace mxp::dump
