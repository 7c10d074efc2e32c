#include "common/observe/observation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "common/escape.h"
#include "common/key_log_file.h"
#include "common/output_file.h"
#ifdef MXP_DEBUG_TOOLS
#include "trace/debug/pcap_exporter.h"
#endif

namespace mxp::tools {
namespace {

// What the user can only mend by naming another folder is a usage error.
ErrorKind kind_of(int code) { return code == ENOENT || code == ENOTDIR ? ErrorKind::usage : ErrorKind::io; }

std::function<void(const IoError&)> complaint_to(Output& output) {
  return [&output](const IoError& error) { output.warning("cannot " + escape(error.message)); };
}

// Null if neither the option nor the environment names a folder.
Result<std::unique_ptr<QlogFolder>> open_qlog(const ObserveOptions& options, const std::string& tool, Output& output) {
  std::string folder = options.qlog;
  std::string named_by = "--qlog";
  if (const char* from_environment = std::getenv("QLOGDIR"); folder.empty() && from_environment != nullptr) {
    folder = from_environment;
    named_by = "QLOGDIR";
  }
  if (folder.empty()) return nullptr;
  auto opened = QlogFolder::open({
      .folder = folder,
      .flavour = options.qlog_flavour == "qvis" ? QlogFlavour::qvis : QlogFlavour::ietf,
      .clock = system_trace_clock(),
      .program = tool,
      .on_error = complaint_to(output),
  });
  if (opened) return *std::move(opened);
  const int code = opened.error().code;
  return fail(kind_of(code), fmt::format("cannot write qlog to the folder {} ({}): {}; it must exist and be writable",
                                         escape(folder), named_by, std::generic_category().message(code)));
}

// Opened for appending: what earlier runs wrote stays. It tells who talked to whom, so a new one is its owner's alone.
// `used` are the files of this kind that were opened before, and this one from now on.
Result<UniqueFd> open_log(const std::string& path, std::string_view option, std::vector<UsedFile>& used) {
  auto file = open_output_file(path, {.if_exists = IfExists::append, .used = used, .owner_only = true});
  if (!file) return fail(file.error().kind, fmt::format("{}: {}", option, file.error().message));
  used.push_back({std::string(option), path});
  return file;
}

}  // namespace

std::optional<TraceContext> trace_context_from_environment(Output& output) {
  const char* text = std::getenv("TRACEPARENT");
  if (text == nullptr || *text == '\0') return std::nullopt;
  auto context = TraceContext::parse(text);
  if (!context)
    output.warning(
        fmt::format("TRACEPARENT is ignored: {} is not 00-TRACE-PARENT-FLAGS in lower-case hexadecimal", escape(text)));
  return context;
}

Result<std::unique_ptr<Observation>> Observation::create(const ObserveOptions& options, const std::string& tool,
                                                         Output& output) {
  std::unique_ptr<Observation> made(new Observation(output));
  if (auto opened = made->open(options, tool); !opened) return std::unexpected(opened.error());
  return made;
}

Observation::~Observation() {
  if (!recent_dumps_) return;
  recent_dumps_->finish();
  while (const auto complaint = recent_dumps_->complaint()) output_.warning(*complaint);
}

Result<void> Observation::open(const ObserveOptions& options, const std::string& tool) {
  trace_context_ = trace_context_from_environment(output_);
  auto key_log = key_log_from_environment(output_);
  if (!key_log) return std::unexpected(key_log.error());
  key_log_ = *std::move(key_log);
  auto qlog = open_qlog(options, tool, output_);
  if (!qlog) return std::unexpected(qlog.error());
  qlog_ = *std::move(qlog);
  std::vector<UsedFile> used;
  if (!options.otlp.empty()) {
    auto file = open_log(options.otlp, "--otlp", used);
    if (!file) return std::unexpected(file.error());
    otlp_ = OtlpFile::to_descriptor(
        file->release(), system_random(),
        {.clock = system_trace_clock(), .service = tool, .parent = trace_context_, .on_error = complaint_to(output_)});
  }
  if (!options.audit.empty()) {
    auto file = open_log(options.audit, "--audit", used);
    if (!file) return std::unexpected(file.error());
    audit_ =
        AuditLog::to_descriptor(file->release(), {.clock = system_trace_clock(), .on_error = complaint_to(output_)});
  }
  if (!options.recent.empty()) {
    auto file = open_log(options.recent, "--recent", used);
    if (!file) return std::unexpected(file.error());
    recent_dumps_ = std::make_unique<RecentDumps>(*std::move(file));
  }
#ifdef MXP_DEBUG_TOOLS
  if (!options.pcap.empty()) {
    auto file = open_output_file(options.pcap, {.if_exists = IfExists::replace});
    if (!file) return std::unexpected(file.error());
    output_.warning(fmt::format("--debug-pcap: session secrets are written to {}; who has it can read this traffic",
                                escape(options.pcap)));
    pcap_ = std::make_unique<PcapExporter>(file->release(), system_trace_clock());
  }
#endif
  if (!options.metrics.empty()) {
    auto server = MetricsServer::start(options.metrics, tool, metrics_.emplace());
    if (!server) return std::unexpected(server.error());
    metrics_server_ = *std::move(server);
    output_.note("metrics at " + metrics_server_->url());
  }
  recent_.on_failure = [this](ConnectionId id, const TraceClosed& closed) {
    if (!recent_dumps_ && output_.verbosity() < Verbosity::verbose) return;
    const auto left_out = failures_.admit(std::chrono::steady_clock::now());
    if (!left_out) return;
    const auto code = static_cast<TransportErrorCode>(closed.code);
    dump(fmt::format("a connection failed, {}{}", to_string(code),
                     *left_out > 0 ? fmt::format("; {} before it were not shown", *left_out) : ""),
         recent_.text(id));
  };
  sinks_.add(recent_);
  if (key_log_) sinks_.add(*key_log_);
  if (qlog_) sinks_.add(*qlog_);
  if (otlp_) sinks_.add(*otlp_);
  if (audit_) sinks_.add(*audit_);
  if (metrics_) sinks_.add(*metrics_);
  if (pcap_) sinks_.add(*pcap_);
  return {};
}

void Observation::attach(EventLoop& loop) {
  if (dump_signal_.fd() < 0) return;
  loop.watch(dump_signal_.fd(), FdEvent::readable, [this] {
    dump_signal_.take();
    constexpr std::size_t kMost = 256;
    dump("SIGUSR1", recent_.text(std::nullopt, kMost));
  });
}

void Observation::dump(const std::string& why, const std::string& events) {
  const std::string text = fmt::format("-- latest events ({}):\n{}", why, events);
  if (!recent_dumps_) return output_.line(text.substr(0, text.size() - 1));  // without the last newline
  recent_dumps_->write(text);
  while (const auto complaint = recent_dumps_->complaint()) output_.warning(*complaint);
}

}  // namespace mxp::tools
