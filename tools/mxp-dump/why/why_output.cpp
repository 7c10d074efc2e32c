#include "mxp-dump/why/why_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "mxp-dump/analysis/catalog.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

std::string_view confidence_word(double confidence) {
  return confidence >= 0.8 ? "high" : confidence >= 0.6 ? "medium" : "low";
}

std::string_view vantage_word(Vantage vantage) {
  switch (vantage) {
    case Vantage::near_client: return "near_client";
    case Vantage::near_server: return "near_server";
    case Vantage::between: return "between";
    case Vantage::unknown: break;
  }
  return "unknown";
}

std::string_view vantage_phrase(Vantage vantage) {
  switch (vantage) {
    case Vantage::near_client: return "captured near the client";
    case Vantage::near_server: return "captured near the server";
    case Vantage::between: return "captured between the two";
    case Vantage::unknown: break;
  }
  return "it does not show where it was captured";
}

constexpr Limit limit_at(std::size_t i) { return static_cast<Limit>(i); }

std::string limit_evidence(const Story& story, Limit limit) {
  const DirectionStory& main = story.direction(story.main_direction());
  switch (limit) {
    case Limit::start_up: return "before the handshake was confirmed, and until the flight had grown";
    case Limit::application:
      return fmt::format("{}; a capture cannot tell an idle application from a sender's buffer that is too small",
                         tools::counted(main.account.pauses(), "pause of 5 ms or more", "pauses of 5 ms or more"));
    case Limit::receiver_window: return "between a *_BLOCKED frame and the data that followed a higher limit";
    case Limit::recovery:
      return fmt::format("{} lost; answers overdue, or not yet to what was sent since",
                         tools::counted(main.lost(), "packet"));
    case Limit::path_rate: return "packets waited for each other, or the highest rate was reached";
    case Limit::congestion_window: return "data was under way, sent as acknowledgements came, and no queue was seen";
    case Limit::pacing: return "data was under way, sent between the acknowledgements, and no queue was seen";
    case Limit::not_told: return "no packet could be opened";
  }
  return {};
}

}  // namespace

std::string why_text(const Story& story, const Findings& findings) {
  std::string text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "#{} {} > {}: {} over {}; {}\n", story.connection, story.client.to_string(),
                 story.server.to_string(), tools::counted(story.packets, "packet"),
                 milliseconds_text(story.length_ns()), vantage_phrase(story.vantage()));
  if (findings.empty()) text += "  nothing found\n";
  std::size_t rank = 0;
  for (const Finding& finding : findings) {
    fmt::format_to(out, "  {}. {} [{}], confidence {:.2f} ({})\n", ++rank, title_of(finding.id), finding.id,
                   finding.confidence, confidence_word(finding.confidence));
    fmt::format_to(out, "     {}\n", finding.what);
    if (!finding.frames.empty()) fmt::format_to(out, "     frames: {}\n", fmt::join(finding.frames, ", "));
    fmt::format_to(out, "     to confirm: {}\n", finding.confirm);
    fmt::format_to(out, "     page: {}\n", page_of(finding.id));
  }
  const TimeAccount::Sums sums = story.time_sums();
  if (sums.total() > 0) {
    fmt::format_to(out, "  where the time went ({}):\n", direction_phrase(story.main_direction()));
    for (std::size_t i = 0; i < kLimits; ++i) {
      if (sums.ns[i] == 0) continue;
      fmt::format_to(out, "    {:5.1f} %  {:>10}  {}: {}\n", 100 * sums.share(limit_at(i)),
                     milliseconds_text(sums.ns[i]), phrase_of(limit_at(i)), limit_evidence(story, limit_at(i)));
    }
  }
  if (!story.readable() && story.direction(TrafficDirection::client_to_server).short_packets > 0)
    text +=
        "  without keys this rests on the handshake, sizes, addresses and times; keys would add loss by direction, "
        "round\n"
        "  trips, reordering, flow control, closing codes, and the account of the time\n";
  return text;
}

nlohmann::json why_json(const Story& story, const Findings& findings) {
  nlohmann::json json{{"connection", story.connection},
                      {"client", story.client.to_string()},
                      {"server", story.server.to_string()},
                      {"packets", story.packets},
                      {"decrypted", story.opened},
                      {"first_frame", story.first_frame},
                      {"last_frame", story.last_frame},
                      {"duration_ms", static_cast<double>(story.length_ns()) / 1e6},
                      {"captured", vantage_word(story.vantage())}};
  if (!story.client_id.empty()) json["client_id"] = story.client_id;
  if (const std::int64_t round_trip = story.round_trip_ns(); round_trip > 0)
    json["round_trip_ms"] = static_cast<double>(round_trip) / 1e6;
  json["findings"] = nlohmann::json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"id", finding.id},
                                {"title", title_of(finding.id)},
                                {"confidence", finding.confidence},
                                {"severity", finding.severity},
                                {"score", finding.score()},
                                {"detail", finding.what},
                                {"frames", finding.frames},
                                {"confirm", finding.confirm},
                                {"page", page_of(finding.id)}});
  }
  const TimeAccount::Sums sums = story.time_sums();
  nlohmann::json time = nlohmann::json::object();
  for (std::size_t i = 0; i < kLimits; ++i)
    time[std::string(word_of(limit_at(i)))] = static_cast<double>(sums.ns[i]) / 1e6;
  json["time_ms"] = {{"direction", direction_word(story.main_direction())}, {"limited_by", std::move(time)}};
  return json;
}

}  // namespace mxp::dump
