// --recv: each stream of the peer's brings one file. It gets its name when its end was seen and size and digest agree;
// then the sender is told so. A file that cannot be taken costs its own stream only. Folders, and what the sender could not
// send, have streams of their own.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "common/digest.h"
#include "mxp-cat/file_header.h"
#include "mxp-cat/part_file.h"
#include "mxp-cat/session.h"

namespace mxp::tools {

// Files that a peer may have under way at once: each holds a descriptor and up to 256 KiB.
inline constexpr std::uint64_t kMaxIncomingFiles = 64;

class FileReceiver : public Session {
 public:
  // `folder` is a descriptor of options.receive_into and outlives the session.
  FileReceiver(const SessionEnvironment& environment, Connection& connection, int folder)
      : Session(environment, connection), folder_(folder) {}

  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(StreamId id, AppErrorCode code) override;
  bool expects_goodbye() const override { return true; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  Progress progress() const override { return {bytes_received_, bytes_announced_}; }

 private:
  struct Incoming {
    std::vector<std::uint8_t> head;  // until the header is whole
    std::optional<FileHeader> header;
    std::optional<PartFile> part;
    std::uint64_t left = 0;  // content still to come
    Sha256 digest;
    std::vector<std::uint8_t> trailer;
  };
  using Active = std::map<StreamId, Incoming>;

  std::expected<void, Refusal> take(Incoming& file, ByteView data);
  std::expected<ByteView, Refusal> take_header(Incoming& file, ByteView data);
  std::expected<void, Refusal> finish(Incoming& file);
  std::expected<void, Refusal> finish_record(const FileHeader& record);
  void on_refused(Active::iterator file, const Refusal& refusal);
  void note_failure(ToolError error);
  // How it went, once the peer has nothing more to send.
  Result<void> judge() const;

  int folder_;
  Active active_;
  MadeFolders made_folders_;
  std::size_t folders_ = 0;
  std::size_t whole_ = 0;
  std::size_t refused_ = 0;
  std::optional<ToolError> first_error_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_announced_ = 0;
};

// Opens the folder of --recv, making it if its parent exists.
Result<UniqueFd> open_receive_folder(const std::string& path);

}  // namespace mxp::tools
