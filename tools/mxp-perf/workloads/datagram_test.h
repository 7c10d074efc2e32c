// A test of datagrams: the client sends them at a rate, or as fast as they go, and the server counts what arrives and
// what was overtaken on the way. Each begins with its number, eight bytes, the highest first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "mxp-perf/workloads/client_test.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

// Sends numbered datagrams of one size on one connection.
class DatagramSender {
 public:
  // What is not sent at `until` is not sent any more.
  DatagramSender(Connection& connection, std::uint64_t size, Timestamp until);

  // False: the queue is full.
  bool send(DatagramPolicy when_full);

 private:
  Connection& connection_;
  std::vector<std::uint8_t> data_;
  Timestamp until_;
  std::uint64_t next_ = 0;
};

// Counts what arrives on one connection.
struct DatagramMeter {
  std::uint64_t received = 0;
  std::uint64_t bytes = 0;
  std::uint64_t overtaken = 0;  // those that came after one with a larger number
  std::optional<std::uint64_t> largest;
  Timestamp first{}, last{};

  // False: it is too short to have a number.
  bool on_datagram(Timestamp now, ByteView data);
};

class DatagramTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  DatagramTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads);

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_writable(Connection&, StreamId) override {}
  void on_datagrams_writable(Connection& connection) override;
  void stop() override { stopped_ = true; }
  void abandon() override { stopped_ = true; }
  bool idle() const override { return true; }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override;  // datagrams that were acknowledged
  std::string describe_rate(double per_second) const override;
  void add_to(Result& result) override;

 private:
  void fill(DatagramSender& sender);
  // At a rate: sends what is due on the connections in turn, and sets the timer for what is due next.
  void pump();
  std::uint64_t acknowledged() const;

  const Workload& workload_;
  EventLoop& loop_;
  const ClientLoads& loads_;
  std::map<Connection*, DatagramSender> senders_;
  std::map<Connection*, DatagramSender>::iterator next_sender_;
  Timestamp begun_{};
  std::uint64_t offered_ = 0;  // at a rate
  std::uint64_t refused_ = 0;  // of them: found the queue full
  bool stopped_ = false;
};

}  // namespace mxp::perf
