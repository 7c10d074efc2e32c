#include "mxp-dump/why/why_run.h"

#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "common/json_output.h"
#include "crypto/mac1.h"
#include "mxp-dump/capture/capture_input.h"
#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/link/udp_finder.h"
#include "mxp-dump/output/packet_writer.h"
#include "mxp-dump/why/why_options.h"
#include "mxp-dump/why/why_output.h"

namespace mxp::dump {
namespace {

using tools::ExitCode;
using tools::Result;

class WhyRun {
 public:
  WhyRun(const WhyOptions& options, tools::Output& output)
      : options_(options),
        output_(output),
        input_({.path = options.path, .capture_filter = options.capture_filter}, keys_, signals_, output),
        dissector_(keys_, options.port, [](const Connection&) {}),
        capture_([this](const Story& story, const Surroundings& around) { tell(story, around); }) {
    if (options.server_key) mac1_.emplace(*options.server_key);
  }

  Result<ExitCode> run() {
    if (auto done = load_key_log(keys_, options_.key_log, output_); !done) return std::unexpected(done.error());
    input_.work_ahead(&ahead_);
    dissector_.open_ahead(&ahead_);
    if (auto done = input_.open(); !done) return std::unexpected(done.error());
    const auto use = options_.print_json ? tools::StdoutUse::carries_data : tools::StdoutUse::free;
    auto json = tools::JsonOutput::open(options_.json, use, options_.arguments);
    if (!json) return std::unexpected(json.error());
    json_ = std::move(*json);
    if (auto done = input_.survey(dissector_, CaptureStory::kLeastJumpNs); !done) return std::unexpected(done.error());
    const Dissector::Sink sink = [this](const PacketRecord& record) {
      ++packets_;
      capture_.add(record);
    };
    UdpFinder finder;
    const auto look = [&](const CapturedPacket& packet, const FoundUdp& found) {
      if (!found) return;
      check_mac(*found);
      dissector_.dissect(packet, *found, sink);
    };
    const auto read = input_.each_frame("reading packets", [&](const CapturedPacket& packet) {
      finder.find(packet, look);
      return true;
    });
    if (!read) return std::unexpected(read.error());
    finder.finish(look);
    capture_.finish();
    return finish();
  }

 private:
  // Only who knows the server's key can make the mac1 of a message 1 (docs/protocol.md §2.1).
  void check_mac(const UdpDatagram& datagram) {
    const ByteView payload = datagram.payload;
    if (!mac1_ || datagram.truncated() || !is_handshake(payload) || payload[0] != packet_bits::kInitial ||
        payload.size() < kHandshakeHeaderSize)
      return;
    constexpr std::size_t kClientId = 6;  // its offset
    capture_.mac_checked(id_at(payload, kClientId), mac1_->verify(payload));
  }

  void tell(const Story& story, const Surroundings& around) {
    const Findings findings = judge(story, around);
    ++connections_;
    with_findings_ += findings.empty() ? 0 : 1;
    const bool json_on_stdout = options_.json == "-";
    if (options_.print_json || !options_.json.empty()) {
      const nlohmann::json json = why_json(story, findings);
      if (options_.print_json) stdout_.append(tools::json_line(json));
      if (!options_.json.empty()) {
        if (auto written = json_.write_line(json); !written && written.error().system_error != EPIPE && !json_error_)
          json_error_ = written.error();
      }
    }
    if (!options_.print_json && !json_on_stdout) stdout_.append(why_text(story, findings));
  }

  Result<ExitCode> finish() {
    stdout_.flush();
    if (stdout_.failure()) return std::unexpected(*stdout_.failure());
    if (json_error_) return std::unexpected(*json_error_);
    if (packets_ == 0)
      output_.note(fmt::format("no MXP found in {}; a connection joined in its middle needs --keylog or --port",
                               tools::counted(input_.frames(), "frame")));
    else
      output_.verbose(fmt::format("findings for {} of {}", with_findings_, tools::counted(connections_, "connection")));
    warn_of_embedded(keys_, output_);
    if (capture_.not_followed() > 0)
      output_.warning(fmt::format("{} judged before their end, as more than {} were under way at a time",
                                  tools::counted(capture_.not_followed(), "connection was", "connections were"),
                                  CaptureStory::kMaxStories));
    if (input_.damage()) {
      tools::print_error("mxp-dump", *input_.damage());
      return input_.damage()->exit_code();
    }
    if (signals_.received() != 0) return ExitCode::interrupted;
    return packets_ == 0 && options_.exit_nomatch ? ExitCode::nomatch : ExitCode::ok;
  }

  const WhyOptions& options_;
  tools::Output& output_;
  tools::SignalWatch signals_;
  KeyRing keys_;
  AheadOpener ahead_;
  CaptureInput input_;
  Dissector dissector_;
  CaptureStory capture_;
  std::optional<Mac1Key> mac1_;
  tools::JsonOutput json_;
  std::optional<tools::ToolError> json_error_;
  StdoutBuffer stdout_;
  std::uint64_t packets_ = 0, connections_ = 0, with_findings_ = 0;
};

}  // namespace

int run_why(const std::vector<std::string>& arguments) {
  const auto options = parse_why_options(arguments);
  if (!options) return tools::report_stop("mxp-dump", options.error(), arguments, tools::StdoutUse::free);
  tools::Output output("mxp-dump", static_cast<tools::Verbosity>(options->verbosity));
  const auto done = WhyRun(*options, output).run();
  if (done) return static_cast<int>(*done);
  tools::print_error("mxp-dump", done.error());
  if (auto json = tools::JsonOutput::open(options->json, tools::StdoutUse::free, options->arguments); json)
    static_cast<void>(json->write_line(to_json(done.error())));
  return static_cast<int>(done.error().exit_code());
}

}  // namespace mxp::dump
