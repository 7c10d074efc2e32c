// How many connections an endpoint has, and how much memory they hold: altogether, and for each client's key (threat
// t56). A client that is authenticated cannot take what the others need, however many connections it makes and whatever
// it sends on them.
//
// Memory is counted as it is used, not as it is promised. The windows that are announced to a hundred thousand quiet
// clients add up to much more than any machine has, and most of it is never used; if promises were counted, a few
// hundred clients that say nothing would lock out all others. So the promises may turn out to be too many. Then those
// that hold most give way, and a client whose bytes are taken as they come is never among them (memory_watch.cpp). Two
// heaps know who that is: one of keys, and one of connections that belong to no key. Each key has a third, of its
// connections. Only what has buffers is in them, because the rest has nothing to give.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/indexed_heap.h"
#include "core/split_mix.h"
#include "mxp/config.h"
#include "mxp/keys.h"
#include "mxp/require.h"

namespace mxp {

// Spreads keys over a table. A client chooses its key, and could look for many that fall into one place (threat t13).
// So this is the multilinear hash of Lemire and Kaser, "Strongly Universal String Hashing is Fast" (2012): who does not
// know its random factors does no better than by chance.
class PublicKeyHash {
 public:
  explicit PublicKeyHash(std::uint64_t secret) {
    for (std::uint64_t& factor : factors_) factor = split_mix(secret += kGoldenGamma);
  }
  std::size_t operator()(const PublicKey& key) const {
    std::array<std::uint32_t, kWords> words;
    std::memcpy(words.data(), key.bytes().data(), sizeof(words));
    std::uint64_t sum = factors_[kWords];
    for (std::size_t i = 0; i < kWords; ++i) sum += factors_[i] * words[i];
    return static_cast<std::size_t>(sum >> 32);
  }

 private:
  static constexpr std::size_t kWords = PublicKey::kSize / sizeof(std::uint32_t);
  std::array<std::uint64_t, kWords + 1> factors_;
};

class ConnectionBudget {
  struct Peer;
  using Peers = std::unordered_map<PublicKey, Peer, PublicKeyHash>;

 public:
  // What one connection is counted with. It stays where it is: the heaps point to it.
  class Account {
   public:
    Account() = default;
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;
    std::size_t bytes() const { return bytes_; }

   private:
    friend class ConnectionBudget;
    std::pair<const PublicKey, Peer>* peer_ = nullptr;  // a client's connection has none: we chose its peer ourselves
    std::size_t bytes_ = 0;
    std::size_t place_ = kNotInHeap;
  };

  // `bytes_of_new`: what a connection takes that was only just made. `hash_key` is random and secret.
  ConnectionBudget(const EndpointLimits& limits, std::size_t bytes_of_new, std::uint64_t hash_key)
      : limits_(limits), bytes_of_new_(bytes_of_new), peers_(0, PublicKeyHash(hash_key)) {}

  // Why this client may have no further connection, for it to read; nothing if it may.
  std::optional<std::string_view> refusal(const PublicKey& client) const {
    if (connections_ >= limits_.max_connections) return "the server takes no more connections";
    // Not by what the others hold in buffers, because that gives way (memory_watch.cpp).
    if (empty() + bytes_of_new_ > limits_.memory / 8 * 7) return "the server has no memory for more connections";
    return refusal_of_key(client);
  }
  // The same for the limits of its key alone.
  std::optional<std::string_view> refusal_of_key(const PublicKey& client) const {
    const auto peer = peers_.find(client);
    if (peer == peers_.end()) return std::nullopt;
    if (peer->second.connections >= limits_.max_connections_per_key) return "this key has too many connections";
    if (peer->second.bytes + bytes_of_new_ > limits_.memory_per_key)
      return "this key's connections hold too much memory";
    return std::nullopt;
  }

  // A connection begins.
  void join(Account& account) {
    ++connections_;
    set(account, bytes_of_new_);
  }
  // It is confirmed to be that of a client with this key, and counts for the key from now on. Not before: whoever replays
  // recorded handshakes of a key must not lock its owner out. The table has at most one row for each connection.
  // REQUIRES: it has joined, and counts for no key yet.
  void attach(Account& account, const PublicKey& client) {
    MXP_REQUIRE(account.peer_ == nullptr);
    const std::size_t bytes = account.bytes_;
    set(account, 0);
    account.peer_ = &*peers_.try_emplace(client).first;
    ++account.peer_->second.connections;
    set(account, bytes);
  }
  // It is gone. REQUIRES: it has joined.
  void leave(Account& account) {
    MXP_REQUIRE(connections_ > 0);
    --connections_;
    set(account, 0);
    if (account.peer_ == nullptr) return;
    if (--account.peer_->second.connections == 0) peers_.erase(PublicKey(account.peer_->first));
    account.peer_ = nullptr;
  }
  // It holds so much now.
  void set(Account& account, std::size_t bytes) {
    const std::size_t change = bytes - account.bytes_;  // modulo 2^64, as the sums are
    if (change == 0) return;
    account.bytes_ = bytes;
    bytes_ += change;
    if (account.peer_ != nullptr) account.peer_->second.bytes += change;
    place(account, bytes - change);
  }

  // Of the key whose connections hold most in buffers, the connection that holds most of it; or a connection of no key,
  // if it alone holds more than any key. Nothing if there are no buffers.
  Account* largest() const {
    if (largest_keys_.empty()) return keyless_.empty() ? nullptr : &keyless_.top();
    const Peer& key = largest_keys_.top();
    if (!keyless_.empty() && buffers(keyless_.top().bytes_) > key.buffers) return &keyless_.top();
    return &key.accounts.top();
  }

  // Its receive windows must not grow.
  bool is_short_for(const Account& account) const {
    return bytes_ > limits_.memory / 2 ||
           (account.peer_ != nullptr && account.peer_->second.bytes > limits_.memory_per_key / 2);
  }
  bool key_is_over(const Account& account) const {
    return account.peer_ != nullptr && account.peer_->second.bytes > limits_.memory_per_key;
  }
  // Connections must give buffers back until has_room(). What lies between the two is at least a sixteenth of the
  // memory, and buffers are all of it; the eighth above is_over() is for what one drive can add.
  bool is_over() const { return bytes_ > std::max(limits_.memory / 8 * 7, empty() + limits_.memory / 8); }
  bool has_room() const { return bytes_ <= std::max(limits_.memory / 4 * 3, empty() + limits_.memory / 16); }

  std::size_t connections() const { return connections_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t keys() const { return peers_.size(); }

 private:
  struct HoldsMore {
    bool operator()(const Account& a, const Account& b) const { return a.bytes_ > b.bytes_; }
    bool operator()(const Peer& a, const Peer& b) const { return a.buffers > b.buffers; }
  };
  using Accounts = IndexedHeap<Account, HoldsMore, &Account::place_>;
  struct Peer {
    std::size_t connections = 0;
    std::size_t bytes = 0;
    std::size_t buffers = 0;
    std::size_t place = kNotInHeap;
    Accounts accounts;  // those with buffers
  };

  // What such a connection would give back.
  std::size_t buffers(std::size_t bytes) const { return bytes - std::min(bytes, bytes_of_new_); }

  // Where it belongs in the heaps, now that its bytes are others.
  void place(Account& account, std::size_t bytes_before) {
    const std::size_t own = buffers(account.bytes_);
    if (account.peer_ == nullptr) return keep(keyless_, account, own);
    Peer& peer = account.peer_->second;
    keep(peer.accounts, account, own);
    peer.buffers += own - buffers(bytes_before);
    keep(largest_keys_, peer, peer.buffers);
  }
  template <typename Heap, typename Member>
  static void keep(Heap& heap, Member& member, std::size_t buffers) {
    if (buffers == 0) heap.remove(member);
    else heap.set(member);
  }

  // What the connections would hold without their buffers.
  std::size_t empty() const { return connections_ * bytes_of_new_; }

  const EndpointLimits& limits_;
  const std::size_t bytes_of_new_;
  Peers peers_;
  IndexedHeap<Peer, HoldsMore, &Peer::place> largest_keys_;
  Accounts keyless_;
  std::size_t connections_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace mxp
