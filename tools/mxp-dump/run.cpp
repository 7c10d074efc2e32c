#include "mxp-dump/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "common/counted.h"
#include "common/json_output.h"
#include "common/signals.h"
#include "mxp-dump/capture/capture_input.h"
#include "mxp-dump/capture/privileges.h"
#include "mxp-dump/dissect/dissector.h"
#include "mxp-dump/dissect/key_log_choice.h"
#include "mxp-dump/dissect/lost_packets.h"
#include "mxp-dump/link/udp_finder.h"
#include "mxp-dump/output/packet_writer.h"
#include "mxp-dump/output/stats.h"
#include "mxp-dump/output/summary.h"
#include "mxp-dump/output/upper_pdu.h"
#include "mxp-dump/whole_outputs.h"

namespace mxp::dump {
namespace {

using tools::counted;
using tools::ErrorKind;
using tools::ExitCode;
using tools::Result;

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

class CaptureRun {
 public:
  CaptureRun(const Options& options, tools::Output& output)
      : options_(options),
        output_(output),
        dissector_(keys_, options.port, [this](const Connection& gone) { take_connection(gone); }),
        statistics_(options.statistics_kind),
        input_({.path = options.read_path,
                .interface = options.interface,
                .capture_filter = options.capture_filter,
                // The lines of packets on a terminal show that it goes on.
                .progress = !options.packets || ::isatty(STDOUT_FILENO) == 0},
               keys_, signals_, output) {}

  // The steps in order: keys, input, outputs (an input that is no capture must not cost the user an old output file), a
  // survey of a file, packets, summary.
  Result<ExitCode> run() {
    if (auto done = load_key_log(keys_, options_.key_log, output_); !done) return std::unexpected(done.error());
    if (auto done = open_input(); !done) return std::unexpected(done.error());
    if (auto done = open_outputs(); !done) return std::unexpected(done.error());
    if (auto done = give_up_rights(); !done) return std::unexpected(done.error());
    if (with_rows() && statistics_.needs_lost_numbers()) dissector_.remember_lost();
    if (auto done = find_lost(); !done) return std::unexpected(done.error());
    if (auto done = survey(dissector_); !done) return std::unexpected(done.error());
    if (auto done = read_packets(); !done) return std::unexpected(done.error());
    if (auto done = take_waiting_fragments(); !done) return std::unexpected(done.error());
    return finish();
  }

 private:
  Result<void> survey(Dissector& dissector) {
    return whole_.looks_at_the_clock() ? input_.survey(dissector, CaptureStory::kLeastJumpNs)
                                       : input_.survey(dissector);
  }

  Result<void> open_input() {
    input_.work_ahead(&ahead_);
    dissector_.open_ahead(&ahead_);
    if (!options_.interface.empty()) {
      if (auto known = check_user(options_.user); !known) return known;
    }
    return input_.open();
  }

  // From here on what strangers sent is parsed.
  Result<void> give_up_rights() {
    if (input_.live() == nullptr) return {};
    const auto who = drop_privileges(options_.user);
    if (!who) return std::unexpected(who.error());
    if (!who->empty()) output_.verbose(fmt::format("reads packets as {}", *who));
    output_.note(fmt::format("capturing from {}", options_.interface));
    return {};
  }

  // Goes through a file from beginning to end before its packets are shown, to find out which of them were lost.
  Result<void> find_lost() {
    if (!options_.needs_fates || !input_.is_open()) return {};
    if (!input_.is_file())
      return tools::fail(ErrorKind::usage, fmt::format("whether a packet was lost only later packets tell, and "
                                                       "{} can be read only once; save it to a file first",
                                                       options_.read_path));
    const auto take = [this](const Connection& connection) {
      lost_.add(connection);
      whole_.survey(connection);
    };
    Dissector first(keys_, options_.port, take);
    first.remember_lost();
    first.open_ahead(&ahead_);
    if (auto done = survey(first); !done || !input_.is_open()) return done;
    UdpFinder finder;
    const auto look = [&](const CapturedPacket& packet, const FoundUdp& found) {
      if (found) first.dissect(packet, *found, [](const PacketRecord&) {});
    };
    const auto read = input_.each_frame("looking for losses", [&](const CapturedPacket& packet) {
      finder.find(packet, look);
      return true;
    });
    if (!read) return read;
    finder.finish(look);
    for (const Connection& connection : first.table().connections()) take(connection);
    if (lost_.incomplete())
      output_.warning("too many packets were lost to remember all of them: of some, it is not known whether they were");
    dissector_.tell_lost(&lost_);
    input_.forget_damage();
    return signals_.received() != 0 ? Result<void>() : input_.rewind();
  }

  Result<void> open_outputs() {
    auto json = tools::JsonOutput::open(
        options_.json, options_.packets ? tools::StdoutUse::carries_data : tools::StdoutUse::free, options_.arguments);
    if (!json) return std::unexpected(json.error());
    json_ = std::move(*json);
    const tools::IfExists if_exists = options_.force ? tools::IfExists::replace : tools::IfExists::refuse;
    std::vector<tools::UsedFile> used{
        {.called = "-r", .path = options_.read_path},
        {.called = "the key log", .path = options_.key_log.path},
        {.called = "--json", .path = options_.json},
    };
    if (!options_.write_path.empty()) {
      auto pcap = RotatingWriter::open(options_.write_path, if_exists, used, options_.rotation);
      if (!pcap) return std::unexpected(pcap.error());
      pcap_ = std::make_unique<RotatingWriter>(std::move(*pcap));
      used.push_back({.called = "-w", .path = options_.write_path});
    }
    if (!options_.upper_pdu_path.empty()) {
      // What was secret is readable there, as with a key log.
      auto upper =
          UpperPduWriter::open(options_.upper_pdu_path, {.if_exists = if_exists, .used = used, .owner_only = true});
      if (!upper) return std::unexpected(upper.error());
      upper_pdu_ = std::move(*upper);
      used.push_back({.called = "--to-upper-pdu", .path = options_.upper_pdu_path});
    }
    writer_ = make_packet_writer(options_, colour_wanted());
    return whole_.open(options_, std::move(used));
  }

  // A damaged input is kept for the end, after the summary of what is whole.
  Result<void> read_packets() {
    return input_.each_frame("reading packets", [this](const CapturedPacket& packet) -> Result<bool> {
      if (auto done = read_frame(packet); !done) return std::unexpected(done.error());
      return !enough() && !stdout_.closed() && !stdout_.failure();
    });
  }

  Result<void> read_frame(const CapturedPacket& packet) {
    Result<void> done;
    any_passed_ = false;
    finder_.find(packet, [&](const CapturedPacket& in, const FoundUdp& found) {
      if (auto looked = look_at(in, found); !looked) done = looked;
    });
    if (!done || input_.live() == nullptr) return done;
    if (pcap_ != nullptr && (!options_.display_filter || any_passed_)) {
      auto written = pcap_->write(packet);
      if (written) written = pcap_->flush();
      if (!written) {
        if (auto stopped = stop_writing(written.error()); !stopped) return stopped;
      }
    }
    stdout_.flush();
    return {};
  }

  // First fragments whose datagrams never became whole.
  Result<void> take_waiting_fragments() {
    Result<void> done;
    if (enough()) return done;
    finder_.finish([&](const CapturedPacket& in, const FoundUdp& found) {
      if (auto looked = look_at(in, found); !looked) done = looked;
    });
    return done;
  }

  // What is MXP in a file goes to -w, with all fragments of its datagram; of an interface, everything does.
  Result<void> look_at(const CapturedPacket& packet, const FoundUdp& found) {
    frame_passed_ = false;
    if (!dissect(packet, found) || input_.live() != nullptr || pcap_ == nullptr) return {};
    if (options_.display_filter && !frame_passed_) return {};
    Result<void> written;
    if (found->fragments > 0) {
      for (const CapturedPacket& earlier : finder_.earlier_frames()) {
        if (written) written = pcap_->write(earlier);
      }
    }
    if (written) written = pcap_->write(packet);
    return written ? written : stop_writing(written.error());
  }

  // It is no error if the reader of our pcap had enough and has gone.
  Result<void> stop_writing(const tools::ToolError& error) {
    pcap_.reset();
    if (options_.write_path == "-" && error.system_error == EPIPE) return {};
    return std::unexpected(error);
  }

  bool with_rows() const { return options_.statistics_kind != StatisticsKind::summary; }
  bool enough() const { return options_.max_packets != 0 && printed_ >= options_.max_packets; }

  bool dissect(const CapturedPacket& packet, const FoundUdp& datagram) {
    if (datagram) {
      if (dissector_.dissect(packet, *datagram, sink_)) return true;
      if (const auto tunnel = udp_tunnel(*datagram); !tunnel.empty()) ++counts_.not_looked_into[std::string(tunnel)];
      else ++counts_.other_udp;
      return false;
    }
    switch (datagram.error().why) {
      case NotUdp::other_protocol: break;
      case NotUdp::held_fragment: break;  // counted by the finder
      case NotUdp::malformed: ++counts_.malformed; break;
      case NotUdp::tunnel: ++counts_.not_looked_into[std::string(datagram.error().tunnel)]; break;
      case NotUdp::unknown_link_type:
        ++counts_.unknown_link_type;
        ++counts_.not_looked_into[fmt::format("link type {}", packet.link_type)];
        break;
    }
    return false;
  }

  void print(const PacketRecord& record) {
    if (enough()) return;  // in the middle of a batch
    if (with_rows()) statistics_.see(record);
    whole_.add(record);
    if (options_.display_filter) {
      ++looked_at_;
      if (!options_.display_filter->matches(record)) {
        if (writer_ != nullptr) writer_->pass_over(record);
        return;
      }
      frame_passed_ = any_passed_ = true;
      if (record.connection != 0) chosen_.insert(record.connection);
    }
    ++printed_;
    if (upper_pdu_ && !upper_pdu_failure_) {
      if (auto written = upper_pdu_->write(record); !written) upper_pdu_failure_ = written.error();
    }
    if (writer_ == nullptr) return;
    line_.clear();
    writer_->write(record, line_);
    stdout_.append(line_);
  }

  // Statistics are of whole connections, since lost packets are known by what others say of them: of those that have a
  // packet which passes the filter.
  void take_connection(const Connection& connection) {
    if (options_.display_filter && chosen_.erase(connection.number) == 0) return statistics_.drop(connection);
    summary_.add(connection);
    if (with_rows()) statistics_.add(connection);
  }

  Result<ExitCode> finish() {
    output_.end_progress();
    // A filter chooses connections here, and these messages belong to none.
    counts_.cut_headers = options_.display_filter ? 0 : dissector_.cut_headers();
    counts_.fragments = finder_.fragment_counts();
    counts_.frames = input_.frames();
    counts_.out_of_order = input_.disorder().out_of_order;
    counts_.unsorted = input_.disorder().unsorted;
    counts_.compressed = input_.disorder().compressed;
    for (const Connection& connection : dissector_.table().connections()) take_connection(connection);
    const std::uint64_t forgotten = dissector_.table().evicted();
    // What is whole of a damaged input counts, and the error stands beside it.
    const auto with_damage = [&](nlohmann::json told) {
      if (input_.damage()) told.update(tools::to_json(*input_.damage()));
      return told;
    };
    const nlohmann::json whole_summary = with_damage(summary_.to_json(counts_, forgotten));
    const nlohmann::json json = with_rows() ? with_damage(statistics_.to_json()) : whole_summary;
    if (options_.statistics == Format::text)
      stdout_.append(with_rows() ? statistics_.to_text() : summary_.to_text(counts_, forgotten));
    if (options_.statistics == Format::json) stdout_.append(tools::json_line(json));
    stdout_.flush();
    // All are finished, and then the first that could not be written is told.
    std::optional<tools::ToolError> failure = upper_pdu_failure_;
    const auto note = [&failure](const Result<void>& done) {
      if (!done && !failure) failure = done.error();
    };
    if (pcap_ != nullptr) {
      if (auto done = pcap_->finish(); !done) note(stop_writing(done.error()));
    }
    if (upper_pdu_ && !upper_pdu_failure_) note(upper_pdu_->finish());
    say_what_was_found(forgotten);
    note(whole_.finish(whole_summary, output_));
    if (failure) return std::unexpected(*failure);
    if (stdout_.failure()) return std::unexpected(*stdout_.failure());
    if (auto written = json_.write_line(json); !written && written.error().system_error != EPIPE)
      return std::unexpected(written.error());
    if (input_.damage()) {
      tools::print_error("mxp-dump", *input_.damage());
      return input_.damage()->exit_code();
    }
    if (signals_.received() != 0) return ExitCode::interrupted;
    return printed_ == 0 && options_.exit_nomatch ? ExitCode::nomatch : ExitCode::ok;
  }

  void say_what_was_found(std::uint64_t forgotten) {
    if (stdout_.closed()) return;
    if (input_.live() != nullptr && input_.live()->dropped() > 0)
      output_.warning(fmt::format("the kernel dropped {} that came faster than this tool reads",
                                  counted(input_.live()->dropped(), "packet")));
    warn_of_embedded(keys_, output_);
    const std::string unread = counts_.not_looked_into_text();
    if (!unread.empty()) output_.warning(fmt::format("not looked into: {}", unread));
    if (printed_ == 0 && looked_at_ > 0) {
      output_.note(fmt::format("none of {} of MXP matches the filter", counted(looked_at_, "packet")));
    } else if (printed_ == 0) {
      output_.note(fmt::format("no MXP found in {} ({}{}{}){}", counted(counts_.frames, "frame"),
                               counted(counts_.other_udp, "other UDP datagram"),
                               named(counts_.fragments.unmatched, "IP fragment", "IP fragments"),
                               named(counts_.malformed, "frame cut off or malformed", "frames cut off or malformed"),
                               unread.empty() ? "; a connection joined in its middle needs --keylog or --port"
                                              : " beside those that were not looked into"));
    } else {
      for (const std::string& note : summary_.notes(counts_)) output_.note(note);
    }
    if (!options_.statistics && options_.json.empty()) {
      if (signals_.received() != 0) output_.summary(summary_.to_text(counts_, forgotten));
      else if (printed_ > 0)
        output_.verbose(fmt::format("{} of MXP in {}, {}", counted(summary_.packets(), "packet"),
                                    counted(summary_.connections(), "connection"), counted(counts_.frames, "frame")));
    }
  }

  static std::string named(std::uint64_t count, std::string_view one, std::string_view several) {
    return count == 0 ? std::string() : ", " + counted(count, one, several);
  }

  const Options& options_;
  tools::Output& output_;
  tools::SignalWatch signals_;
  KeyRing keys_;
  Summary summary_;
  Dissector dissector_;
  Statistics statistics_;
  const Dissector::Sink sink_ = [this](const PacketRecord& record) { print(record); };
  UdpFinder finder_;
  AheadOpener ahead_;
  CaptureInput input_;
  tools::JsonOutput json_;
  std::unique_ptr<RotatingWriter> pcap_;
  std::optional<UpperPduWriter> upper_pdu_;
  std::optional<tools::ToolError> upper_pdu_failure_;
  std::unique_ptr<PacketWriter> writer_;
  StdoutBuffer stdout_;
  std::string line_;
  CaptureCounts counts_;
  std::uint64_t printed_ = 0;
  std::uint64_t looked_at_ = 0;                     // by the display filter
  bool frame_passed_ = false, any_passed_ = false;  // it, of the datagram and of the frame that are looked at
  std::unordered_set<std::uint64_t> chosen_;        // connections in the table of which a packet passed it
  LostPackets lost_;
  WholeOutputs whole_;
};

}  // namespace

tools::Result<tools::ExitCode> run(const Options& options, tools::Output& output) {
  return CaptureRun(options, output).run();
}

}  // namespace mxp::dump
