#include "mxp-dump/capture/ahead_reader.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace mxp::dump {

std::expected<std::unique_ptr<CaptureReader>, CaptureError> AheadReader::open(const Open& open_reader,
                                                                              TakeSecrets secrets, AheadWork* work) {
  std::unique_ptr<AheadReader> ahead(new AheadReader(std::move(secrets), work));
  auto reader =
      open_reader([raw = ahead.get()](ByteView piece) { raw->add({.secrets = true, .packet = {.bytes = piece}}); });
  if (!reader) return std::unexpected(reader.error());
  ahead->reader_ = std::move(*reader);
  ahead->compression_ = ahead->reader_->compression();
  ahead->thread_ = std::thread([raw = ahead.get()] { raw->run(); });
  return ahead;
}

AheadReader::~AheadReader() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::expected<std::optional<CapturedPacket>, CaptureError> AheadReader::next() {
  for (;;) {
    Block& block = filled();
    if (at_ < block.entries.size()) {
      const Entry& entry = block.entries[at_++];
      if (!entry.secrets) {
        CapturedPacket packet = entry.packet;
        packet.opened = std::span(block.opened).subspan(entry.opened_begin, entry.opened_end - entry.opened_begin);
        return packet;
      }
      const ByteView piece = entry.packet.bytes;
      if (secrets_) secrets_(piece);
      OPENSSL_cleanse(block.bytes.data() + (piece.data() - block.bytes.data()), piece.size());
      continue;
    }
    if (block.last) {
      if (block.damage) return std::unexpected(*block.damage);
      return std::nullopt;
    }
    give_back();
  }
}

AheadReader::Block& AheadReader::filled() {
  if (at_ == 0) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return filled_ != emptied_; });
  }
  return blocks_[emptied_ % kBlocks];
}

void AheadReader::give_back() {
  at_ = 0;
  {
    const std::lock_guard lock(mutex_);
    ++emptied_;
  }
  changed_.notify_one();
}

// --- the thread --------------------------------------------------------------------------------------------------

void AheadReader::run() {
  for (;;) {
    const auto packet = reader_->next();
    if (packet && *packet) {
      add({.packet = **packet});
      if (filling_ == nullptr) return;
      continue;
    }
    if (begin_block() == nullptr) return;
    filling_->last = true;
    if (!packet) filling_->damage = packet.error();
    hand_over();
    return;
  }
}

void AheadReader::add(const Entry& entry) {
  const ByteView bytes = entry.packet.bytes;
  if (filling_ != nullptr && (filling_->entries.size() == kBlockEntries || kBlockBytes - filling_->used < bytes.size()))
    hand_over();
  if (begin_block() == nullptr) return;
  const MutableBytes place = MutableBytes(filling_->bytes).subspan(filling_->used, bytes.size());
  std::ranges::copy(bytes, place.begin());
  filling_->used += bytes.size();
  Entry& added = filling_->entries.emplace_back(entry);
  added.packet.bytes = place;
  added.opened_begin = filling_->opened.size();
  if (filling_->works && !entry.secrets)
    work_->look_at(added.packet, MutableBytes(filling_->room).subspan(filling_->used - place.size(), place.size()),
                   filling_->opened);
  added.opened_end = filling_->opened.size();
}

AheadReader::Block* AheadReader::begin_block() {
  if (filling_ != nullptr) return filling_;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || filled_ - emptied_ < kBlocks; });
    if (stopped_) return nullptr;
    filling_ = &blocks_[filled_ % kBlocks];
    filling_->works = work_ != nullptr && filled_ - emptied_ >= kWorkFrom;
  }
  filling_->used = 0;
  filling_->entries.clear();
  filling_->opened.clear();
  if (filling_->works) filling_->room.resize(kBlockBytes);
  return filling_;
}

void AheadReader::hand_over() {
  {
    const std::lock_guard lock(mutex_);
    ++filled_;
  }
  filling_ = nullptr;
  changed_.notify_one();
}

}  // namespace mxp::dump
