// Has work done by an agent that it finds through the registry.
//
//   agents_caller REGISTRY_URL JOB...
//
//   capitals=TEXT     the text in capitals, within 10 s
//   nap=MS            a worker that naps for so many milliseconds, within 2 s: a longer nap times out
//   wake=MS           the same, but we take the call back after half of that time
//   report=LINES      a report of so many lines, which comes on a stream, within 60 s
//
// 1. It asks the registry for agents with a capability. Their descriptions have an address, and the key that each of
//    them has proven to the registry: whoever answers there owns that key, or the handshake fails.
// 2. It connects to the first of them and makes all calls at once. Each has a time limit and ends exactly once: with an
//    answer, with an error, or because we took it back (Jobs).
// 3. Reports come on streams, and events tell how far they are (Reports).
//
// Exits with 0 if every job was done or taken back, and with 1 otherwise.
#include <charconv>
#include <chrono>
#include <map>
#include <span>
#include <vector>

#include "agents.h"
#include "mxp/text.h"

namespace {

using namespace std::chrono_literals;

mxp::EventLoop* running = nullptr;

struct Job {
  std::string_view text;  // as it was given, which is how it is named in the output
  mxp::Uuid target{};
  std::string data;
  mxp::Duration timeout{};
  std::optional<mxp::Duration> taken_back_after;
};

std::optional<Job> parse_job(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, equals), value = text.substr(equals + 1);
  if (kind == "capitals") return Job{text, agents::kCapitals, std::string(value), 10s, {}};

  std::uint64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) return std::nullopt;
  std::string data = agents::as_text(agents::encode_number(number));
  if (kind == "nap") return Job{text, agents::kNap, std::move(data), 2s, {}};
  if (kind == "wake" && number <= 3'600'000)
    return Job{text, agents::kNap, std::move(data), 2h, std::chrono::milliseconds(number) / 2};
  if (kind == "report") return Job{text, agents::kReport, std::move(data), 60s, {}};
  return std::nullopt;
}

// What has come of the reports. An answer names its report's stream; the events may still be on their way then.
class Reports {
 public:
  void on_data(mxp::StreamId stream, mxp::ByteView data, bool fin) {
    Report& report = reports_[stream.value()];
    report.digest.add(data);
    report.complete = report.complete || fin;
  }
  void on_event(mxp::ByteView payload) {
    if (const auto stream = agents::decode_number(payload)) ++reports_[*stream].events;
  }
  void on_answer(std::uint64_t job, const agents::ReportAnswer& answer) {
    reports_[answer.stream].job = job;
    reports_[answer.stream].answer = answer;
  }
  void forget(mxp::StreamId stream) { reports_.erase(stream.value()); }

  // A job whose report, answer and events are all there, and what is to be said of it.
  struct Finished {
    std::uint64_t job;
    agents::ReportAnswer answer;
    bool intact;
  };
  std::optional<Finished> take_finished() {
    for (auto entry = reports_.begin(); entry != reports_.end(); ++entry) {
      const Report& report = entry->second;
      if (!report.answer || report.events < report.answer->events) continue;
      const bool intact = report.complete && report.digest.size() == report.answer->size &&
                          report.digest.value() == report.answer->digest && report.events == report.answer->events;
      const Finished finished{report.job, *report.answer, intact};
      reports_.erase(entry);
      return finished;
    }
    return std::nullopt;
  }

 private:
  struct Report {
    agents::Digest digest;
    bool complete = false;
    std::uint64_t events = 0;
    std::uint64_t job = 0;
    std::optional<agents::ReportAnswer> answer;
  };
  std::map<std::uint64_t, Report> reports_;  // by their streams
};

class Caller final : public mxp::Handler {
 public:
  Caller(const agents::Peer& registry, std::span<const Job> jobs) : peer_(registry), jobs_(jobs) {}
  bool all_done() const { return done_ == jobs_.size(); }

  // First the registry is our peer, then the agent that it names.
  void connect() {
    const auto connection = running->endpoint().connect(running->now(), peer_.address, peer_.key);
    if (connection) connection_ = *connection;
    else give_up("the key is not a valid one");
  }

  void on_connected(mxp::Connection& connection) override {
    if (at_work_) return make_calls(connection);
    // Calls are enabled on this endpoint, and their ids are the connection's own; requests that we make ourselves have
    // ids of 2^63 and more.
    const auto payload = encode_payload(
        mxp::AgentDiscoverPayload{.by = mxp::AgentDiscoverPayload::By::capability, .text = agents::kCapability});
    const mxp::Message request{
        .type = mxp::MessageType::agent_discover, .id = std::uint64_t{1} << 63, .payload = payload};
    if (!connection.send_message(request)) give_up("the registry takes no messages");
  }
  bool on_message(mxp::Connection& connection, const mxp::Message& message) override {
    if (!at_work_) return on_agents(connection, message), true;
    if (message.type == mxp::MessageType::event) reports_.on_event(message.payload);
    tell_of_reports(connection);
    return true;
  }
  std::size_t on_stream_data(mxp::Connection&, mxp::StreamId stream, mxp::ByteView data, bool fin) override {
    reports_.on_data(stream, data, fin);
    return data.size();
  }
  void on_stream_reset(mxp::Connection&, mxp::StreamId stream, mxp::AppErrorCode) override { reports_.forget(stream); }
  void on_messages_writable(mxp::Connection& connection, mxp::MessageClass) override {
    if (at_work_) make_calls(connection);
  }

  void on_answer(mxp::Connection& connection, const mxp::CallAnswer& answer) override {
    const Job& job = jobs_[answer.cookie];
    if (answer.outcome == mxp::CallOutcome::failed) end(job, Ended::badly, mxp::escape_text(answer.text));
    else if (answer.outcome != mxp::CallOutcome::answered) end(job, Ended::badly, to_string(answer.outcome));
    else if (job.target != agents::kReport) end(job, Ended::well, mxp::escape_text(agents::as_text(answer.data)));
    else if (const auto report = agents::ReportAnswer::decode(answer.data)) reports_.on_answer(answer.cookie, *report);
    else end(job, Ended::badly, "an answer that makes no sense");
    if (connection.state() != mxp::ConnectionState::established) return;  // the connection's end ends its calls
    tell_of_reports(connection);
    make_calls(connection);
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo& info) override {
    if (&connection != connection_) return;  // the registry, which we have left
    if (info.by != mxp::CloseInfo::By::local) give_up(at_work_ ? "the worker is gone" : "no answer from the registry");
    running->stop();
  }

 private:
  enum class Ended : std::uint8_t { well, badly };

  void on_agents(mxp::Connection& registry, const mxp::Message& message) {
    const auto list = mxp::decode_agent_list(message.payload);
    registry.close(0, "thank you");
    if (message.type != mxp::MessageType::response || !list) return give_up("the registry's answer makes no sense");
    if (list->agents.empty()) return give_up("no agent offers this work");
    const mxp::AgentListPayload::Agent& agent = list->agents.front();
    const auto& [a, b, c, d] = agent.description.ipv4;
    peer_ = {mxp::SocketAddress::ipv4(a, b, c, d, agent.description.port), agent.owner};
    at_work_ = true;
    connect();
  }
  void make_calls(mxp::Connection& worker) {
    for (; next_ != jobs_.size(); ++next_) {
      const Job& job = jobs_[next_];
      const auto call = worker.call(job.target, agents::as_bytes(job.data), {.timeout = job.timeout, .cookie = next_});
      // Without room we go on when there is some: after the next answer, or in on_messages_writable.
      if (!call && (call.error() == mxp::CallError::queue_full || call.error() == mxp::CallError::too_many)) return;
      if (!call) end(job, Ended::badly, to_string(call.error()));
      else if (job.taken_back_after)
        running->at(running->now() + *job.taken_back_after, [this, &job, id = *call] { take_back(job, id); });
    }
    close_if_ended(worker);
  }
  void take_back(const Job& job, mxp::CallId call) {
    if (connection_ == nullptr || !connection_->cancel_call(call)) return;  // it has ended, and was told
    end(job, Ended::well, "taken back");
    close_if_ended(*connection_);
  }
  void tell_of_reports(mxp::Connection& connection) {
    while (const auto finished = reports_.take_finished()) {
      const auto& [job, answer, intact] = *finished;
      std::array<char, 96> text;
      std::snprintf(text.data(), text.size(), "%llu bytes, digest %016llx, %llu events%s",
                    static_cast<unsigned long long>(answer.size), static_cast<unsigned long long>(answer.digest),
                    static_cast<unsigned long long>(answer.events), intact ? "" : ", damaged");
      end(jobs_[job], intact ? Ended::well : Ended::badly, text.data());
    }
    close_if_ended(connection);
  }
  void end(const Job& job, Ended how, std::string_view what) {
    std::printf("%s: %.*s\n", mxp::escape_text(job.text).c_str(), static_cast<int>(what.size()), what.data());
    std::fflush(stdout);
    ++ended_;
    if (how == Ended::well) ++done_;
  }
  void close_if_ended(mxp::Connection& connection) {
    if (ended_ == jobs_.size()) connection.close(0, "done");
  }
  void give_up(std::string_view why) {
    agents::fail(why);
    connection_ = nullptr;
    running->stop();
  }

  agents::Peer peer_;
  std::span<const Job> jobs_;
  mxp::Connection* connection_ = nullptr;  // to peer_
  bool at_work_ = false;                   // peer_ is the agent
  Reports reports_;
  std::size_t next_ = 0;   // the first job that was not called for yet
  std::size_t ended_ = 0;  // jobs
  std::size_t done_ = 0;   // of these, as they should be
};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  std::vector<Job> jobs;
  const auto registry = agents::parse_peer(argc > 1 ? argv[1] : "");
  for (const char* argument : arguments.subspan(std::min<std::size_t>(2, arguments.size())))
    if (auto job = parse_job(argument)) jobs.push_back(std::move(*job));
  if (!registry || jobs.empty() || jobs.size() + 2 != arguments.size()) {
    std::fputs("usage: agents_caller REGISTRY_URL (capitals=TEXT | nap=MS | wake=MS | report=LINES)...\n", stderr);
    return 2;
  }

  Caller caller(*registry, jobs);
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random())};
  config.transport.calls.enabled = true;
  config.transport.handshake_timeout = 5s;
  config.transport.idle_timeout = 3s;  // a worker that has died is noticed after so long ...
  config.transport.keepalive = 1s;     // ... and one that naps is not taken for dead
  auto loop = mxp::EventLoop::create({.bind = mxp::SocketAddress::ipv4(0, 0, 0, 0, 0)}, config, caller);
  if (!loop) return agents::fail(loop.error().message);
  running = loop->get();
  caller.connect();
  return running->run() && caller.all_done() ? 0 : 1;
}
