#include "mxp-dump/capture/capture_input.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/units.h"
#include "mxp-dump/capture/time_order.h"
#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {

using tools::ErrorKind;
using tools::Result;

namespace {

constexpr std::string_view kSurveying = "looking for handshakes";

}  // namespace

tools::ToolError input_error(const std::string& name, const CaptureError& error) {
  const bool unreadable = error.kind == CaptureError::Kind::unreadable;
  return {unreadable ? ErrorKind::io : ErrorKind::usage,
          fmt::format("{} {}", name == "-" ? "stdin" : name, error.to_string())};
}

CaptureInput::CaptureInput(Source source, KeyRing& keys, const tools::SignalWatch& signals, tools::Output& output)
    : source_(std::move(source)),
      keys_(keys),
      signals_(signals),
      output_(output),
      filter_(source_.interface.empty() ? source_.capture_filter : std::string()) {}

Result<void> CaptureInput::open() {
  if (!source_.interface.empty()) {
    auto live = LiveCapture::open(source_.interface, source_.capture_filter, signals_.fd());
    if (!live) return std::unexpected(live.error());
    live_ = live->get();
    reader_ = std::move(*live);
    return {};
  }
  auto file = open_input(source_.path);
  if (!file) return tools::fail(ErrorKind::usage, fmt::format("cannot read {}: {}", source_.path, file.error()));
  file_ = std::move(*file);
  file_start_ = start_of_file(file_.get());
  struct stat status{};
  if (file_start_ && ::fstat(file_.get(), &status) == 0) file_size_ = static_cast<std::uint64_t>(status.st_size);
  return start_reading(Reader::plain);
}

Result<void> CaptureInput::start_reading(Reader which, std::optional<std::uint64_t> lateness_ns) {
  frames_ = 0;
  keys_.begin_embedded();
  const auto open = [&](TakeSecrets secrets) {
    auto reader = open_capture(ByteSource(::dup(file_.get()), signals_.fd()), std::move(secrets));
    if (reader && lateness_ns)
      reader = in_order_of_time(std::move(*reader), UniqueFd(::dup(file_.get())), *file_start_, *lateness_ns);
    return reader;
  };
  const TakeSecrets secrets = [this](ByteView piece) { keys_.take_embedded(piece); };
  // Without keys no pass opens packets.
  const bool ahead = which == Reader::ahead && file_start_ && work_ != nullptr && keys_.loaded();
  auto reader = ahead ? AheadReader::open(open, secrets, work_) : open(secrets);
  if (reader) {
    reader_ = std::move(*reader);
    return {};
  }
  reader_.reset();
  if (signals_.received() != 0) return {};
  return std::unexpected(input_error(source_.path, reader.error()));
}

Result<void> CaptureInput::rewind(Reader which, std::optional<std::uint64_t> lateness_ns) {
  reader_.reset();  // it reads ahead, and the place in the file is common to both
  if (::lseek(file_.get(), static_cast<off_t>(*file_start_), SEEK_SET) < 0)
    return tools::fail_errno(ErrorKind::io, fmt::format("cannot read {} again", source_.path), errno);
  return start_reading(which, lateness_ns);
}

// Nothing at the end, and where the input is damaged.
Result<std::optional<CapturedPacket>> CaptureInput::next(std::string_view doing) {
  const auto packet = reader_->next();
  if (!packet) {
    if (signals_.received() == 0)
      damage_ = input_error(source_.interface.empty() ? source_.path : source_.interface, packet.error());
    return std::nullopt;
  }
  if (!*packet) return std::nullopt;
  ++frames_;
  show_progress(doing);
  return *packet;
}

// How much of a file was read, once that takes longer than a second. Looked at now and then, because it costs a system
// call.
void CaptureInput::show_progress(std::string_view doing) {
  constexpr std::uint64_t kFramesBetween = 16'384;
  if (++progress_frames_ % kFramesBetween != 0 || !source_.progress || !output_.terminal() || file_size_ == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - progress_at_ < std::chrono::milliseconds(progress_frames_ < 2 * kFramesBetween ? 1000 : 200)) return;
  progress_at_ = now;
  const off_t at = ::lseek(file_.get(), 0, SEEK_CUR);
  if (at < 0) return;
  const auto read = std::min(static_cast<std::uint64_t>(at), file_size_);
  const auto filled = static_cast<std::size_t>(read * 20 / file_size_);
  output_.progress(fmt::format("{} [{:<20}] {:>3} % of {}", doing, std::string(filled, '#'), read * 100 / file_size_,
                               tools::format_bytes(file_size_)));
}

Result<void> CaptureInput::survey(Dissector& dissector, std::uint64_t longest_step_ns) {
  if (!file_start_ || reader_ == nullptr) return {};
  disorder_ = {};
  // A step back is from one frame to the next; a frame is late behind the latest one before it.
  std::uint64_t before_ns = 0, latest_ns = 0, longest_back_ns = 0, lateness_ns = 0;
  UdpFinder finder;
  const auto note = [&](const CapturedPacket& packet, const FoundUdp& found) {
    if (found) dissector.survey(packet, *found);
  };
  std::uint64_t frames = 0;
  const auto noted = each_frame(kSurveying, [&](const CapturedPacket& packet) {
    ++frames;
    const std::uint64_t time_ns = packet.time_ns.value_or(before_ns);
    if (time_ns < before_ns) ++disorder_.out_of_order;
    longest_back_ns = std::max(longest_back_ns, before_ns - std::min(time_ns, before_ns));
    latest_ns = std::max(latest_ns, time_ns);
    lateness_ns = std::max(lateness_ns, latest_ns - time_ns);
    before_ns = time_ns;
    finder.find(packet, note);
    return true;
  });
  if (!noted) return noted;
  finder.finish(note);
  dissector.end_survey();
  if (signals_.received() != 0) return {};
  disorder_.compressed = !reader_->compression().empty();
  disorder_.unsorted = disorder_.out_of_order > 0 && (disorder_.compressed || longest_back_ns > longest_step_ns);
  if (disorder_.out_of_order > 0 && !disorder_.unsorted && frames > TimeOrder::kMaxHeld) {
    const auto fits = can_be_ordered(lateness_ns);
    if (!fits) return std::unexpected(fits.error());
    disorder_.unsorted = !*fits;
  }
  damage_.reset();  // met again, unless enough was shown before
  const bool sort = disorder_.out_of_order > 0 && !disorder_.unsorted;
  return rewind(Reader::ahead, sort ? std::optional(lateness_ns) : std::nullopt);
}

// Whether the frames that must wait for others fit into memory at each moment.
Result<bool> CaptureInput::can_be_ordered(std::uint64_t lateness_ns) {
  if (auto done = rewind(Reader::plain); !done) return std::unexpected(done.error());
  TimeOrder order(lateness_ns);
  bool fits = true;
  const auto gone_through = each_frame(kSurveying, [&](const CapturedPacket& packet) {
    order.add(packet);
    while (order.take()) continue;
    fits = order.held() <= TimeOrder::kMaxHeld;
    return fits;
  });
  if (!gone_through) return std::unexpected(gone_through.error());
  return fits;
}

}  // namespace mxp::dump
