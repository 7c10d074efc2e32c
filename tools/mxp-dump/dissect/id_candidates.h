// Which ids stand where a 1-RTT packet has its destination id, for each pair of source and destination. The server's id
// appears in the clear only there, and other UDP may use the same ports. So the id is taken to be the one whose packets
// look most like packets of MXP: five masked bits in the first byte make that byte different in nearly every packet.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mxp/address.h"
#include "mxp/ids.h"

namespace mxp::dump {

struct Endpoints {
  SocketAddress source;
  SocketAddress destination;
  bool operator==(const Endpoints&) const = default;
};
struct EndpointsHash {
  std::size_t operator()(const Endpoints& endpoints) const;
};

struct IdCandidate {
  ConnectionId id;
  std::uint64_t order = 0;  // when it was seen first; smaller is earlier
  std::uint64_t count = 0;
  std::uint32_t first_bytes = 0;  // bit n: a first byte with n in its masked bits was seen
  std::optional<std::uint64_t> first_ns;

  // Whether this candidate looks more like an id of MXP than `other`.
  bool better_than(const IdCandidate& other) const;
};

class IdCandidates {
 public:
  // Our choices: how many pairs are kept (the oldest go first) and how many ids of a pair (the rarest go first).
  static constexpr std::size_t kMaxPairs = 16384, kMaxIds = 32;

  // Whether a payload has the form of a 1-RTT packet: the bits of the first byte that are not masked, and the size.
  static bool plausible(std::uint8_t first_byte, std::size_t length);
  void add(const Endpoints& endpoints, ConnectionId id, std::uint8_t first_byte, std::optional<std::uint64_t> time_ns);
  // Valid until the next add(); null if there is none.
  const std::vector<IdCandidate>* of(const Endpoints& endpoints) const;

 private:
  using Pairs = std::unordered_map<Endpoints, std::vector<IdCandidate>, EndpointsHash>;
  std::vector<IdCandidate>& ids_of(const Endpoints& endpoints);

  Pairs pairs_;
  std::array<Pairs::value_type*, 2> latest_{};  // of pairs_: those that were asked for last, since most packets go on
  std::deque<Endpoints> order_;
  std::uint64_t seen_ = 0;
};

}  // namespace mxp::dump
