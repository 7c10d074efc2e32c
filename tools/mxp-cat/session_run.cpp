#include "mxp-cat/session_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "common/key_files.h"
#include "common/observe/observation.h"
#include "common/signals.h"
#include "common/units.h"
#include "mxp-cat/datagram_session.h"
#include "mxp-cat/echo_session.h"
#include "mxp-cat/file_list.h"
#include "mxp-cat/file_receiver.h"
#include "mxp-cat/file_sender.h"
#include "mxp-cat/message_session.h"
#include "mxp-cat/open_files.h"
#include "mxp-cat/pipe_session.h"
#include "mxp-cat/streams_session.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProgressInterval = 200ms;
// An idle timeout is never shorter than three probe timeouts, of which each has 25 ms for a late acknowledgement.
constexpr Duration kMostFrequentKeepalive = 25ms;
// In seconds. A transfer that would take longer has stalled, and nobody knows when it will end.
constexpr double kLongestForecast = 100 * 3600;

// What the sessions of a mode work with: checked before there is a network, kept as long as there are sessions.
struct Workspace {
  FileList files;
  UniqueFd receive_folder;
  std::optional<StandardStreams> streams;
  std::optional<OpenFiles> open_files;
};

Result<std::shared_ptr<Workspace>> prepare(const Options& options, Output& output) {
  auto workspace = std::make_shared<Workspace>();
  if (options.mode == Mode::send) {
    auto files = collect_files(options.send, options.devices, output);
    if (!files) return std::unexpected(files.error());
    workspace->files = *std::move(files);
  }
  if (options.mode == Mode::receive) {
    auto folder = open_receive_folder(options.receive_into);
    if (!folder) return std::unexpected(folder.error());
    workspace->receive_folder = *std::move(folder);
  }
  return workspace;
}

SessionFactory factory_for(Mode mode, std::shared_ptr<Workspace> workspace) {
  return [mode, workspace](const SessionEnvironment& environment, Connection& connection) -> std::unique_ptr<Session> {
    switch (mode) {
      case Mode::pipe: return std::make_unique<PipeSession>(environment, connection, *workspace->streams);
      case Mode::streams: return std::make_unique<StreamsSession>(environment, connection, *workspace->streams);
      case Mode::datagrams: return std::make_unique<DatagramSession>(environment, connection, *workspace->streams);
      case Mode::messages:
        return std::make_unique<MessageSession>(environment, connection,
                                                workspace->streams ? &*workspace->streams : nullptr);
      case Mode::echo: return std::make_unique<EchoSession>(environment, connection);
      case Mode::send:
        return std::make_unique<FileSender>(environment, connection, workspace->files, *workspace->open_files);
      case Mode::receive:
        return std::make_unique<FileReceiver>(environment, connection, workspace->receive_folder.get(),
                                              *workspace->open_files);
    }
    return nullptr;
  };
}

EndpointConfig endpoint_config(const Options& options, PrivateKey key) {
  EndpointConfig config{.identity = std::move(key)};
  if (!options.suites.empty()) config.suites = options.suites;
  config.transport.idle_timeout = options.idle_timeout;
  config.transport.recovery.congestion_control = options.congestion_control;
  // Silence is to mean that the peer is gone, not that nobody typed anything.
  if (options.idle_timeout > Duration::zero())
    config.transport.keepalive = std::max<Duration>(options.idle_timeout / 3, kMostFrequentKeepalive);
  // A listener's --timeout is about clients that do not come, not about those that have begun.
  if (options.command == Command::connect)
    config.transport.handshake_timeout = options.timeout.value_or(kLongestSetting);
  if (options.mode == Mode::datagrams) config.transport.datagrams.max_payload = kMaxUdpPayload;
  // A peer is told that its messages would find nobody.
  if (options.mode != Mode::messages) config.transport.messages.window = 0;
  if (options.mode == Mode::receive) {
    FlowControlConfig& flow = config.transport.flow_control;
    flow.max_streams_bidirectional = kMaxIncomingFiles;
    // What waits for a descriptor stays unread up to its stream's window: those who have one must find room beside it.
    flow.connection_window = (kMaxIncomingFiles + 1) * flow.stream_window;
    flow.max_connection_window = std::max(flow.max_connection_window, flow.connection_window);
  }
  return config;
}

// Shows what is done, five times a second, as long as the loop runs.
class ProgressLine {
 public:
  ProgressLine(EventLoop& loop, const Hub& hub, Output& output)
      : loop_(loop), hub_(hub), output_(output), last_(loop.now()) {
    again();
  }

 private:
  void again() {
    loop_.at(loop_.now() + kProgressInterval, [this] {
      show();
      again();
    });
  }
  void show() {
    const Progress progress = hub_.progress();
    if (!hub_.had_connection() || progress.done < last_done_) return;
    const Timestamp now = loop_.now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    const double rate = static_cast<double>(progress.done - last_done_) / std::max(seconds, 1e-3);
    std::string text = fmt::format("{}  {}", format_bytes(progress.done), format_bit_rate(rate * 8));
    if (progress.total > 0 && progress.done <= progress.total) {  // a file may grow while it is sent
      text += fmt::format(
          "  {}%", static_cast<int>(100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total)));
      const double left = static_cast<double>(progress.total - progress.done) / rate;  // seconds
      if (left >= 1 && left < kLongestForecast)
        text += fmt::format("  {} left", format_duration(std::chrono::seconds(static_cast<std::int64_t>(left))));
    }
    output_.progress(text);
    last_ = now;
    last_done_ = progress.done;
  }

  EventLoop& loop_;
  const Hub& hub_;
  Output& output_;
  Timestamp last_;
  std::uint64_t last_done_ = 0;
};

}  // namespace

Result<void> run_sessions(const Options& options, Output& output, JsonOutput& json, const SessionRun& run) {
  const SignalWatch signals;
  auto identity = load_identity(options.identity, system_random());
  if (!identity) return std::unexpected(identity.error());
  if (identity->created) output.note(fmt::format("made a new identity, {}", identity->path.string()));
  auto workspace = prepare(options, output);
  if (!workspace) return std::unexpected(workspace.error());
  const auto observation = Observation::create(options.observe, "mxp-cat", output);
  if (!observation) return std::unexpected(observation.error());

  EndpointConfig config = endpoint_config(options, std::move(identity->key));
  run.configure(config);
  Reporter reporter(output, json);
  Hub hub(options, output, reporter);
  auto created = EventLoop::create({.bind = run.bind}, std::move(config), hub, &(*observation)->sink());
  if (!created) return fail(ErrorKind::network, fmt::format("cannot open the socket: {}", created.error().message));
  EventLoop& loop = **created;  // the hub's, from attach() on
  (*observation)->attach(loop);
  reporter.start([&loop] { return loop.now(); });
  const bool reads_stdin = options.mode == Mode::pipe || options.mode == Mode::datagrams ||
                           options.mode == Mode::streams || (options.mode == Mode::messages && !options.echo_messages);
  if (reads_stdin) (*workspace)->streams.emplace(loop);
  (*workspace)->open_files.emplace(loop);
  const auto& trace_context = (*observation)->trace_context();
  hub.attach(*std::move(created), factory_for(options.mode, *std::move(workspace)),
             trace_context ? trace_context->message_trace_id() : 0);
  loop.watch(signals.fd(), FdEvent::readable, [&] {
    loop.unwatch(signals.fd());
    hub.interrupt();
  });
  std::optional<ProgressLine> progress;
  if (options.progress && output.terminal()) progress.emplace(loop, hub, output);

  if (auto started = run.start(loop, hub); !started) return started;
  if (auto ran = loop.run(); !ran) return fail(ErrorKind::io, ran.error().message);
  output.end_progress();
  const Result<void> result = hub.result().value_or(Result<void>());
  reporter.total(result);
  return result;
}

}  // namespace mxp::tools
