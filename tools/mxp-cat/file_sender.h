// --send: each file on a stream of its own, a few at a time, in the order of the list. A file counts as sent when the
// receiver says that it is whole and has its name there. What could not go is told to the receiver, so that both ends
// know that the set is not whole. A file for which there is no descriptor waits until another one is closed.
#pragma once

#include <time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/digest.h"
#include "mxp-cat/file_list.h"
#include "mxp-cat/open_files.h"
#include "mxp-cat/session.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class FileSender : public Session, private OpenFiles::Waiter {
 public:
  // `list` and `open_files` outlive the session.
  FileSender(const SessionEnvironment& environment, Connection& connection, const FileList& list,
             OpenFiles& open_files);
  ~FileSender() override;

  void on_connected() override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(StreamId id, AppErrorCode code) override;
  void on_stop_sending(StreamId id, AppErrorCode code) override;
  void on_stream_writable(StreamId id) override;
  void on_streams_available() override;
  Progress progress() const override { return {bytes_sent_, bytes_total_}; }

 private:
  struct Outgoing {
    const FileEntry* entry = nullptr;  // none for a notice
    OpenFiles::Place place;
    UniqueFd fd;
    bool watched = false;    // a pipe that has nothing to read now
    timespec modified{};     // when it was opened
    bool given_up = false;   // its stream ended early, and the receiver is about to refuse it
    std::uint64_t size = 0;  // of a pipe: what has been read so far
    std::uint64_t left = 0;  // content not yet read; of a pipe not known
    Sha256 digest;
    std::string hex;                    // the digest, once known
    bool trailer_made = false;          // nothing more is to be made
    std::vector<std::uint8_t> pending;  // from pending_begin on: made, not yet taken by the stream
    std::size_t pending_begin = 0;
  };
  using Active = std::map<StreamId, Outgoing>;

  void start_after_transmit();
  void start_next();
  Result<Outgoing> open(const FileEntry& entry);
  bool start_stream(Outgoing file);
  Result<void> check_unchanged(const Outgoing& file) const;
  void on_file_closed() override { start_next(); }
  void pump(StreamId id, Outgoing& file);
  enum class Refill : std::uint8_t { filled, nothing_now };
  Result<Refill> refill(Outgoing& file);
  Result<Refill> refill_from_pipe(Outgoing& file);
  Result<std::size_t> read_some(Outgoing& file, std::uint8_t* into, std::size_t room);
  void make_trailer(Outgoing& file);
  void watch(StreamId id, Outgoing& file);
  void close(Outgoing& file);
  void on_whole(Active::iterator file);
  void on_failed(Active::iterator file, std::string why);
  static std::string name_of(const Outgoing& file) { return file.entry != nullptr ? file.entry->name : "a notice"; }
  void note_failure(ToolError error);
  void end_if_done();

  const FileList& list_;
  OpenFiles& open_files_;
  std::size_t next_ = 0;              // index of the first entry not yet begun
  std::vector<std::string> notices_;  // what did not go, still to be told to the receiver
  Active active_;
  std::optional<ToolError> first_error_;
  std::size_t failed_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_total_ = 0;
  std::optional<std::uint64_t> start_timer_;
};

}  // namespace mxp::tools
