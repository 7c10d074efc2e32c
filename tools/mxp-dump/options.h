// What the user typed, and what is meant by it. Every check of the command line lies between the two.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "mxp-dump/capture/rotating_writer.h"
#include "mxp-dump/dissect/key_log_choice.h"
#include "mxp-dump/filter/display_filter.h"
#include "mxp-dump/output/stats.h"
#include "mxp/qlog.h"

namespace mxp::dump {

enum class Format : std::uint8_t { text, json, fields };

struct Options {
  std::string read_path;  // "-": stdin; empty: capture from `interface`
  std::string interface;
  std::string user;            // who reads what `interface` brings, if not the user of sudo or nobody
  std::string capture_filter;  // BPF, as tcpdump takes it; empty: all
  std::shared_ptr<const DisplayFilter> display_filter;  // -Y; nothing: all
  bool needs_fates = false;                             // -Y, -e, --qlog or --html asks whether packets were lost
  std::string write_path;                               // empty: none; "-": stdout
  bool force = false;                                   // existing files are replaced by outputs
  Rotation rotation;                                    // of write_path
  KeyLogChoice key_log;
  std::optional<Format> packets;  // how packets are printed; nothing: they are not
  std::vector<std::string> fields;
  StatisticsKind statistics_kind = StatisticsKind::summary;
  std::optional<Format> statistics;  // --stats, on stdout
  std::string upper_pdu_path;        // --to-upper-pdu; empty: none
  std::string qlog_folder;           // --qlog; empty: none
  QlogFlavour qlog_flavour = QlogFlavour::ietf;
  std::string html_path;          // --html; empty: none
  std::string json;               // --json: empty = not given, "-" = stdout
  std::uint64_t max_packets = 0;  // of MXP; 0: all
  std::uint16_t port = 0;
  bool exit_nomatch = false;
  std::vector<std::string> arguments;  // as typed: the files that they name are not overwritten
  int verbosity = 0;
};

std::expected<Options, tools::ParseStop> parse_options(int argc, char** argv);

}  // namespace mxp::dump
