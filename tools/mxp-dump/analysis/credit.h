// Flow control of what one side sends: when it said that it waits for credit, until it goes on. The first limits are in
// the handshake, which no key log opens, so only *_BLOCKED frames show that a limit was reached.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include "core/frames.h"
#include "mxp-dump/analysis/finding.h"

namespace mxp::dump {

class Credit {
 public:
  enum class Kind : std::uint8_t { connection, stream, messages };
  static constexpr std::size_t kKinds = 3;
  static constexpr std::size_t kMaxWaiting = 64;  // our choice: streams that wait at a time and are told apart

  struct Waits {
    std::uint64_t count = 0;
    std::int64_t total_ns = 0;  // from the frame that says so until something is sent under a higher limit
    std::int64_t grant_ns = 0;  // of it, until the higher limit was seen
    std::int64_t longest_ns = 0;
    std::optional<StreamId> stream;  // that waited longest
    Evidence evidence;
  };

  // A frame of the side that sends the data. `frame` is where it stands in the capture.
  void from_sender(const Frame& frame, std::int64_t time_ns, std::uint64_t number);
  // A frame of its receiver.
  void from_receiver(const Frame& frame, std::int64_t time_ns);
  void finish(std::int64_t time_ns);

  bool waiting() const { return !waiting_.empty(); }
  const Waits& waits(Kind kind) const { return waits_[static_cast<std::size_t>(kind)]; }

 private:
  struct Key {
    Kind kind;
    std::uint64_t stream;
    auto operator<=>(const Key&) const = default;
  };
  struct Waiting {
    std::uint64_t limit = 0;
    std::int64_t since_ns = 0;
    std::optional<std::int64_t> granted_ns;
  };
  void begin(Key key, std::uint64_t limit, std::int64_t time_ns, std::uint64_t number);
  void grant(Key key, std::uint64_t limit, std::int64_t time_ns);
  void resume(Key key, std::int64_t time_ns);
  void end(std::map<Key, Waiting>::iterator it, std::int64_t time_ns);

  std::map<Key, Waiting> waiting_;
  std::array<Waits, kKinds> waits_;
};

}  // namespace mxp::dump
