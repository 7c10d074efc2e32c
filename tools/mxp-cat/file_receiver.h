// --recv: each stream of the peer's brings one file. It gets its name when its end was seen and size and digest agree;
// then the sender is told so. A file that cannot be taken costs its own stream only. Folders, and what the sender could
// not send, have streams of their own. A file for which there is no descriptor waits, its stream unread, until another
// one is closed.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/digest.h"
#include "mxp-cat/file_header.h"
#include "mxp-cat/open_files.h"
#include "mxp-cat/part_file.h"
#include "mxp-cat/session.h"

namespace mxp::tools {

// Files that a peer may have under way at once: each holds two descriptors and up to 256 KiB.
inline constexpr std::uint64_t kMaxIncomingFiles = 64;

class FileReceiver : public Session, private OpenFiles::Waiter {
 public:
  // `folder` is a descriptor of options.receive_into; it and `open_files` outlive the session.
  FileReceiver(const SessionEnvironment& environment, Connection& connection, int folder, OpenFiles& open_files)
      : Session(environment, connection), folder_(folder), open_files_(open_files) {}
  ~FileReceiver() override { open_files_.leave(*this); }

  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(StreamId id, AppErrorCode code) override;
  bool expects_goodbye() const override { return true; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  Progress progress() const override { return {bytes_received_, unsized_ > 0 ? 0 : bytes_announced_}; }

 private:
  struct Incoming {
    std::vector<std::uint8_t> head;  // until the header is whole
    std::optional<FileHeader> header;
    OpenFiles::Place place;
    std::optional<PartFile> part;
    bool waiting = false;                    // for a descriptor; meanwhile its stream is not read
    bool ended = false;                      // all of the stream has been read
    std::uint64_t left = 0;                  // content still to come: of the file, or of the chunk
    bool last_chunk = true;                  // false as long as another chunk may follow
    std::vector<std::uint8_t> chunk_length;  // until it is whole
    std::uint64_t received = 0;              // bytes of content
    Sha256 digest;
    std::vector<std::uint8_t> trailer;
  };
  using Active = std::map<StreamId, Incoming>;
  enum class Step : std::uint8_t { done, later };  // later: when there is a descriptor again

  std::expected<std::size_t, Refusal> take(Incoming& file, ByteView data);
  std::expected<std::size_t, Refusal> take_header(Incoming& file, ByteView data);
  std::expected<Step, Refusal> open_part(Incoming& file);
  std::expected<void, Refusal> take_content(Incoming& file, ByteView data);
  void finish_stream(Active::iterator file);
  std::expected<Step, Refusal> finish(Incoming& file);
  std::expected<Step, Refusal> finish_record(const FileHeader& record);
  std::expected<Step, Refusal> wait_or_refuse(Refusal refusal);
  void on_file_closed() override;
  Step go_on(Active::iterator file);
  void on_refused(Active::iterator file, const Refusal& refusal);
  void note_failure(ToolError error);
  // How it went, once the peer has nothing more to send.
  Result<void> judge() const;

  int folder_;
  OpenFiles& open_files_;
  Active active_;
  MadeFolders made_folders_;
  std::size_t folders_ = 0;
  std::size_t whole_ = 0;
  std::size_t refused_ = 0;
  std::optional<ToolError> first_error_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_announced_ = 0;
  std::size_t unsized_ = 0;  // files that announced no size
};

// Opens the folder of --recv, making it if its parent exists.
Result<UniqueFd> open_receive_folder(const std::string& path);

}  // namespace mxp::tools
