#include "mxp-dump/qlog/qlog_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/counted.h"
#include "common/units.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {

void QlogWriter::survey(const Connection& connection) {
  if (connection.sides[1].bytes > connection.sides[0].bytes && server_sends_more_.size() < kMaxSurveyed)
    server_sends_more_.insert(connection.number);
}

tools::Result<void> QlogWriter::add(const PacketRecord& record) {
  if (record.connection == 0) return {};  // cut off before its connection id
  if (full_) {
    ++left_out_;
    return {};
  }
  Place* place = known_place(record);
  if (place == nullptr) {
    const auto open = open_.find(record.connection);
    if (open != open_.end() && open->second.size() == kMaxPlaces) {
      ++not_placed_;
      return {};
    }
    const bool ended = ended_.contains(record.connection);
    if (ended || files_.count() >= limits_.files) {
      any_unmade_ = any_unmade_ || !ended;
      ++left_out_;
      return {};
    }
    if (auto done = make_room(); !done) return done;
    place = &make_place(record);
  }
  text_.clear();
  place->trace.add(record, text_);
  const auto written = append(place->file);
  if (!written) return std::unexpected(written.error());
  if (!*written) ++left_out_;
  return {};
}

tools::Result<bool> QlogWriter::append(const std::string& file) {
  full_ = full_ || text_.size() > limits_.bytes - bytes_;
  if (full_) return false;
  bytes_ += text_.size();
  if (auto done = files_.append(file, text_); !done) return std::unexpected(done.error());
  return true;
}

std::string QlogWriter::limit_reached() const {
  if (full_) return fmt::format("the files reached {} together", tools::format_bytes(limits_.bytes));
  return any_unmade_ ? fmt::format("there were {} files", limits_.files) : std::string();
}

std::vector<std::string> QlogWriter::warnings() const {
  const auto are = [](std::uint64_t count) { return count == 1 ? "is" : "are"; };
  std::vector<std::string> all;
  if (ended_early_ > 0)
    all.push_back(fmt::format("{} of qlog ended before {}, as more than {} were under way at a time",
                              tools::counted(ended_early_, "file"),
                              ended_early_ == 1 ? "its connection" : "their connections", kMaxTraces));
  if (not_placed_ > 0)
    all.push_back(fmt::format("{} at further places than the {} of a connection that are followed {} in no qlog",
                              tools::counted(not_placed_, "packet"), kMaxPlaces, are(not_placed_)));
  const std::string limit = limit_reached();
  if (left_out_ > 0)
    all.push_back(fmt::format("{} {} in no qlog: {}", tools::counted(left_out_, "packet"), are(left_out_),
                              limit.empty() ? "their files had ended" : limit));
  else if (!limit.empty()) all.push_back(fmt::format("what ends the last traces is in no qlog: {}", limit));
  return all;
}

QlogWriter::Place* QlogWriter::known_place(const PacketRecord& record) {
  const auto known = open_.find(record.connection);
  if (known == open_.end()) return nullptr;
  std::vector<Places::iterator>& places = known->second;
  auto found = std::ranges::find_if(places, [&](Places::iterator place) { return place->seen_at.knows(record); });
  if (found == places.end())
    found = std::ranges::find_if(places, [&](Places::iterator place) { return place->seen_at.follow(record); });
  if (found == places.end()) return nullptr;
  places_.splice(places_.begin(), places_, *found);
  return &places_.front();
}

QlogWriter::Place& QlogWriter::make_place(const PacketRecord& record) {
  const TrafficDirection flow = server_sends_more_.contains(record.connection) ? TrafficDirection::server_to_client
                                                                               : TrafficDirection::client_to_server;
  places_.push_front({record.connection, new_name(record), CapturePlace(record), QlogTrace(flavour_, flow, record)});
  open_[record.connection].push_back(places_.begin());
  return places_.front();
}

// The ids of two connections may be the same.
std::string QlogWriter::new_name(const PacketRecord& record) {
  std::string id = fmt::format("connection-{}", record.connection);
  if (const auto open = open_.find(record.connection); open != open_.end()) {
    const std::string& first = open->second.front()->file;
    id = first.substr(0, first.find("_network"));
  } else if (record.client_id) {
    id = hex(*record.client_id);
  } else if (record.destination_id) {
    id = hex(*record.destination_id);
  }
  const std::size_t number = ++numbers_[id];
  return number == 1 ? id + "_network.sqlog" : fmt::format("{}_network-{}.sqlog", id, number);
}

tools::Result<void> QlogWriter::end(Places::iterator place) {
  text_.clear();
  place->trace.finish(text_);
  if (auto done = append(place->file); !done) return std::unexpected(done.error());
  if (auto done = files_.finish(place->file); !done) return done;
  std::vector<Places::iterator>& of_connection = open_[place->connection];
  std::erase(of_connection, place);
  if (of_connection.empty()) open_.erase(place->connection);
  places_.erase(place);
  return {};
}

tools::Result<void> QlogWriter::make_room() {
  if (places_.size() < kMaxTraces) return {};
  ++ended_early_;
  ended_.insert(places_.back().connection);
  return end(std::prev(places_.end()));
}

tools::Result<void> QlogWriter::finish() {
  while (!places_.empty()) {
    if (auto done = end(places_.begin()); !done) return done;
  }
  return files_.flush();
}

}  // namespace mxp::dump
