#include "common/key_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "common/escape.h"
#include "common/output_file.h"
#include "common/read_all.h"
#include "udp/unique_fd.h"

namespace mxp::tools {
namespace {

// A key file is a few hundred bytes, an authorized_keys file a line per client: more is the wrong file.
constexpr std::size_t kMaxKeyFileBytes = 64u << 10;
constexpr std::size_t kMaxAuthorizedKeysBytes = 64u << 20;

std::unexpected<ToolError> no_key_file(const std::string& path, std::size_t limit) {
  return fail(ErrorKind::usage, fmt::format("{} is larger than {} bytes: not a key file", path, limit));
}

// Room for a whole key file, so that it is read in place and no copy stays behind, on the stack or in freed memory.
class WipedText {
 public:
  WipedText() : bytes_(kMaxKeyFileBytes + 1, '\0') {}
  ~WipedText() { ::explicit_bzero(bytes_.data(), size_); }
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;

  char* end() { return bytes_.data() + size_; }
  std::size_t room() const { return bytes_.size() - size_; }
  void grow(std::size_t bytes) { size_ += bytes; }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

Result<void> read_secret(int fd, const std::string& path, WipedText& text) {
  while (text.room() > 0) {
    const ssize_t got = ::read(fd, text.end(), text.room());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", path), errno);
    if (got == 0) return {};
    text.grow(static_cast<std::size_t>(got));
  }
  return no_key_file(path, kMaxKeyFileBytes);
}

Result<UniqueFd> open_for_reading(const std::string& path, const char* hint) {
  // Non-blocking, so that a fifo in the place of a file is refused below instead of waited for.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    const int error = errno;
    const std::string what = fmt::format("cannot open {}", path);
    if (error == ENOENT) return fail(ErrorKind::usage, fmt::format("{}: no such file{}", what, hint));
    return fail_errno(ErrorKind::usage, what, error);
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", path), errno);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::usage, fmt::format("{} is not a regular file", path));
  return fd;
}

std::string_view next_word(std::string_view& line) {
  const auto start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos) {
    line = {};
    return {};
  }
  const auto end = line.find_first_of(" \t", start);
  const std::string_view word = line.substr(start, end == std::string_view::npos ? end : end - start);
  line = end == std::string_view::npos ? std::string_view{} : line.substr(end);
  return word;
}

// "option=value,…"; nothing if it is not of that form.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_key_options(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> options;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    options.emplace_back(one.substr(0, equals), one.substr(equals + 1));
    if (comma == std::string_view::npos) return options;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::filesystem::path> default_identity_path() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  // The XDG base directory specification: a relative path is to be ignored.
  if (config != nullptr && *config == '/') return std::filesystem::path(config) / "mxp" / "id_25519";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return std::filesystem::path(home) / ".config" / "mxp" / "id_25519";
  return fail(ErrorKind::usage,
              "no place for the default key: neither XDG_CONFIG_HOME nor HOME is set; use --identity FILE");
}

Result<PrivateKey> load_private_key(const std::filesystem::path& path) {
  const std::string name = path.string();
  auto fd = open_for_reading(name, "; `mxp-cat keygen -o FILE` makes one");
  if (!fd) return std::unexpected(fd.error());
  WipedText text;
  if (auto read = read_secret(fd->get(), name, text); !read) return std::unexpected(read.error());
  auto key = PrivateKey::from_pem(text.view());
  if (!key) {
    return fail(ErrorKind::usage,
                fmt::format("{} is not a usable private key: {}; expected an X25519 key in PKCS#8 PEM, as "
                            "`mxp-cat keygen` writes it",
                            name, to_string(key.error())));
  }
  // After that: only a key is worth the advice, and no other file should be closed to others because of it.
  struct stat status{};
  if (::fstat(fd->get(), &status) != 0) return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", name), errno);
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorKind::usage,
                fmt::format("private key {} is open to others (mode {:04o}): run `chmod 600 {}`, and make a "
                            "new key if it may have been read",
                            name, static_cast<unsigned>(status.st_mode) & 07777u, name));
  }
  return *std::move(key);
}

Result<void> write_private_key(const std::filesystem::path& path, const PrivateKey& key, IfExists if_exists) {
  const std::string name = path.string();
  std::error_code ignored;
  if (path.has_parent_path() && !std::filesystem::exists(path.parent_path(), ignored)) {
    const mode_t mask = ::umask(077);
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    ::umask(mask);
    if (error) return fail(ErrorKind::usage, fmt::format("cannot make the folder of {}: {}", name, error.message()));
  }

  std::string pem = key.to_pem();
  Result<void> written = write_secret_file(name, pem, if_exists);
  ::explicit_bzero(pem.data(), pem.size());
  return written;
}

Result<PrivateKey> key_of_file_or_new(const std::filesystem::path& path, Random& random) {
  if (path.empty()) return PrivateKey::generate(random);
  return load_private_key(path);
}

Result<Identity> load_identity(const std::filesystem::path& path, Random& random) {
  if (!path.empty()) {
    auto key = load_private_key(path);
    if (!key) return std::unexpected(key.error());
    return Identity{*std::move(key), path, false};
  }
  const auto standard = default_identity_path();
  if (!standard) return std::unexpected(standard.error());
  std::error_code ignored;
  bool created = false;
  if (!std::filesystem::exists(std::filesystem::symlink_status(*standard, ignored))) {
    const auto written = write_private_key(*standard, PrivateKey::generate(random), IfExists::refuse);
    // Another process may have made it in between: then its key is ours.
    if (!written && !std::filesystem::exists(*standard, ignored)) return std::unexpected(written.error());
    created = written.has_value();
  }
  auto key = load_private_key(*standard);
  if (!key) return std::unexpected(key.error());
  return Identity{*std::move(key), *standard, created};
}

Result<std::vector<AuthorizedKey>> parse_authorized_keys(std::string_view text, std::string_view source) {
  std::vector<AuthorizedKey> keys;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(newline + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);

    const std::string_view word = next_word(line);
    if (word.empty() || word.front() == '#') continue;
    AuthorizedKey entry;
    const auto key = PublicKey::parse(word);
    if (!key) {
      return fail(ErrorKind::usage,
                  fmt::format("{}:{}: '{}' is not a public key: expected 43 characters of base64url, as "
                              "`mxp-cat pubkey` prints them",
                              source, number, escape(word, 60)));
    }
    entry.key = *key;
    // The name may be left out: a second word with '=' in it is the options.
    std::string_view second = next_word(line);
    if (!second.empty() && second.find('=') == std::string_view::npos) {
      entry.name = second;
      second = next_word(line);
    }
    if (!second.empty()) {
      auto options = parse_key_options(second);
      if (!options || !next_word(line).empty()) {
        return fail(ErrorKind::usage,
                    fmt::format("{}:{}: expected KEY [name] [option=value,…], and nothing after it", source, number));
      }
      entry.options = *std::move(options);
    }
    keys.push_back(std::move(entry));
  }
  return keys;
}

Result<std::vector<AuthorizedKey>> load_authorized_keys(const std::filesystem::path& path) {
  const std::string name = path.string();
  const auto fd = open_for_reading(name, "; it holds one line per client: KEY [name]");
  if (!fd) return std::unexpected(fd.error());
  const auto text = read_all_or_errno(fd->get(), kMaxAuthorizedKeysBytes);
  if (!text && text.error() == EFBIG) return no_key_file(name, kMaxAuthorizedKeysBytes);
  if (!text) return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", name), text.error());
  auto keys = parse_authorized_keys(*text, name);
  if (!keys) return keys;
  for (const AuthorizedKey& entry : *keys) {
    // An option that we do not know may restrict its key: to ignore it would allow what was forbidden.
    if (!entry.options.empty()) {
      return fail(ErrorKind::usage, fmt::format("{}: unknown option '{}' of key {}", escape(name),
                                                escape(entry.options.front().first), entry.key.to_string()));
    }
  }
  return keys;
}

}  // namespace mxp::tools
