#include "mxp-dump/capture/rotating_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>

#include "common/escape.h"

namespace mxp::dump {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFileHeaderBytes = 24, kRecordHeaderBytes = 16;

}  // namespace

tools::Result<RotatingWriter> RotatingWriter::open(const std::string& path, tools::IfExists if_exists,
                                                   std::vector<tools::UsedFile> used, const Rotation& rotation) {
  RotatingWriter writer;
  writer.path_ = path;
  writer.if_exists_ = if_exists;
  writer.used_ = std::move(used);
  writer.rotation_ = rotation;
  if (auto good = writer.refuse_leftovers(); !good) return std::unexpected(good.error());
  if (auto opened = writer.open_next(); !opened) return std::unexpected(opened.error());
  return writer;
}

std::string RotatingWriter::name(std::uint64_t number) const {
  if (!rotation_.any()) return path_;
  const fs::path whole(path_);
  const std::string numbered = fmt::format("{}-{:05}{}", whole.stem().string(), number, whole.extension().string());
  return (whole.parent_path() / numbered).string();
}

// Files of an earlier run would mix with those of this one, and a later one would stop it in its middle.
tools::Result<void> RotatingWriter::refuse_leftovers() const {
  if (!rotation_.any() || if_exists_ == tools::IfExists::replace) return {};
  const fs::path whole(path_);
  const std::string begin = whole.stem().string() + "-", end = whole.extension().string();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(whole.has_parent_path() ? whole.parent_path() : ".", error)) {
    const std::string found = entry.path().filename().string();
    if (found.size() < begin.size() + 5 + end.size() || !found.starts_with(begin) || !found.ends_with(end)) continue;
    const auto digits = std::string_view(found).substr(begin.size(), found.size() - begin.size() - end.size());
    if (std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
      return tools::fail(tools::ErrorKind::usage,
                         fmt::format("{} exists and is not overwritten: name another file with -w, or use --force",
                                     tools::escape(entry.path().string())));
  }
  return {};
}

tools::Result<void> RotatingWriter::open_next() {
  if (writer_) {
    if (auto done = writer_->finish(); !done) return done;
    writer_.reset();
  }
  const std::string next = name(++number_);
  auto opened = PcapWriter::open(next, {.if_exists = if_exists_, .used = used_});
  if (!opened) return std::unexpected(opened.error());
  writer_ = std::move(*opened);
  bytes_ = kFileHeaderBytes;
  names_.push_back(next);
  if (rotation_.any() && rotation_.max_files > 0 && names_.size() > rotation_.max_files) {
    if (::unlink(names_.front().c_str()) != 0 && errno != ENOENT)
      return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot delete {}", tools::escape(names_.front())),
                               errno);
    names_.pop_front();
  }
  if (!rotation_.any() || rotation_.max_files == 0) names_.clear();
  return {};
}

bool RotatingWriter::due(const CapturedPacket& packet) {
  bool due = rotation_.max_bytes > 0 && bytes_ > kFileHeaderBytes &&
             bytes_ + kRecordHeaderBytes + packet.bytes.size() > rotation_.max_bytes;
  if (rotation_.span > Duration::zero() && packet.time_ns) {
    if (!first_ns_) first_ns_ = packet.time_ns;
    const auto span = static_cast<std::uint64_t>(std::chrono::nanoseconds(rotation_.span).count());
    // A clock that goes back leaves the packet in the file that is open.
    const std::uint64_t stretch = *packet.time_ns > *first_ns_ ? (*packet.time_ns - *first_ns_) / span : 0;
    if (stretch > stretch_) {
      stretch_ = stretch;
      due = due || bytes_ > kFileHeaderBytes;
    }
  }
  return due;
}

tools::Result<void> RotatingWriter::write(const CapturedPacket& packet) {
  if (due(packet)) {
    if (auto opened = open_next(); !opened) return opened;
  }
  bytes_ += kRecordHeaderBytes + packet.bytes.size();
  return writer_->write(packet);
}

}  // namespace mxp::dump
