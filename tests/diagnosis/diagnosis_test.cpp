// Captures with a known fault, and what mxp-dump finds in them: the fault first, and nothing where there is none. With
// MXP_UPDATE_DOCS set it runs ten seeds of each fault and writes the table of docs/diagnosis.md; MXP_DIAGNOSIS names
// one scenario, whose findings are printed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "diagnosis/faults.h"
#include "mxp-dump/analysis/catalog.h"
#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::test;

namespace {

bool for_the_document() { return std::getenv("MXP_UPDATE_DOCS") != nullptr; }
std::uint64_t seeds() { return for_the_document() ? 10 : runs(2); }
std::string wanted() {
  const char* name = std::getenv("MXP_DIAGNOSIS");
  return name == nullptr ? "" : name;
}

// The connection of most interest: with findings, the gravest.
std::vector<std::string> ranked(const Capture& capture, const std::string& key_log) {
  dump::Findings best;
  for (const Diagnosis& one : diagnose(capture, key_log)) {
    if (!one.findings.empty() && (best.empty() || one.findings.front().score() > best.front().score()))
      best = one.findings;
  }
  std::vector<std::string> ids;
  if (!wanted().empty()) {
    for (const Diagnosis& one : diagnose(capture, key_log)) {
      for (std::size_t i = 0; i < dump::kLimits; ++i)
        fmt::print(" {} {:.2f}", dump::word_of(static_cast<dump::Limit>(i)),
                   one.time.share(static_cast<dump::Limit>(i)));
      fmt::print(" of {} ms\n", one.length_ns / 1'000'000);
    }
  }
  for (const dump::Finding& finding : best) {
    ids.emplace_back(finding.id);
    if (!wanted().empty())
      fmt::print("      {} {:.2f}x{:.2f} {}\n", finding.id, finding.confidence, finding.severity, finding.what);
  }
  return ids;
}

struct Tally {
  std::array<unsigned, 4> right{}, of{};  // client and server with keys, client and server without
  std::map<std::string, unsigned> mistaken;
};

// Runs each scenario with each seed; `judge` gets the ids in their order.
Tally tally_of(const Fault& fault) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    const FaultRun run = fault.run(seed);
    for (std::size_t way = 0; way < 4; ++way) {
      const bool at_client = way % 2 == 0, keys = way < 2;
      if (!(at_client ? fault.visible.at_client : fault.visible.at_server) || (!keys && !fault.visible.without_keys))
        continue;
      if (!wanted().empty())
        fmt::print("  {} seed {} at the {} {}\n", fault.name, seed, at_client ? "client" : "server",
                   keys ? "with keys" : "without");
      const auto ids = ranked(at_client ? run.at_client : run.at_server, keys ? run.key_log : "");
      const std::string first = ids.empty() ? "" : ids.front();
      ++tally.of[way];
      if (first == fault.finding) ++tally.right[way];
      else ++tally.mistaken[first.empty() ? "nothing" : first];
    }
  }
  return tally;
}

struct Table {
  std::string rows;
  unsigned right = 0, of = 0;
  void add(const Fault& fault, const Tally& tally) {
    rows += fmt::format("| {} | {} |", fault.name, fault.finding.empty() ? "nothing" : fault.finding);
    for (std::size_t way = 0; way < 4; ++way) {
      rows += tally.of[way] == 0 ? " – |" : fmt::format(" {}/{} |", tally.right[way], tally.of[way]);
      right += tally.right[way];
      of += tally.of[way];
    }
    std::string others;
    for (const auto& [id, count] : tally.mistaken)
      others += fmt::format("{}{} {}", others.empty() ? "" : ", ", id, count);
    rows += fmt::format(" {} |\n", others);
  }
};

constexpr const char* kHead =
    "| fault | expected first | client, keys | server, keys | client, no keys | server, no keys | found instead |\n"
    "|---|---|---|---|---|---|---|\n";

// Replaces what stands between the two marks of this name.
void put_into_document(std::string_view name, const std::string& text) {
  const std::string path = MXP_SOURCE_DIR "/docs/diagnosis.md";
  std::stringstream whole;
  whole << std::ifstream(path).rdbuf();
  std::string document = whole.str();
  const std::string begin = fmt::format("<!-- {} -->\n", name);
  const auto from = document.find(begin), to = document.find("<!-- /", from);
  BOOST_REQUIRE(from != std::string::npos);
  BOOST_REQUIRE(to != std::string::npos);
  document.replace(from + begin.size(), to - from - begin.size(), text);
  std::ofstream(path) << document;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(diagnosis)

BOOST_AUTO_TEST_CASE(a_single_fault_is_the_first_finding) {
  Table table;
  for (const Fault& fault : single_faults()) {
    if (!wanted().empty() && fault.finding != wanted()) continue;
    const Tally tally = tally_of(fault);
    table.add(fault, tally);
    // All together may hide one that is never found.
    for (std::size_t way = 0; way < tally.of.size(); ++way)
      BOOST_TEST(2 * tally.right[way] >= tally.of[way], fault.name << ", column " << way);
  }
  fmt::print("{}{}{} of {} captures: the fault first\n", kHead, table.rows, table.right, table.of);
  if (wanted().empty()) BOOST_TEST(table.right * 100 >= table.of * 95);
  if (for_the_document())
    put_into_document("faults", fmt::format("{}{}\n{} of {} captures ({:.1f} %): the fault is the first finding.\n",
                                            kHead, table.rows, table.right, table.of, 100.0 * table.right / table.of));
}

BOOST_AUTO_TEST_CASE(a_clean_capture_gives_none) {
  Table table;
  for (const Fault& run : clean_runs()) table.add(run, tally_of(run));
  fmt::print("{}{}", kHead, table.rows);
  BOOST_TEST(table.right == table.of);
  if (for_the_document()) put_into_document("clean", kHead + table.rows);
}

BOOST_AUTO_TEST_CASE(two_faults_are_both_among_the_first_three) {
  std::string rows;
  unsigned right = 0, of = 0;
  for (const PairOfFaults& pair : pairs_of_faults()) {
    unsigned found = 0, runs = 0;
    for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
      const FaultRun run = pair.run(seed);
      auto ids = ranked(run.at_server, run.key_log);
      if (ids.size() > 3) ids.resize(3);
      ++runs;
      const bool both =
          std::ranges::find(ids, pair.first) != ids.end() && std::ranges::find(ids, pair.second) != ids.end();
      found += both ? 1 : 0;
      if (!both) fmt::print("{} and {}, seed {}: {}\n", pair.first, pair.second, seed, fmt::join(ids, ", "));
    }
    rows += fmt::format("| {} and {} | {}/{} |\n", pair.first, pair.second, found, runs);
    right += found;
    of += runs;
  }
  fmt::print("{}", rows);
  BOOST_TEST(right == of);
  if (for_the_document())
    put_into_document("pairs",
                      "| two faults, at the server with keys | both among the first three |\n|---|---|\n" + rows);
}

BOOST_AUTO_TEST_CASE(the_account_of_the_time_adds_up_to_the_connection) {
  for (const Fault& fault : single_faults()) {
    if (!wanted().empty() || (!for_the_document() && fault.finding.substr(0, 4) == "loss")) continue;
    const FaultRun run = fault.run(1);
    for (const std::string& keys : {run.key_log, std::string()}) {
      for (const Diagnosis& one : diagnose(run.at_client, keys))
        BOOST_TEST(one.time.total() == one.length_ns, fault.name);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_finding_has_its_page_and_is_in_the_catalog) {
  for (const auto& kind : dump::kFindingKinds) {
    const std::string path = MXP_SOURCE_DIR "/" + dump::page_of(kind.id);
    std::stringstream page;
    page << std::ifstream(path).rdbuf();
    BOOST_TEST(page.str().find(kind.title) != std::string::npos, path);
  }
  for (const Fault& fault : single_faults()) BOOST_TEST(!dump::title_of(fault.finding).empty(), fault.finding);
}

BOOST_AUTO_TEST_SUITE_END()
