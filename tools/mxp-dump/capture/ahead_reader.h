// A capture file that a thread of its own reads and takes apart into frames, while the frames before are looked at.
// What comes out is what the reader of the file gives, in the same order: frames, lines of a key log between them, and
// where the file is damaged, that. Not for a pipe or an interface, whose frames are wanted as they come.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "mxp-dump/capture/capture_reader.h"

namespace mxp::dump {

// Work on frames that can be done before their turn, by the thread that reads.
class AheadWork {
 public:
  virtual ~AheadWork() = default;
  // `room` is as large as the frame. What is appended to `out` is handed out with the frame.
  virtual void look_at(const CapturedPacket& frame, MutableBytes room, std::vector<OpenedAhead>& out) = 0;
};

class AheadReader final : public CaptureReader {
 public:
  // Our choices: the thread is at most a MiB ahead, and each handover is of some hundred frames.
  static constexpr std::size_t kBlocks = 4, kBlockBytes = kMaxCapturedBytes, kBlockEntries = 1024;
  // From so many blocks ahead on the thread has time for more than reading. Our choice.
  static constexpr std::size_t kWorkFrom = kBlocks / 2;

  // Makes the reader of the file, which says with its argument what secrets it meets.
  using Open = std::function<std::expected<std::unique_ptr<CaptureReader>, CaptureError>(TakeSecrets)>;
  // `secrets` is called by next(). `work`, which may be null, is done while the thread is further ahead than it must
  // be.
  static std::expected<std::unique_ptr<CaptureReader>, CaptureError> open(const Open& open_reader, TakeSecrets secrets,
                                                                          AheadWork* work = nullptr);
  ~AheadReader() override;

  std::expected<std::optional<CapturedPacket>, CaptureError> next() override;
  std::string_view compression() const override { return compression_; }

 private:
  struct Entry {
    bool secrets = false;   // then only the bytes count
    CapturedPacket packet;  // `bytes` lie in the block
    std::size_t opened_begin = 0, opened_end = 0;
  };
  struct Block {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(kBlockBytes);
    std::size_t used = 0;
    std::vector<Entry> entries;
    std::vector<OpenedAhead> opened;
    std::vector<std::uint8_t> room;  // for what is opened; empty without work
    bool works = false;
    bool last = false;
    std::optional<CaptureError> damage;  // behind the entries of the last one
  };

  AheadReader(TakeSecrets secrets, AheadWork* work) : secrets_(std::move(secrets)), work_(work) {}
  AheadReader(const AheadReader&) = delete;
  AheadReader& operator=(const AheadReader&) = delete;

  // Of the thread that reads.
  void run();
  void add(const Entry& entry);
  Block* begin_block();  // null: nobody wants more
  void hand_over();

  Block& filled();  // waits for the block that comes next
  void give_back();

  TakeSecrets secrets_;
  AheadWork* work_;
  std::unique_ptr<CaptureReader> reader_;
  std::string_view compression_;
  // Blocks go round: of those counted in filled_ and not in emptied_ the one who asks for frames is the owner, of the
  // others the thread.
  std::array<Block, kBlocks> blocks_;
  Block* filling_ = nullptr;  // the thread's
  std::size_t at_ = 0;        // the next entry
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t filled_ = 0, emptied_ = 0;
  bool stopped_ = false;
  std::thread thread_;  // the last member: it uses all others
};

}  // namespace mxp::dump
