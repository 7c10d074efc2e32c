// One turn of the loop:
//   1. wait (or look) what is ready; callbacks of watched descriptors
//   2. receive, up to a bound; each datagram to the endpoint, in place
//   3. timers, then the endpoint's own
//   4. send what is due, up to a bound, unless the socket is full
//   5. say what to wake for: descriptors and the deadline
// The bounds keep one direction from starving the other; what is left over is work for the next turn at once.
#include "mxp/event_loop.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>

#include "mxp/require.h"
#include "udp/address_watch.h"
#include "udp/carrier.h"
#include "udp/clock.h"
#include "udp/event_loop_access.h"
#include "udp/linux_carrier.h"
#include "udp/poller.h"
#include "udp/socket_address.h"
#include "udp/timer_queue.h"
#include "udp/transmit_queue.h"

namespace mxp {
namespace {

// The next two also bound a turn, and with it how late timers are and how long a message that is urgent waits: each
// stands for a tenth to a third of a millisecond of work, next to which the few microseconds that a turn costs are
// little. With four times as much, bulk was no faster, and calls beside it took twice as long.
//
// Bytes taken in before the acknowledgements for them go out.
constexpr std::size_t kReceiveBudget = 128 * 1024;
// Calls, for datagrams so small that bytes do not bound the work.
constexpr int kReceiveBatches = 8;
// Bytes sent before the socket is read again: acknowledgements that wait there let us send more.
constexpr std::size_t kSendBudget = 128 * 1024;

// There must be room for what the peer may send: datagrams of the size that we announce, and handshake messages, which
// come before the peer knows that size.
std::size_t largest_datagram(const TransportConfig& config) {
  return std::clamp(config.max_receive_udp_payload, kMaxInitialSize, kMaxUdpPayload);
}

std::optional<IoError> bad_setting(const EndpointConfig& config) {
  const auto valid = validate(config);
  if (valid) return std::nullopt;
  return IoError{EINVAL, "setting " + to_string(valid.error())};
}

}  // namespace

struct EventLoop::Impl {
  Impl(std::unique_ptr<Carrier> carrier_in, std::unique_ptr<Poller> poller_in, EndpointConfig config, Handler& handler,
       TraceSink* trace)
      : carrier(std::move(carrier_in)),
        poller(std::move(poller_in)),
        endpoint(std::move(config), system_random(), handler, trace) {}

  std::expected<void, IoError> turn(Timestamp now, bool block);
  std::expected<void, IoError> run(bool may_sleep);
  void receive(Timestamp& now);
  void transmit(Timestamp& now, bool told_writable = false);
  std::expected<void, IoError> prepare_to_wait(Timestamp now);
  Timestamp deadline(Timestamp now) const;
  void watch_addresses();
  void on_addresses_changed();
  // What a full socket has not taken yet is still to be said.
  bool nothing_left_to_say() const { return queue.empty() && endpoint.connection_count() == endpoint.draining_count(); }
  bool blocked(Timestamp now) const { return waiting_for_room || now < send_again_at; }

  std::unique_ptr<Carrier> carrier;
  std::unique_ptr<Poller> poller;
  std::optional<AddressWatch> addresses;  // of a socket that is bound to none of them
  TransmitQueue queue;
  TimerQueue timers;
  Endpoint endpoint;  // destroyed before everything that its handler may call

  class Running;

  bool in_turn = false;
  bool running = false;                      // in run()
  std::optional<std::uint64_t> close_timer;  // of stop_when_closed()
  Timestamp next_turn_at{};                  // at the latest
  bool waiting_for_room = false;             // EAGAIN: until the socket is writable
  Timestamp send_again_at{};                 // after ENOBUFS
  Timestamp receive_again_at{};              // after an error that would repeat itself
  bool more_to_receive = false;
  bool more_to_send = false;
};

std::expected<void, IoError> EventLoop::Impl::turn(Timestamp now, bool block) {
  MXP_REQUIRE(!in_turn);  // run() and process() may not be called from a callback
  in_turn = true;
  const auto events = block ? poller->wait_until(next_turn_at) : poller->wait(false);
  if (!events) {
    in_turn = false;
    return std::unexpected(events.error());
  }
  if (block) now = monotonic_now();
  if (events->writable) waiting_for_room = false;
  if ((events->readable || more_to_receive) && now >= receive_again_at) receive(now);
  timers.run_due(now);
  if (endpoint.next_timeout() <= now) endpoint.on_timeout(now);
  transmit(now, events->writable);
  in_turn = false;
  if (running && close_timer && nothing_left_to_say()) poller->request_stop();
  return prepare_to_wait(now);
}

void EventLoop::Impl::receive(Timestamp& now) {
  std::size_t bytes = 0;
  more_to_receive = false;
  for (int batch = 0; batch < kReceiveBatches; ++batch) {
    const ReceiveResult result = carrier->receive();
    if (!result.runs.empty()) now = std::max(now, monotonic_now());
    for (const ReceivedRun& run : result.runs) {
      bytes += run.bytes.size();
      for_each_datagram(run, [&](MutableBytes datagram) {
        endpoint.receive(now, {.bytes = datagram, .remote = run.remote, .local = run.local, .ecn = run.ecn});
      });
    }
    while (const auto address = carrier->poll_unreachable()) endpoint.on_unreachable(now, *address);
    if (result.status == ReceiveStatus::wait_a_while) receive_again_at = now + kRetryAfter;
    if (result.status != ReceiveStatus::more) break;
    if (bytes >= kReceiveBudget || batch + 1 == kReceiveBatches) {
      more_to_receive = true;
      break;
    }
  }
  if (bytes > 0) now = std::max(now, monotonic_now());  // decrypting takes time
}

void EventLoop::Impl::transmit(Timestamp& now, bool told_writable) {
  more_to_send = false;
  // A full socket means back pressure: the endpoint is not asked for what could not be sent.
  if (blocked(now)) return;
  const std::uint64_t sent_before = carrier->stats().datagrams_sent;
  const auto result = queue.pump(*carrier, TransmitLimits{.max_segments = kMaxGsoSegments}, kSendBudget,
                                 [&](MutableBytes buffer, const TransmitLimits& limits) {
                                   now = std::max(now, monotonic_now());
                                   return endpoint.poll_transmit(now, buffer, limits);
                                 });
  switch (result) {
    case TransmitQueue::Result::idle: break;
    case TransmitQueue::Result::budget_spent: more_to_send = true; break;
    case TransmitQueue::Result::wait_writable:
      // If the socket was reported as writable and yet took no datagram, waiting for writability would wake us again
      // and again at once. A short wait by time takes its place.
      waiting_for_room = !told_writable || carrier->stats().datagrams_sent > sent_before;
      if (!waiting_for_room) send_again_at = now + kRetryAfter;
      break;
    case TransmitQueue::Result::wait_a_while: send_again_at = now + kRetryAfter; break;
  }
  while (const auto address = carrier->poll_unreachable()) endpoint.on_unreachable(now, *address);
  while (const auto refused = carrier->poll_too_large()) {
    endpoint.on_too_large(now, refused->remote, refused->size);
    more_to_send = true;  // what was lost may be due again at once, in smaller datagrams
  }
}

Timestamp EventLoop::Impl::deadline(Timestamp now) const {
  if (more_to_receive || more_to_send || poller->has_always_ready()) return Timestamp{};
  // While nothing can be sent, the endpoint may still want to send. Asking it again and again would be a busy loop.
  Timestamp next = endpoint.next_timeout();
  if (blocked(now) && next <= now) next = now + kRetryAfter;
  next = std::min(next, timers.next());
  if (now < send_again_at) next = std::min(next, send_again_at);
  if (now < receive_again_at) next = std::min(next, receive_again_at);
  return next;
}

std::expected<void, IoError> EventLoop::Impl::prepare_to_wait(Timestamp now) {
  SocketInterest interest = waiting_for_room ? SocketInterest::both : SocketInterest::read;
  if (now < receive_again_at) interest = SocketInterest::nothing;  // errors cannot be masked
  if (auto set = poller->set_socket(carrier->fd(), interest); !set) return set;
  next_turn_at = deadline(now);
  if (!running) poller->arm(next_turn_at, now);
  return {};
}

// In run() nobody else waits for the descriptor: a near deadline goes along with the wait, and the timer behind the
// descriptor is set when run() ends. Linux makes timeouts of waits late by up to 50 us to join them with others, unless
// the thread asks for precision; a pacer lives on less than that.
class EventLoop::Impl::Running {
 public:
  explicit Running(Impl& impl) : impl_(impl), slack_(::prctl(PR_GET_TIMERSLACK)) {
    impl_.running = true;
    ::prctl(PR_SET_TIMERSLACK, 1UL);
  }
  ~Running() {
    if (slack_ > 0) ::prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(slack_));
    impl_.running = false;
    if (impl_.close_timer) impl_.timers.cancel(*impl_.close_timer);
    impl_.close_timer.reset();
    const Timestamp now = monotonic_now();
    impl_.poller->arm(impl_.deadline(now), now);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  Impl& impl_;
  int slack_;  // nanoseconds
};

// A socket that is bound to one address cannot send from another one.
void EventLoop::Impl::watch_addresses() {
  if (!is_any(carrier->local_address())) return;
  addresses.emplace();
  if (addresses->fd() < 0) return;
  poller->watch(addresses->fd(), FdEvent::readable, [this] {
    if (addresses->take_change()) on_addresses_changed();
  });
}

void EventLoop::Impl::on_addresses_changed() {
  const Timestamp now = monotonic_now();
  for (const SocketAddress& server : endpoint.servers())
    if (const auto local = local_address_toward(server)) endpoint.on_local_address(now, server, *local);
}

EventLoop::EventLoop() = default;
EventLoop::~EventLoop() = default;

std::expected<std::unique_ptr<EventLoop>, IoError> EventLoopAccess::create(std::unique_ptr<Carrier> carrier,
                                                                           EndpointConfig endpoint, Handler& handler,
                                                                           TraceSink* trace) {
  if (auto bad = bad_setting(endpoint)) return std::unexpected(std::move(*bad));
  auto poller = Poller::create();
  if (!poller) return std::unexpected(poller.error());
  std::unique_ptr<EventLoop> loop(new EventLoop());
  loop->impl_ =
      std::make_unique<EventLoop::Impl>(std::move(carrier), std::move(*poller), std::move(endpoint), handler, trace);
  loop->impl_->watch_addresses();
  if (auto ready = loop->impl_->prepare_to_wait(monotonic_now()); !ready) return std::unexpected(ready.error());
  return loop;
}

std::expected<std::unique_ptr<EventLoop>, IoError> EventLoop::create(const SocketConfig& socket,
                                                                     EndpointConfig endpoint, Handler& handler,
                                                                     TraceSink* trace) {
  if (auto bad = bad_setting(endpoint)) return std::unexpected(std::move(*bad));
  auto carrier = make_linux_carrier(socket, system_calls(), largest_datagram(endpoint.transport));
  if (!carrier) return std::unexpected(carrier.error());
  return EventLoopAccess::create(std::move(*carrier), std::move(endpoint), handler, trace);
}

Endpoint& EventLoop::endpoint() { return impl_->endpoint; }
SocketAddress EventLoop::local_address() const { return impl_->carrier->local_address(); }
CarrierCapabilities EventLoop::capabilities() const { return impl_->carrier->capabilities(); }
CarrierStats EventLoop::carrier_stats() const { return impl_->carrier->stats(); }
Timestamp EventLoop::now() const { return monotonic_now(); }
int EventLoop::fd() const { return impl_->poller->fd(); }
void EventLoop::stop() noexcept { impl_->poller->request_stop(); }
void EventLoop::stop_when_closed(Duration at_most) {
  impl_->endpoint.stop_accepting();
  if (impl_->close_timer) cancel(*impl_->close_timer);
  impl_->close_timer = at(now() + at_most, [this] { stop(); });
}

bool EventLoop::nothing_left_to_say() const { return impl_->nothing_left_to_say(); }

Timestamp EventLoop::next_timeout() const { return impl_->deadline(monotonic_now()); }

std::expected<void, IoError> EventLoop::Impl::run(bool may_sleep) {
  const Running while_it_lasts(*this);
  bool block = false;  // what was called before run() may already have made something due
  while (!poller->take_stop()) {
    if (auto done = turn(monotonic_now(), block); !done) return done;
    block = may_sleep;
  }
  return {};
}

std::expected<void, IoError> EventLoop::run() { return impl_->run(true); }

std::expected<void, IoError> EventLoopAccess::spin(EventLoop& loop) { return loop.impl_->run(false); }

std::expected<void, IoError> EventLoop::process(Timestamp now) { return impl_->turn(now, false); }

void EventLoop::flush() {
  if (impl_->in_turn) return;  // the turn ends with sending
  Timestamp now = monotonic_now();
  impl_->in_turn = true;  // on_closed may be told from here, and may call flush() itself
  impl_->transmit(now);
  impl_->in_turn = false;
  // Failing to change the interest shows again, with its error, in the next turn.
  [[maybe_unused]] const auto ready = impl_->prepare_to_wait(now);
}

void EventLoop::watch(int fd, FdEvent events, std::function<void()> callback) {
  impl_->poller->watch(fd, events, std::move(callback));
  if (!impl_->in_turn) impl_->poller->arm(next_timeout(), monotonic_now());
}

void EventLoop::unwatch(int fd) { impl_->poller->unwatch(fd); }

std::uint64_t EventLoop::at(Timestamp when, std::function<void()> callback) {
  const std::uint64_t id = impl_->timers.add(when, std::move(callback));
  if (!impl_->in_turn) impl_->poller->arm(next_timeout(), monotonic_now());
  return id;
}

void EventLoop::cancel(std::uint64_t timer) { impl_->timers.cancel(timer); }

}  // namespace mxp
