// One turn of the loop: it sleeps until something is due or readable, reads a bounded number of batches from each
// readable socket and offers them to the link, hands over what is due in both directions, and now and then forgets idle
// clients.
#include "mxp-netem/relay.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "mxp-netem/source_addresses.h"
#include "udp/clock.h"

namespace mxp::tools {
namespace {

constexpr std::uint64_t kListenerTag = 0;
constexpr std::uint64_t kTimerTag = 1;
constexpr std::uint64_t kSignalTag = 2;
constexpr std::uint64_t kTcpTag = 3;
constexpr std::uint64_t kFirstClientTag = 4;  // + flow

// Our choice: a client that floods the relay keeps it from sending what is due for this many batches at most.
constexpr int kBatchesPerTurn = 4;
// Our choice: a NAT that gives out another port often keeps its address, so the address moves with every third
// rebinding only.
constexpr std::uint64_t kRebindingsPerAddress = 3;
constexpr std::size_t kMostEvents = 64;
constexpr Duration kSweepEvery = std::chrono::seconds(10);

// Every client costs a descriptor, or two after a rebinding, and the default soft limit is 1024.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Relay::Relay(const Options& options, Capture* capture, Output& output, RelaySocket listener, UniqueFd epoll,
             UniqueFd timer)
    : options_(options),
      capture_(capture),
      output_(output),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      timer_(std::move(timer)),
      links_(options.plans, options.seed, options.recording.get()) {}

Result<std::unique_ptr<Relay>> Relay::open(const Options& options, Capture* capture, Output& output) {
  allow_many_descriptors();
  auto listener = RelaySocket::listen(options.listen);
  if (!listener) return std::unexpected(listener.error());
  // If there is no route to the target, this says so now and not at the first datagram.
  if (const auto probe = RelaySocket::connect(options.target); !probe) return std::unexpected(probe.error());
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll || !timer) return fail_errno(ErrorKind::io, "cannot create an event queue", errno);
  std::unique_ptr<Relay> relay(
      new Relay(options, capture, output, std::move(*listener), std::move(epoll), std::move(timer)));
  if (auto watched = relay->watch(relay->listener_.fd(), kListenerTag); !watched)
    return std::unexpected(watched.error());
  if (auto watched = relay->watch(relay->timer_.get(), kTimerTag); !watched) return std::unexpected(watched.error());
  if (options.tcp) {
    if (auto opened = relay->open_tcp(); !opened) return std::unexpected(opened.error());
  }
  await_stamps();
  return relay;
}

// On the port that UDP has. Where that was free to choose, another one may be free for both.
Result<void> Relay::open_tcp() {
  constexpr int kAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    auto opened = TcpRelay::open(listener_.local(), options_.target, options_.seed);
    if (opened) {
      tcp_ = std::move(*opened);
      const LinkGroup& group = links_.main();
      tcp_->set_links(group.state(netem::Direction::up), group.state(netem::Direction::down));
      return watch(tcp_->fd(), kTcpTag);
    }
    if (options_.listen.port != 0 || opened.error().system_error != EADDRINUSE || attempt == kAttempts)
      return std::unexpected(opened.error());
    auto listener = RelaySocket::listen(options_.listen);
    if (!listener) return std::unexpected(listener.error());
    listener_ = std::move(*listener);
    if (auto watched = watch(listener_.fd(), kListenerTag); !watched) return watched;
  }
}

void Relay::serve_tcp() {
  const LinkGroup& group = links_.main();
  if (group.version() != tcp_links_version_) {
    tcp_links_version_ = group.version();
    tcp_->set_links(group.state(netem::Direction::up), group.state(netem::Direction::down));
  }
  tcp_->step(monotonic_now());
}

Result<void> Relay::watch(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno(ErrorKind::io, "cannot watch a socket", errno);
  return {};
}

void Relay::start() {
  started_ = monotonic_now();
  next_sweep_ = started_ + kSweepEvery;
  links_.start(started_);
}

void Relay::finish() {
  take_in_what_has_arrived();
  if (capture_ != nullptr) capture_->flush();
  if (record_ != nullptr) record_->flush();
  ended_ = monotonic_now();
  complete_health();
}

Duration Relay::running() const { return (ended_ == Timestamp{} ? monotonic_now() : ended_) - started_; }

Result<RelayEnd> Relay::run(const SignalWatch& signals) {
  if (auto watched = watch(signals.fd(), kSignalTag); !watched) return std::unexpected(watched.error());
  start();
  const Timestamp end = options_.duration ? started_ + *options_.duration : kNever;

  std::optional<Result<RelayEnd>> result;
  while (!result) result = turn(signals, end);
  finish();
  if (*result) {
    if (const auto written = output_status(); !written) result = std::unexpected(written.error());
  }
  return std::move(*result);
}

std::optional<Result<RelayEnd>> Relay::turn(const SignalWatch& signals, Timestamp end) {
  if (signals.received() != 0) return RelayEnd::interrupted;
  const Timestamp before = monotonic_now();
  if (before >= end) return RelayEnd::duration_over;
  const Timestamp wake = std::min(next_event(), end);
  const bool wait = !options_.spin && wake > before;
  if (wait) sleep_until(wake);
  if (const auto served = wait_and_serve(wait ? -1 : 0); !served) return std::unexpected(served.error());
  return std::nullopt;
}

Result<void> Relay::step() { return wait_and_serve(0); }

Result<void> Relay::wait_and_serve(int milliseconds) {
  std::array<epoll_event, kMostEvents> events;
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (ready < 0 && errno != EINTR) return fail_errno(ErrorKind::io, "waiting for packets", errno);
  serve({events.data(), static_cast<std::size_t>(std::max(ready, 0))});
  return output_status();
}

void Relay::serve(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    const std::uint64_t tag = event.data.u64;
    if (tag == kListenerTag) {
      receive_from_clients(kBatchesPerTurn);
    } else if (tag == kTimerTag) {
      std::uint64_t expirations = 0;
      [[maybe_unused]] const ssize_t ignored = ::read(timer_.get(), &expirations, sizeof expirations);
    } else if (tag >= kFirstClientTag) {
      Client* client = clients_.find(netem::FlowId{tag - kFirstClientTag});
      if (client == nullptr) continue;
      if ((event.events & EPOLLERR) != 0) receive_refusals(*client);
      receive_from_target(*client, kBatchesPerTurn);
    }
  }
  housekeeping(monotonic_now());
  deliver_due();
  if (tcp_) serve_tcp();
}

// What reached the sockets before the end counts, even if the relay had no time for it: otherwise a relay that was
// stopped until the end would report that it distorted nothing.
void Relay::take_in_what_has_arrived() {
  const Timestamp end = monotonic_now();
  // Our choice: enough for a full receive buffer. A client that sends faster than we read must not keep us here.
  constexpr int kMostBatches = 1000;
  for (int batch = 0; batch < kMostBatches; ++batch) {
    const Emptied emptied = receive_from_clients(1);
    deliver_due();
    if (emptied == Emptied::yes || last_up_offer_ >= end) break;
  }
  clients_.for_each([&](Client& client) {
    receive_refusals(client);
    for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
      if (receive_from_target(client, 1) == Emptied::yes) break;
    }
  });
  deliver_due();
}

Timestamp Relay::next_event() const {
  return std::min({next_sweep_, links_.next_event(), tcp_ ? tcp_->next_event() : kNever});
}

// Unlike epoll's own timeout, a timerfd is neither rounded to milliseconds nor delayed by the timer slack.
void Relay::sleep_until(Timestamp when) {
  const auto ns = std::max<Duration::rep>(when.time_since_epoch().count(), 1);
  itimerspec spec{};
  spec.it_value.tv_sec = ns / 1'000'000'000;
  spec.it_value.tv_nsec = ns % 1'000'000'000;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

// --- in -------------------------------------------------------------------------------------------------------------

// The link's time never goes back, but sockets are read one after the other: a datagram that came before one that has
// been offered already is offered at the same time as that one, together with how long it has waited.
namespace {

struct OfferTime {
  Timestamp at;
  Duration waited;
};

OfferTime offer_time(Timestamp arrival, Timestamp& last_offer) {
  last_offer = std::max(last_offer, arrival);
  return {.at = last_offer, .waited = last_offer - arrival};
}

// When the relay is late, the link's queue still holds packets that should have left long ago. They must not take the
// place of a datagram that came after they were due.
bool holds_what_should_be_gone(const netem::Link& link, std::size_t payload_bytes, Timestamp at) {
  if (link.has_room(payload_bytes)) return false;
  const auto due = link.next_departure();
  return due && *due <= at;
}

}  // namespace

Relay::Emptied Relay::receive_from_clients(int batches) {
  for (int batch = 0; batch < batches; ++batch) {
    const auto received = receiver_.receive(listener_);
    arrival_clock_.synchronise(read_clocks());
    const Timestamp now = monotonic_now();
    for (const InDatagram& datagram : received) {
      Client* client = client_for(datagram, now);
      if (client == nullptr) {
        ++health_.refused;
        continue;
      }
      client->last_seen = now;
      client->reached_at = datagram.to;
      const OfferTime offer = offer_time(arrival_clock_.arrival(datagram.stamp, now), last_up_offer_);
      LinkPair& pair = *client->links;
      if (holds_what_should_be_gone(pair.up, datagram.bytes.size(), offer.at)) deliver(pair, monotonic_now());
      const netem::Verdict verdict = pair.up.offer(datagram.bytes, offer.at, client->flow, datagram.ecn, offer.waited);
      links_.offered(pair);
      record_offer(Side::client, client->address, reached_address(*client), datagram, verdict, client->flow,
                   offer.at - offer.waited);
    }
    if (received.size() < BatchReceiver::kBatch) return Emptied::yes;
  }
  return Emptied::no;
}

Relay::Emptied Relay::receive_from_target(Client& client, int batches) {
  for (int batch = 0; batch < batches; ++batch) {
    const auto received = receiver_.receive(client.upstream);
    arrival_clock_.synchronise(read_clocks());
    const Timestamp now = monotonic_now();
    for (const InDatagram& datagram : received) {
      client.last_seen = now;
      const OfferTime offer = offer_time(arrival_clock_.arrival(datagram.stamp, now), last_down_offer_);
      LinkPair& pair = *client.links;
      if (holds_what_should_be_gone(pair.down, datagram.bytes.size(), offer.at)) deliver(pair, monotonic_now());
      const netem::Verdict verdict = pair.down.offer(datagram.bytes, offer.at, client.flow, datagram.ecn, offer.waited);
      links_.offered(pair);
      record_offer(Side::server, options_.target, client.upstream.local(), datagram, verdict, client.flow,
                   offer.at - offer.waited);
    }
    if (received.size() < BatchReceiver::kBatch) return Emptied::yes;
  }
  return Emptied::no;
}

void Relay::receive_refusals(Client& client) {
  constexpr int kMostPerTurn = kBatchesPerTurn * static_cast<int>(BatchReceiver::kBatch);
  for (int i = 0; i < kMostPerTurn; ++i) {
    const auto refusal = refusals_.next(client.upstream);
    if (!refusal) return;
    ++health_.unreachable;
    if (!noted_unreachable_) {
      const bool told = icmp_.permitted(client.address.family) && refusal->reason == RefusalReason::port;
      output_.note(fmt::format("{} takes no datagrams{}", options_.target.to_string(),
                               refusal->reason != RefusalReason::port ? ": there is no way to it"
                               : told
                                   ? ": nobody listens there; clients are told by ICMP"
                                   : ": nobody listens there; clients are not told, because that needs CAP_NET_RAW"));
    }
    noted_unreachable_ = true;
    if (refusal->reason == RefusalReason::port) {
      icmp_.port_unreachable(client.address, reached_address(client), refusal->payload);
    }
  }
}

Client* Relay::client_for(const InDatagram& datagram, Timestamp now) {
  if (Client* known = clients_.find(datagram.from)) return known;
  std::string problem;
  if (clients_.full()) {
    problem = fmt::format("{} clients are being relayed, which is the most", ClientTable::kMost);
  } else if (auto upstream = connect_to_target(); !upstream) {
    problem = upstream.error().message;
  } else {
    Client& added = clients_.add(datagram.from, std::move(*upstream), now);
    added.links = &links_.join(added.address, added.flow + 1);
    if (auto watched = watch(added.upstream.fd(), kFirstClientTag + added.flow); !watched)
      output_.warning(watched.error().message);
    output_.verbose(fmt::format("client {} is flow {}, towards the target from {}", added.address.to_string(),
                                added.flow, added.upstream.local().to_string()));
    return &added;
  }
  if (!warned_refused_)
    output_.warning(fmt::format("datagrams of the new client {} are dropped: {}", datagram.from.to_string(), problem));
  warned_refused_ = true;
  return nullptr;
}

// --- out ------------------------------------------------------------------------------------------------------------

void Relay::deliver_due() {
  const Timestamp now = monotonic_now();
  links_.deliver_due(now, [&](LinkPair& pair) {
    deliver_up(pair, now);
    deliver_down(pair, now);
  });
  sender_.flush();
}

// Before more is offered to a pair: what is sent is only valid until then.
void Relay::deliver(LinkPair& pair, Timestamp now) {
  deliver_up(pair, now);
  deliver_down(pair, now);
  sender_.flush();
}

void Relay::deliver_up(LinkPair& pair, Timestamp now) {
  while (const auto packet = pair.up.take(now)) {
    Client* client = clients_.find(packet->flow);
    if (client == nullptr) continue;  // the client was forgotten while its packet was on the way
    health_.late.record(now - packet->due_at + packet->waited);
    record_departure(Side::server, client->upstream.local(), options_.target, *packet, now);
    sender_.add(client->upstream, {.bytes = packet->bytes, .family = options_.target.family, .ecn = packet->ecn});
  }
}

void Relay::deliver_down(LinkPair& pair, Timestamp now) {
  while (const auto packet = pair.down.take(now)) {
    Client* client = clients_.find(packet->flow);
    if (client == nullptr) continue;
    health_.late.record(now - packet->due_at + packet->waited);
    record_departure(Side::client, reached_address(*client), client->address, *packet, now);
    sender_.add(listener_, {.bytes = packet->bytes,
                            .to = client->address,
                            .from = client->reached_at,
                            .family = client->address.family,
                            .ecn = packet->ecn});
  }
}

// --- now and then ---------------------------------------------------------------------------------------------------

void Relay::housekeeping(Timestamp now) {
  links_.advance(now, [this](const LinkGroup& group) { rebind(group); });
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepEvery;
  for (const auto& client : clients_.take_idle(now)) close_client(*client);
}

// The first address is the kernel's own choice, which it may make anew when routes change.
Result<RelaySocket> Relay::connect_to_target() const {
  if (source_ == 0) return RelaySocket::connect(options_.target);
  return RelaySocket::connect(options_.target, sources_[source_]);
}

void Relay::rebind(const LinkGroup& group) {
  if (rebindings_ == 0) sources_ = source_addresses(options_.target);
  if (++rebindings_ % kRebindingsPerAddress == 0 && !sources_.empty()) source_ = (source_ + 1) % sources_.size();
  clients_.for_each([&](Client& client) {
    if (client.links->group != &group) return;
    auto fresh = connect_to_target();
    if (!fresh) {
      output_.warning(fmt::format("flow {} keeps its port: {}", client.flow, fresh.error().message));
      return;
    }
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client.upstream.fd(), nullptr);
    health_.socket_drops += client.upstream.kernel_drops();
    client.retired = std::move(client.upstream);
    client.upstream = std::move(*fresh);
    if (auto watched = watch(client.upstream.fd(), kFirstClientTag + client.flow); !watched)
      output_.warning(watched.error().message);
    output_.verbose(fmt::format("flow {} rebound to {}", client.flow, client.upstream.local().to_string()));
  });
}

void Relay::close_client(Client& client) {
  health_.socket_drops += client.upstream.kernel_drops();
  links_.leave(*client.links, client.flow);
  output_.verbose(fmt::format("flow {} forgotten: idle for {} minutes", client.flow,
                              std::chrono::duration_cast<std::chrono::minutes>(ClientTable::kIdle).count()));
}

void Relay::complete_health() {
  health_.socket_drops += listener_.kernel_drops();
  clients_.for_each([this](const Client& client) { health_.socket_drops += client.upstream.kernel_drops(); });
  health_.send_failures = sender_.failures();
  health_.unreachable += sender_.unreachable();
}

SocketAddress Relay::reached_address(const Client& client) const {
  SocketAddress address = client.reached_at.value_or(listener_.local());
  address.port = listener_.local().port;
  return address;
}

}  // namespace mxp::tools
