// The bytes of a capture through their buffer, and frames that are read ahead: what comes out is what is in the file.
#include <fmt/format.h>
#include <rapidcheck/boost_test.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "mxp-dump/capture/ahead_reader.h"
#include "mxp-dump/files/block_stream.h"

namespace mxp::dump::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

int file_of(ByteView bytes) {
  const int descriptor = ::memfd_create("capture", MFD_CLOEXEC);
  BOOST_REQUIRE(descriptor >= 0);
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t count = ::write(descriptor, bytes.data() + written, bytes.size() - written);
    BOOST_REQUIRE(count > 0);
    written += static_cast<std::size_t>(count);
  }
  BOOST_REQUIRE(::lseek(descriptor, 0, SEEK_SET) == 0);
  return descriptor;
}

Bytes random_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// A pcapng file: a frame for each size, and before some of them lines of a key log.
Bytes capture_of(const std::vector<std::uint32_t>& sizes, const std::vector<std::size_t>& secrets_before) {
  Bytes file;
  const auto append = [&](const CaptureBlock& block) {
    const auto bytes = block.bytes();
    file.insert(file.end(), bytes.begin(), bytes.end());
  };
  append(section_block());
  append(interface_block(1));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (std::ranges::find(secrets_before, i) != secrets_before.end()) {
      const std::string line = fmt::format("before frame {}\n", i + 1);
      append(
          secrets_block(ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()), ByteOrder::little));
    }
    const Bytes bytes = random_bytes(sizes[i], static_cast<std::uint32_t>(i));
    CapturedPacket packet;
    packet.time_ns = 1000 * i;
    packet.original_length = sizes[i] + 1;
    packet.bytes = bytes;
    append(packet_block(0, packet));
  }
  return file;
}

AheadReader::Open opening(const Bytes& file) {
  return [&file](TakeSecrets secrets) { return open_capture(ByteSource(file_of(file), -1), std::move(secrets)); };
}

// All that a reader gives, as text.
std::vector<std::string> all_of(const Bytes& file, bool ahead) {
  std::vector<std::string> seen;
  std::string secrets;
  const auto take = [&](ByteView piece) {
    if (!piece.empty()) secrets.append(piece.begin(), piece.end());
    else seen.push_back(std::exchange(secrets, {}));
  };
  auto reader = ahead ? AheadReader::open(opening(file), take) : opening(file)(take);
  if (!reader) return {reader.error().to_string()};
  for (;;) {
    const auto packet = (*reader)->next();
    if (packet && *packet) {
      const CapturedPacket& one = **packet;
      seen.push_back(fmt::format("{} {} {} {} {} {}", one.frame, one.time_ns.value_or(0), one.link_type,
                                 one.original_length, one.offset, std::string(one.bytes.begin(), one.bytes.end())));
      continue;
    }
    seen.push_back(packet ? "end" : packet.error().to_string());
    return seen;
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(capture_bytes)

RC_BOOST_PROP(views_reads_and_skips_give_the_bytes_of_the_file, (std::uint32_t seed)) {
  const auto file = random_bytes(*rc::gen::inRange<std::size_t>(0, 900'000), seed);
  ByteSource source(file_of(file), -1);
  std::size_t at = 0;
  const auto expected = [&](std::size_t count) {
    return ByteView(file).subspan(at, std::min(count, file.size() - at));
  };
  while (at < file.size()) {
    const auto count = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 2000),
                                       rc::gen::inRange<std::size_t>(0, ByteSource::kLongestView + 1));
    const ByteView wanted = expected(count);
    switch (*rc::gen::inRange(0, 3)) {
      case 0: RC_ASSERT(std::ranges::equal(source.view(count), wanted)); break;
      case 1: {
        Bytes out(count);
        RC_ASSERT(source.read(out) == wanted.size());
        RC_ASSERT(std::ranges::equal(ByteView(out).first(wanted.size()), wanted));
        break;
      }
      default: RC_ASSERT(source.skip(count) == wanted.size());
    }
    at += wanted.size();
    RC_ASSERT(source.offset() == at);
  }
  RC_ASSERT(source.view(1).empty());
  RC_ASSERT(source.failed() == ByteSource::Failure::none);
}

// Many small frames, more than are handed over at once; frames of the largest size; secrets at the beginning, in a row
// with frames, and in one block with others; and each of it cut off.
BOOST_AUTO_TEST_CASE(what_is_read_ahead_is_what_the_file_holds) {
  std::vector<std::uint32_t> sizes(3 * AheadReader::kBlockEntries, 60);
  for (int i = 0; i < 6; ++i) sizes.insert(sizes.end(), {kMaxCapturedBytes, 1, 0, kMaxCapturedBytes - 1});
  const Bytes file = capture_of(sizes, {0, 1, 2, 1500, sizes.size() - 3, sizes.size() - 1});
  for (const std::size_t size : {file.size(), file.size() - 5, file.size() / 2 + 1, std::size_t{41}, std::size_t{28},
                                 std::size_t{3}, std::size_t{0}}) {
    const Bytes part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const auto plain = all_of(part, false);
    BOOST_TEST((all_of(part, true) == plain));
    BOOST_TEST((plain.back() == "end") == (size == file.size() || size == 28));
  }
}

// Whoever has seen enough does not wait for the rest.
BOOST_AUTO_TEST_CASE(reading_ahead_ends_with_its_reader) {
  const Bytes file = capture_of(std::vector<std::uint32_t>(16, kMaxCapturedBytes), {0, 9});
  for (int frames = 0; frames < 12; ++frames) {
    auto reader = AheadReader::open(opening(file), {});
    BOOST_REQUIRE(reader.has_value());
    for (int i = 0; i < frames; ++i) BOOST_REQUIRE((*reader)->next().value().has_value());
  }
}

// Copies each frame to where opened packets go, and says so.
class CopyWork final : public AheadWork {
 public:
  void look_at(const CapturedPacket& frame, MutableBytes room, std::vector<OpenedAhead>& out) override {
    std::ranges::copy(frame.bytes, room.begin());
    out.push_back({.source = frame.frame, .packet = frame.bytes, .payload = room});
    out.push_back({.source = frame.frame});
    any_.test_and_set();
    any_.notify_one();
  }
  void wait_for_any() { any_.wait(false); }

 private:
  std::atomic_flag any_;
};

// While the first frame is held, the thread fills all blocks there are, and works on those from the third on.
BOOST_AUTO_TEST_CASE(what_was_done_ahead_comes_with_its_frame) {
  std::vector<std::uint32_t> sizes;
  for (int i = 0; i < 8; ++i) sizes.insert(sizes.end(), {kMaxCapturedBytes - 5000, 4000, 0, 900});
  CopyWork work;
  const Bytes file = capture_of(sizes, {3, 10});
  auto reader = AheadReader::open(opening(file), {}, &work);
  BOOST_REQUIRE(reader.has_value());
  std::size_t frames = 0, worked_on = 0;
  for (;; ++frames) {
    const auto packet = (*reader)->next().value();
    if (!packet) break;
    if (frames == 0) work.wait_for_any();
    if (packet->opened.empty()) continue;
    ++worked_on;
    BOOST_REQUIRE(packet->opened.size() == 2u);
    BOOST_TEST(packet->opened[0].source == packet->frame);
    BOOST_TEST((packet->opened[0].packet.data() == packet->bytes.data()));
    BOOST_TEST(std::ranges::equal(packet->opened[0].payload, packet->bytes));
  }
  BOOST_TEST(frames == sizes.size());
  BOOST_TEST(worked_on > 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
