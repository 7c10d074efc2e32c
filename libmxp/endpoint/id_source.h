// Where the connection ids come from that peers put into packets to this endpoint. Given, as chance is: a server of
// several workers gives each of them a source whose ids say whose they are.
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/id_permutation.h"
#include "mxp/config.h"
#include "mxp/ids.h"
#include "mxp/random.h"

namespace mxp {

class IdSource {
 public:
  virtual ~IdSource() = default;
  // Any id, which may be in use: IdIndex knows.
  virtual ConnectionId generate() = 0;
};

// Ids that say nothing at all.
class RandomIds final : public IdSource {
 public:
  // `random` outlives it.
  explicit RandomIds(Random& random) : random_(random) {}

  ConnectionId generate() override {
    ConnectionId::Bytes bytes;
    random_.fill(bytes);
    return ConnectionId(bytes);
  }

 private:
  Random& random_;
};

// Ids that say where they come from to whoever has the key, and nothing to anybody else (crypto/id_permutation.h):
// worker, generation and server, eight bits each, and a counter of forty.
class PermutedIds final : public IdSource {
 public:
  explicit PermutedIds(const ConnectionIdOrigin& origin)
      : permutation_(origin.key),
        origin_(std::uint64_t{origin.worker} << 56 | std::uint64_t{origin.generation} << 48 |
                std::uint64_t{origin.server} << 40) {}

  static constexpr std::uint64_t kCounter = (std::uint64_t{1} << 40) - 1;

  // After 2^40 ids they begin again; by then the first are long gone, and IdIndex sees if they are not.
  ConnectionId generate() override { return permutation_.blind(origin_ | (counter_++ & kCounter)); }

 private:
  IdPermutation permutation_;
  std::uint64_t origin_;
  std::uint64_t counter_ = 0;
};

// Who issued an id, if it was made with this key: a guessed id gives some numbers too, so they only say whom to ask.
// For who steers datagrams to workers.
struct IssuedBy {
  std::uint8_t worker;
  std::uint8_t generation;
  std::uint8_t server;
  std::uint64_t counter;
};
inline IssuedBy issued_by(const IdPermutation& permutation, const ConnectionId& id) {
  const std::uint64_t plain = permutation.unblind(id);
  return {static_cast<std::uint8_t>(plain >> 56), static_cast<std::uint8_t>(plain >> 48),
          static_cast<std::uint8_t>(plain >> 40), plain & PermutedIds::kCounter};
}

inline std::unique_ptr<IdSource> make_id_source(const std::optional<ConnectionIdOrigin>& origin, Random& random) {
  if (origin) return std::make_unique<PermutedIds>(*origin);
  return std::make_unique<RandomIds>(random);
}

}  // namespace mxp
