// Keeps each message 2 under the mac1 of the message 1 that it answers. A retransmitted or replayed message 1 gets the
// same bytes again, costs no public-key operation, and makes no second connection (docs/protocol.md §2.1). The cache is
// bounded by count and by time.
//
// The source address of a message 1 proves nothing: an observer may send copies of it from any number of addresses
// before the original arrives. So every sender gets the answer, and none can lock the real client out by being first.
// But each answer is given only a bounded number of times, to one source and altogether. Otherwise one recorded message
// 1 could aim the server at forged addresses without end.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <vector>

#include "core/packet_header.h"
#include "mxp/address.h"
#include "mxp/time.h"

namespace mxp {

class ResponseCache {
 public:
  using Mac1 = std::array<std::uint8_t, kMac1Size>;

  // How many sources have their answers counted apart. A further source takes the place of the one that came first. Our
  // choice.
  static constexpr std::size_t kCountedSources = 4;
  // How often one answer goes to one of these sources, and how often altogether. A client sends its message 1 about six
  // times within the default handshake timeout. Our choice.
  static constexpr unsigned kMaxAnswersForSource = 16;
  static constexpr unsigned kMaxAnswers = 64;

  struct Entry {
    std::vector<std::uint8_t> datagram;  // message 2
    ConnectionId server_id;              // the id that it gives; all zero if it refuses
    struct Source {
      SocketAddress address;
      unsigned answers = 0;  // 0 marks a free place
    };
    std::array<Source, kCountedSources> sources{};
    std::size_t next_place = 0;  // a free one, or that of the source that came first
    unsigned answers = 0;

    // Whether `source` gets the answer now. If so, the answer is counted.
    bool take_answer(const SocketAddress& source) {
      if (answers == kMaxAnswers) return false;
      auto known = std::find_if(sources.begin(), sources.end(),
                                [&](const Source& it) { return it.answers != 0 && it.address == source; });
      if (known == sources.end()) {
        known = sources.begin() + static_cast<std::ptrdiff_t>(next_place);
        next_place = (next_place + 1) % kCountedSources;
        *known = {source, 0};
      }
      if (known->answers == kMaxAnswersForSource) return false;
      ++known->answers;
      ++answers;
      return true;
    }
  };

  // `hash_key` is random: whoever knows the server's public key can compute mac1 values, and could otherwise aim them
  // at one bucket (threat t13).
  ResponseCache(std::size_t max_entries, Duration lifetime, std::uint64_t hash_key)
      : max_entries_(max_entries), lifetime_(lifetime), entries_(0, Hash{hash_key | 1}) {}

  Entry* find(const Mac1& mac1) {
    const auto found = entries_.find(mac1);
    return found == entries_.end() ? nullptr : &found->second;
  }
  // Remembers the answer that `source` was just given. A full cache forgets its oldest answer.
  void insert(Timestamp now, const Mac1& mac1, const SocketAddress& source, std::vector<std::uint8_t> datagram,
              ConnectionId server_id) {
    if (max_entries_ == 0) return;
    if (entries_.size() >= max_entries_) pop_oldest();
    Entry entry{.datagram = std::move(datagram), .server_id = server_id};
    entry.take_answer(source);
    if (entries_.emplace(mac1, std::move(entry)).second) order_.push_back({mac1, now + lifetime_});
  }
  void expire(Timestamp now) {
    while (!order_.empty() && order_.front().expires <= now) pop_oldest();
  }
  Timestamp deadline() const { return order_.empty() ? kNever : order_.front().expires; }
  std::size_t size() const { return entries_.size(); }

 private:
  // Multiplication by a secret odd number is enough for values that are already outputs of an HMAC.
  struct Hash {
    std::uint64_t key;
    std::size_t operator()(const Mac1& mac1) const {
      std::uint64_t low = 0, high = 0;
      std::memcpy(&low, mac1.data(), 8);
      std::memcpy(&high, mac1.data() + 8, 8);
      const auto product = static_cast<unsigned __int128>(low ^ (high << 1 | high >> 63)) * key;
      return static_cast<std::size_t>(product >> 64 ^ product);
    }
  };
  struct Expiry {
    Mac1 mac1;
    Timestamp expires;
  };
  void pop_oldest() {
    entries_.erase(order_.front().mac1);
    order_.pop_front();
  }

  std::size_t max_entries_;
  Duration lifetime_;
  std::unordered_map<Mac1, Entry, Hash> entries_;
  std::deque<Expiry> order_;
};

}  // namespace mxp
