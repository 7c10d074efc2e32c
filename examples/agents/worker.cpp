// An agent that works for others. One endpoint does both: it is a client of the registry, and a server of its callers.
//
//   agents_worker REGISTRY_URL [LISTEN [REACHED]]     works until Ctrl-C; LISTEN is its ADDRESS:PORT (127.0.0.1:0),
//                                                     REACHED where callers find it, if that is behind a NAT
//
// 1. It connects to the registry, registers under a UUID of its own, and sends heartbeats as often as the registry's
//    answer asks for. If that connection ends, or the registry has forgotten it, it begins anew.
// 2. A call is taken in and answered later, in whatever order the work gets done (Job, JobTable). When the caller has
//    taken it back, its time is over, or the caller is gone, the work is dropped.
// 3. A long answer goes out on a stream as fast as the caller takes it (Report), with events that tell how far it is.
// 4. At the end it says goodbye to the registry, so that nobody is sent here any more.
#include <cctype>
#include <chrono>
#include <csignal>
#include <map>

#include "agents.h"
#include "mxp/text.h"

namespace {

using namespace std::chrono_literals;

mxp::EventLoop* running = nullptr;

// A report of so many lines, made piece by piece while it is sent: no more than one piece is in memory here.
class Report {
 public:
  Report(mxp::StreamId stream, std::uint64_t lines) : stream_(stream), lines_(lines) {}
  mxp::StreamId stream() const { return stream_; }

  // Writes until the stream takes no more, or has ended.
  void pump(mxp::Connection& connection) {
    for (;;) {
      if (piece_.empty() && !make_piece(connection)) return static_cast<void>(connection.finish(stream_));
      const auto taken = connection.write(stream_, agents::as_bytes(piece_));
      if (!taken) return;  // reset: the job ends with the call that tells us
      piece_.erase(0, *taken);
      if (!piece_.empty()) return;  // full: on_stream_writable goes on from here
    }
  }
  agents::ReportAnswer answer() const {
    return {.stream = stream_.value(), .size = digest_.size(), .digest = digest_.value(), .events = events_};
  }

 private:
  static constexpr std::uint64_t kLinesInPiece = 500;

  bool make_piece(mxp::Connection& connection) {
    if (made_ == lines_) return false;
    for (const std::uint64_t end = std::min(made_ + kLinesInPiece, lines_); made_ != end; ++made_)
      piece_ += "line " + std::to_string(made_ + 1) + " of " + std::to_string(lines_) + "\n";
    digest_.add(agents::as_bytes(piece_));
    // News of the progress. If there is no room for it, it is not worth waiting for.
    const auto payload = agents::encode_number(stream_.value());
    if (connection.send_message({.type = mxp::MessageType::event, .id = events_, .payload = payload})) ++events_;
    return true;
  }

  mxp::StreamId stream_;
  std::uint64_t lines_;
  std::uint64_t made_ = 0;
  std::string piece_;  // what was made and not yet written
  agents::Digest digest_;
  std::uint64_t events_ = 0;
};

// A call that is still to be answered.
struct Job {
  mxp::Connection* caller;
  mxp::IncomingCallId call;
  std::optional<Report> report;
  std::optional<std::string> result;  // there once the work is done
};

class JobTable {
 public:
  std::uint64_t add(Job job) {
    jobs_.emplace(++last_, std::move(job));
    return last_;
  }
  void on_done(std::uint64_t number, std::string result) {
    const auto job = jobs_.find(number);
    if (job == jobs_.end()) return;  // it was given up meanwhile
    job->second.result = std::move(result);
    answer(job);
  }
  // Answers that found no room.
  void on_writable(mxp::Connection& caller) {
    for (auto job = jobs_.begin(); job != jobs_.end();) {
      const auto next = std::next(job);
      if (job->second.caller == &caller && job->second.result) answer(job);
      job = next;
    }
  }
  std::optional<std::uint64_t> find(mxp::Connection& caller, mxp::StreamId stream) const {
    for (const auto& [number, job] : jobs_)
      if (job.caller == &caller && job.report && job.report->stream() == stream) return number;
    return std::nullopt;
  }
  Report& report(std::uint64_t number) { return *jobs_.at(number).report; }
  void give_up(mxp::Connection& caller, mxp::IncomingCallId call) {
    given_up_ += std::erase_if(jobs_, [&](auto& entry) {
      auto& [number, job] = entry;
      if (job.caller != &caller || job.call != call) return false;
      if (job.report) static_cast<void>(caller.reset(job.report->stream(), 0));  // the rest is wanted by nobody
      return true;
    });
  }
  void on_caller_gone(const mxp::Connection& caller) {
    given_up_ += std::erase_if(jobs_, [&](const auto& entry) { return entry.second.caller == &caller; });
  }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t given_up() const { return given_up_; }

 private:
  using Jobs = std::map<std::uint64_t, Job>;

  void answer(Jobs::iterator entry) {
    const Job& job = entry->second;
    const auto sent = job.caller->answer(job.call, agents::as_bytes(*job.result));
    if (!sent && sent.error() == mxp::AnswerError::queue_full) return;  // on_writable comes back to it
    ++(sent ? answered_ : given_up_);
    jobs_.erase(entry);
  }

  Jobs jobs_;
  std::uint64_t last_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t given_up_ = 0;
};

// The worker's side of its registration.
class Registration {
 public:
  Registration(agents::Peer registry, mxp::AgentRegisterPayload description)
      : registry_(registry), description_(std::move(description)) {}

  void set_address(const mxp::SocketAddress& reached) {
    std::copy_n(reached.ip.begin(), description_.ipv4.size(), description_.ipv4.begin());
    description_.port = reached.port;
  }
  bool is(const mxp::Connection& connection) const { return &connection == connection_; }

  void connect() {
    const auto connection = running->endpoint().connect(running->now(), registry_.address, registry_.key);
    if (connection) connection_ = *connection;
    else wait(1s, [this] { connect(); });
  }
  void on_connected() { send(mxp::MessageType::agent_register, encode_payload(description_)); }
  void on_message(const mxp::Message& message) {
    if (message.type == mxp::MessageType::error) return on_error(message);
    if (leaving_) return running->stop();  // the registry has forgotten us, as we asked
    const auto lease = mxp::decode_agent_lease(message.payload);
    if (!lease) return;
    if (!registered_) std::puts("registered");
    std::fflush(stdout);
    registered_ = true;
    // Three heartbeats in the time that we have, so that one may be late and one lost.
    wait(std::chrono::seconds(lease->lifetime_seconds) / 3.0, [this] { heartbeat(mxp::AgentState::alive); });
  }
  void on_closed() {
    connection_ = nullptr;
    registered_ = false;
    // Not stop(): this is told in the last run() as well, which goes on until all have heard of their end.
    if (leaving_) return running->stop_when_closed(1s);
    wait(1s, [this] { connect(); });
  }
  // run() returns when the registry has answered, or can not any more.
  void leave() {
    leaving_ = true;
    if (!registered_) return running->stop();
    heartbeat(mxp::AgentState::leaving);
    wait(2s, [] { running->stop(); });
  }

 private:
  void heartbeat(mxp::AgentState state) {
    send(mxp::MessageType::agent_heartbeat,
         encode_payload(mxp::AgentHeartbeatPayload{.agent = description_.agent, .state = state}));
  }
  void on_error(const mxp::Message& message) {
    const auto error = mxp::decode_error(message.payload);
    if (leaving_) return running->stop();
    std::fprintf(stderr, "the registry refuses: %s\n",
                 error ? mxp::escape_text(error->text).c_str() : "no reason given");
    registered_ = false;
    wait(1s, [this] { on_connected(); });  // it has forgotten us, or has room again by then
  }
  // Calls are enabled on this endpoint, and their ids are the connection's own; requests that we make ourselves have
  // ids of 2^63 and more.
  void send(mxp::MessageType type, const std::vector<std::uint8_t>& payload) {
    if (connection_ == nullptr) return;
    static_cast<void>(connection_->send_message({.type = type, .id = ++last_id_, .payload = payload}));
  }
  template <typename Callback>
  void wait(std::chrono::duration<double> time, Callback callback) {
    running->cancel(timer_);
    timer_ = running->at(running->now() + std::chrono::duration_cast<mxp::Duration>(time), callback);
  }

  agents::Peer registry_;
  mxp::AgentRegisterPayload description_;
  mxp::Connection* connection_ = nullptr;
  bool registered_ = false;
  bool leaving_ = false;
  std::uint64_t last_id_ = std::uint64_t{1} << 63;
  std::uint64_t timer_ = 0;
};

class Worker final : public mxp::Handler {
 public:
  explicit Worker(Registration& registration) : registration_(registration) {}

  void on_connected(mxp::Connection& connection) override {
    if (registration_.is(connection)) registration_.on_connected();
  }
  bool on_message(mxp::Connection& connection, const mxp::Message& message) override {
    if (registration_.is(connection)) registration_.on_message(message);
    return true;
  }
  void on_call(mxp::Connection& connection, const mxp::IncomingCall& call) override {
    if (call.target == agents::kCapitals) return capitals(connection, call);
    const auto number = agents::decode_number(call.data);
    if (call.target == agents::kNap && number && *number <= kLongestNap) return nap(connection, call, *number);
    if (call.target == agents::kReport && number) return report(connection, call, *number);
    const bool known = call.target == agents::kNap || call.target == agents::kReport;
    refuse(connection, call, known ? mxp::ErrorReason::bad_payload : mxp::ErrorReason::unknown_agent,
           known ? "the call needs a number, and naps are an hour at most" : "not done here");
  }
  void on_call_cancelled(mxp::Connection& connection, mxp::IncomingCallId call, mxp::CallEnd) override {
    jobs_.give_up(connection, call);
  }
  void on_messages_writable(mxp::Connection& connection, mxp::MessageClass) override { jobs_.on_writable(connection); }

  void on_stream_writable(mxp::Connection& connection, mxp::StreamId stream) override {
    if (const auto job = jobs_.find(connection, stream)) jobs_.report(*job).pump(connection);
  }
  // The caller has the whole report, so the answer finds it complete.
  void on_stream_finished(mxp::Connection& connection, mxp::StreamId stream) override {
    if (const auto job = jobs_.find(connection, stream))
      jobs_.on_done(*job, agents::as_text(jobs_.report(*job).answer().encode()));
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo&) override {
    if (registration_.is(connection)) registration_.on_closed();
    else jobs_.on_caller_gone(connection);
  }

  const JobTable& jobs() const { return jobs_; }

 private:
  static constexpr std::uint64_t kLongestNap = 3'600'000;

  // In a real worker the next two would be given to a thread or another process; a timer stands for it.
  void capitals(mxp::Connection& connection, const mxp::IncomingCall& call) {
    std::string text = agents::as_text(call.data);  // the view ends with this function
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    finish_later(connection, call, 5ms, std::move(text));
  }
  void nap(mxp::Connection& connection, const mxp::IncomingCall& call, std::uint64_t milliseconds) {
    finish_later(connection, call, std::chrono::milliseconds(milliseconds), "awake");
  }
  void finish_later(mxp::Connection& connection, const mxp::IncomingCall& call, mxp::Duration time,
                    std::string result) {
    const std::uint64_t job = jobs_.add({.caller = &connection, .call = call.id});
    running->at(running->now() + time, [this, job, result = std::move(result)] { jobs_.on_done(job, result); });
  }
  void report(mxp::Connection& connection, const mxp::IncomingCall& call, std::uint64_t lines) {
    const auto stream = connection.open_stream(mxp::StreamType::unidirectional);
    if (!stream) return refuse(connection, call, mxp::ErrorReason::too_many, "too many reports at a time");
    jobs_.report(jobs_.add({.caller = &connection, .call = call.id, .report = Report(*stream, lines)}))
        .pump(connection);
  }
  static void refuse(mxp::Connection& connection, const mxp::IncomingCall& call, mxp::ErrorReason reason,
                     std::string_view text) {
    // Without room for a refusal the caller learns from its time limit that nothing comes.
    static_cast<void>(connection.answer_error(call.id, reason, text));
  }

  Registration& registration_;
  JobTable jobs_;
};

void on_interrupt(int) { running->stop(); }  // may be called from a signal handler

int work(const agents::Peer& registry, const mxp::SocketAddress& listen,
         const std::optional<mxp::SocketAddress>& reached) {
  mxp::AgentRegisterPayload description{.name = "example worker", .capabilities = {std::string(agents::kCapability)}};
  mxp::system_random().fill(description.agent);
  Registration registration(registry, std::move(description));
  Worker worker(registration);

  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random()), .accept = true};
  config.transport.calls.enabled = true;
  config.transport.idle_timeout = 3s;  // a peer that has died is noticed after so long ...
  config.transport.keepalive = 1s;     // ... and one that has nothing to say is not taken for dead
  auto loop = mxp::EventLoop::create({.bind = listen}, config, worker);
  if (!loop) return agents::fail(loop.error().message);
  running = loop->get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  registration.set_address(reached.value_or(running->local_address()));
  registration.connect();
  auto ended = running->run();
  if (ended) {
    registration.leave();
    ended = running->run();
  }
  running->endpoint().close_all(0, "the worker goes home");
  running->stop_when_closed(1s);
  const auto left = running->run();  // until all have heard of it
  std::printf("%llu calls answered, %llu given up\n", static_cast<unsigned long long>(worker.jobs().answered()),
              static_cast<unsigned long long>(worker.jobs().given_up()));
  return ended && left ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto registry = agents::parse_peer(argc > 1 ? argv[1] : "");
  const auto listen = mxp::SocketAddress::parse(argc > 2 ? argv[2] : "127.0.0.1:0");
  const auto reached = argc > 3 ? mxp::SocketAddress::parse(argv[3]) : std::nullopt;
  if (!registry || !listen || (argc > 3 && !reached)) {
    std::fputs("usage: agents_worker REGISTRY_URL [LISTEN [REACHED]]\n", stderr);
    return 2;
  }
  return work(*registry, *listen, reached);
}
