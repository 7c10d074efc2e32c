// Text on its way to files, which a thread of its own writes, so that no disk holds up a connection. What waits is
// bounded: a text for which there is no room is dropped whole, and its writer counts it.
//
// The first system call that fails for a file (a full disk, say) ends the writing of that file, and the first of all is
// told at once. A pipe that is full is no failure: the thread waits for its reader, however the descriptor is set, and
// what comes meanwhile finds no room and is dropped; once there is room again, whole texts follow. Only when the writer
// ends, or is flushed, does its patience with such a reader end too.
//
// A file of lines that is appended to (an open descriptor with O_APPEND) and ends in a line without its end, which a full
// disk may have left, gets that end first. Where another process writes to it at that moment, an empty line may be the
// result.
//
// A file is open only while a piece of it is written, so any number of them may be under way.
// Threads: one caller, and the thread that is made here.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mxp/error.h"

namespace mxp {

class BackgroundWriter {
 public:
  using FileId = std::uint32_t;
  struct Target {
    int folder = -1;        // a descriptor that outlives the writer; AT_FDCWD for a path
    std::string name;       // of a file that is not there yet
    int open = -1;          // in place of all this: a descriptor that outlives the writer
    bool of_lines = false;  // text in lines, which a file that is appended to may hold already
  };

  explicit BackgroundWriter(std::size_t most_bytes);
  // Writes what waits, as flush() does.
  ~BackgroundWriter();
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  // It is made, with mode 0600, when its first text is written.
  FileId add(Target target);
  // From the next text on, also if it was made under the other name.
  void rename(FileId file, std::string name);
  // False: the text was dropped, for want of room or because the file has failed.
  bool append(FileId file, std::string_view text);
  // The file's end. Room is always made for a last text, which is short.
  void finish(FileId file, std::string_view last = {});

  // What ended the first file that failed, once.
  std::optional<IoError> take_error();
  std::uint64_t failed_files() const;
  // Waits until everything is written, and two seconds at most for a pipe that nobody empties.
  void flush();

 private:
  using Identity = std::pair<std::uint64_t, std::uint64_t>;  // device and inode
  struct File {
    Target target;
    Identity identity;       // of the file, once it exists
    std::string renamed_to;  // "": no
    std::string waiting;
    bool exists = false;  // made by us
    bool dirty = false;
    bool writing = false;  // a piece of it is with the thread
    bool finished = false;
    bool failed = false;  // no more is written to it
  };
  struct Piece;

  void run();
  std::vector<Piece> take_pieces();
  // 0, or errno.
  int write_piece(Piece& piece);
  int write_patiently(int fd, std::string_view text);
  void note_failures(std::vector<Piece>& pieces);
  void add_text(File& file, FileId id, std::string_view text);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::unordered_map<FileId, File> files_;
  std::vector<FileId> dirty_;
  std::size_t bytes_ = 0;  // that wait, or are being written
  FileId next_ = 1;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> hurry_ = false;
  std::chrono::milliseconds waited_{0};  // the thread's, for readers of pipes, since it was to come to an end
  bool busy_ = false;
  std::optional<IoError> error_;  // the first
  std::uint64_t failed_files_ = 0;
  std::atomic<bool> has_error_ = false;  // error_ was not taken yet
  std::thread thread_;
};

}  // namespace mxp
