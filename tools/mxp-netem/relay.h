// The relay: clients on one side, the target on the other, links between them (link_book.h), the real clock.
//
//   client datagram -> up link   -> the client's own socket -> target
//   target datagram -> down link -> the listening socket    -> client
//   ICMP "port unreachable" of the target ------------------> client
//
// A datagram enters the link at the time when the kernel put it into the socket's buffer, not when the relay read it.
// So a link with a delay makes up for a relay that was late to read, and what it cannot make up for counts as lateness.
//
// One thread, one epoll. Nothing that a client or the target sends, ICMP errors included, ends it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-netem/arrival_clock.h"
#include "mxp-netem/capture.h"
#include "mxp-netem/client_table.h"
#include "mxp-netem/icmp_sender.h"
#include "mxp-netem/link_book.h"
#include "mxp-netem/options.h"
#include "mxp-netem/record_file.h"
#include "mxp-netem/refusal.h"
#include "mxp-netem/relay_socket.h"
#include "mxp-netem/tcp/tcp_relay.h"
#include "netem/delay_histogram.h"
#include "netem/link.h"

struct epoll_event;

namespace mxp::tools {

enum class RelayEnd : std::uint8_t { duration_over, interrupted };

// What the relay itself added to the link; all zero is the ideal.
struct RelayHealth {
  // How late packets left: from when a packet was due, counted from its arrival at the socket, to when it was handed to
  // the kernel.
  netem::DelayHistogram late;
  std::uint64_t socket_drops = 0;   // lost in full receive buffers before the relay saw them
  std::uint64_t send_failures = 0;  // the kernel did not take them
  std::uint64_t refused = 0;        // turned away: of clients for whom there was no room or no socket
  std::uint64_t unreachable = 0;    // could not reach the target, as its host or the network says

  static constexpr Duration kLateBound = std::chrono::milliseconds(1);  // for the 99th percentile
  bool distorted() const { return socket_drops + send_failures + refused > 0 || late.quantile(0.99) >= kLateBound; }
};

class Relay {
 public:
  // `capture` may be null; it and `output` outlive the relay.
  static Result<std::unique_ptr<Relay>> open(const Options& options, Capture* capture, Output& output);

  const SocketAddress& local() const { return listener_.local(); }
  // Relays until the duration is over or a signal comes. It fails if the capture cannot be written or epoll fails.
  Result<RelayEnd> run(const SignalWatch& signals);

  // In place of run(), for a loop that has more to do: start(), then step() whenever fd() is readable or next_event()
  // has come, and at last finish(). step() never waits.
  void start();
  int fd() const { return epoll_.get(); }
  Timestamp next_event() const;
  Result<void> step();
  void finish();
  // After finish(), where the relay stays only for its report: gives its port back.
  void stop_listening() {
    listener_.close();
    tcp_.reset();
  }

  // From now on what becomes of each packet is written; `record` outlives the relay.
  void record_to(RecordFile& record) { record_ = &record; }
  // The first failure to write a capture or a record, if any.
  Result<void> output_status() const;

  // The links of all clients that no other group is for become what this says, at once and for good.
  void choose_links(LinkGroup::Chooser chooser) { links_.choose(std::move(chooser)); }

  const LinkBook& links() const { return links_; }
  // Null without --tcp.
  const TcpRelay* tcp() const { return tcp_.get(); }
  const RelayHealth& health() const { return health_; }
  std::uint64_t clients() const { return clients_.ever(); }
  // Until finish(), or until now.
  Duration running() const;

 private:
  static constexpr std::uint64_t kFirstClientTag = 4;  // of epoll, + flow; those below are relay.cpp's
  // Our choice: a client that floods the relay keeps it from sending what is due for this many batches at most.
  static constexpr int kBatchesPerTurn = 4;

  Relay(const Options& options, Capture* capture, Output& output, RelaySocket listener, UniqueFd epoll, UniqueFd timer);
  Result<void> watch(int fd, std::uint64_t tag);
  // Whether the loop goes on, and if not, how the run ends.
  std::optional<Result<RelayEnd>> turn(const SignalWatch& signals, Timestamp end);
  // Until a descriptor is readable, or so long at most; -1: the timer among them.
  Result<void> wait_and_serve(int milliseconds);
  Result<void> open_tcp();
  void serve_tcp();
  void serve(std::span<const epoll_event> events);
  void sleep_until(Timestamp when);

  // Reads up to `batches` batches and says whether that has emptied the socket.
  enum class Emptied : std::uint8_t { no, yes };
  Emptied receive_from_clients(int batches);
  Emptied receive_from_target(Client& client, int batches);
  void receive_refusals(Client& client);
  void take_in_what_has_arrived();
  Client* client_for(const InDatagram& datagram, Timestamp now);
  void deliver_due();
  void deliver(LinkPair& pair, Timestamp now);
  void deliver_up(LinkPair& pair, Timestamp now);
  void deliver_down(LinkPair& pair, Timestamp now);
  void housekeeping(Timestamp now);
  void rebind(const LinkGroup& group);
  Result<RelaySocket> connect_to_target() const;
  void close_client(Client& client);
  SocketAddress reached_address(const Client& client) const;
  void record_offer(Side side, const SocketAddress& source, const SocketAddress& destination,
                    const InDatagram& datagram, const netem::Verdict& verdict, netem::FlowId flow, Timestamp now);
  void record_departure(Side side, const SocketAddress& source, const SocketAddress& destination,
                        const netem::Departure& packet, Timestamp now);
  void write_record(Side side, const netem::Departure& packet);
  void complete_health();

  Options options_;
  Capture* capture_;
  RecordFile* record_ = nullptr;
  Output& output_;
  RelaySocket listener_;
  UniqueFd epoll_;
  UniqueFd timer_;
  LinkBook links_;
  std::unique_ptr<TcpRelay> tcp_;
  std::uint64_t tcp_links_version_ = 0;
  ClientTable clients_;
  ArrivalClock arrival_clock_;
  Timestamp last_up_offer_{};
  Timestamp last_down_offer_{};
  RefusalReader refusals_;
  IcmpSender icmp_;
  BatchReceiver receiver_;
  BatchSender sender_;
  RelayHealth health_;
  std::vector<SocketAddress> sources_;  // that rebinding takes in turn
  std::size_t source_ = 0;
  std::uint64_t rebindings_ = 0;
  Timestamp next_sweep_ = kNever;
  Timestamp started_{};
  Timestamp ended_{};
  bool warned_refused_ = false;
  bool noted_unreachable_ = false;
};

}  // namespace mxp::tools
