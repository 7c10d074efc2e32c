// --qlog: one file for each connection of a capture, and for each place at which the capture saw it. A capture that
// holds both sides of a relay or NAT has each packet twice; each side is a trace of its own:
//
//   <client id>_network.sqlog, <client id>_network-2.sqlog, …
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "mxp-dump/dissect/capture_place.h"
#include "mxp-dump/dissect/connection_table.h"
#include "mxp-dump/dissect/record.h"
#include "mxp-dump/qlog/qlog_files.h"
#include "mxp-dump/qlog/qlog_trace.h"

namespace mxp::dump {

class QlogWriter {
 public:
  // Our choices. Past kMaxTraces the trace that was silent longest ends, and what follows of its connection is left
  // out: connections that take turns would otherwise have a file for each packet.
  static constexpr std::size_t kMaxTraces = 1024;
  // Our choices: what a capture, which is a stranger's, can make us write. The text of a packet may be much longer than
  // the packet; that of a capture as it comes is about half as long, so that 30 GB of packets fit.
  struct Limits {
    std::size_t files = 65'536;
    std::uint64_t bytes = std::uint64_t{16} << 30;  // of all files
  };
  static constexpr std::size_t kMaxPlaces = kMaxPaths;               // of a connection
  static constexpr std::size_t kMaxSurveyed = std::size_t{1} << 20;  // connections of which the flow is known

  QlogWriter(QlogFiles files, QlogFlavour flavour) : QlogWriter(std::move(files), flavour, Limits{}) {}
  QlogWriter(QlogFiles files, QlogFlavour flavour, const Limits& limits)
      : files_(std::move(files)), flavour_(flavour), limits_(limits) {}

  // Before the first packet: a connection as the whole capture shows it.
  void survey(const Connection& connection);
  // Of each packet, in the order of the capture; PacketRecord::lost is known as far as it can be.
  tools::Result<void> add(const PacketRecord& record);
  tools::Result<void> finish();

  std::size_t files() const { return files_.count(); }
  std::uint64_t ended_early() const { return ended_early_; }
  std::uint64_t not_placed() const { return not_placed_; }  // packets at further places than are followed
  std::uint64_t left_out() const { return left_out_; }      // packets behind a trace's early end, or past a limit
  // What they ran into, as a clause; empty if they did not.
  std::string limit_reached() const;
  // What there is to say of all this in the end, a sentence each.
  std::vector<std::string> warnings() const;

 private:
  struct Place {
    std::uint64_t connection = 0;
    std::string file;
    CapturePlace seen_at;
    QlogTrace trace;
  };
  using Places = std::list<Place>;

  Place* known_place(const PacketRecord& record);  // nullptr: none
  Place& make_place(const PacketRecord& record);
  std::string new_name(const PacketRecord& record);
  // Writes text_, whole or not at all. False: it is beyond the limit, and so is all that follows.
  tools::Result<bool> append(const std::string& file);
  tools::Result<void> end(Places::iterator place);
  tools::Result<void> make_room();

  QlogFiles files_;
  QlogFlavour flavour_;
  Limits limits_;
  Places places_;                                                // the latest first
  std::map<std::uint64_t, std::vector<Places::iterator>> open_;  // by connection
  std::unordered_set<std::uint64_t> server_sends_more_;
  std::unordered_set<std::uint64_t> ended_;     // connections of which a trace ended early
  std::map<std::string, std::size_t> numbers_;  // the number of the latest file, by its id
  std::string text_;
  std::uint64_t bytes_ = 0;
  bool full_ = false, any_unmade_ = false;  // no more bytes; no more files
  std::uint64_t ended_early_ = 0, not_placed_ = 0, left_out_ = 0;
};

}  // namespace mxp::dump
