// What --recv lets onto the disk: headers, names, and the .part on its way to a name.
#include <fcntl.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "common/digest.h"
#include "mxp-cat/file_header.h"
#include "mxp-cat/part_file.h"

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

ByteView bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

struct Inbox {
  fs::path path;
  UniqueFd folder;
  mutable MadeFolders made;
  Inbox() {
    std::string name = (fs::temp_directory_path() / "mxp-inbox-XXXXXX").string();
    path = ::mkdtemp(name.data());
    folder = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY));
  }
  ~Inbox() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  auto create(const std::string& name, Replace replace = Replace::no) const {
    return PartFile::create(folder.get(), path.string(), {.name = name, .size = 0, .mode = 0640}, replace, made);
  }
  std::string read(const std::string& name) const {
    std::ifstream in(path / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
};

BOOST_FIXTURE_TEST_SUITE(file_transfer, Inbox)

BOOST_AUTO_TEST_CASE(a_header_is_read_back_from_any_pieces) {
  const FileHeader header{.name = "dir/naïve", .size = 0x0123456789abcdef, .mode = 0755};
  const auto encoded = encode_header(header);
  BOOST_TEST(encoded.size() == kFixedHeaderBytes + header.name.size());
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    const auto parsed = parse_header(ByteView(encoded).first(length));
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(!parsed->has_value());
  }
  auto longer = encoded;
  longer.push_back('x');
  const auto parsed = parse_header(longer);
  BOOST_REQUIRE(parsed.has_value() && parsed->has_value());
  BOOST_TEST((**parsed).consumed == encoded.size());
  BOOST_TEST(((**parsed).header == header));
}

BOOST_AUTO_TEST_CASE(a_record_is_read_back_from_any_pieces) {
  for (const RecordKind kind : {RecordKind::folder, RecordKind::not_sent, RecordKind::unsized_file}) {
    const FileHeader header{.name = "dir/naïve", .mode = 0750, .kind = kind};
    const auto encoded = encode_header(header);
    for (std::size_t length = 0; length < encoded.size(); ++length) {
      const auto parsed = parse_header(ByteView(encoded).first(length));
      BOOST_REQUIRE(parsed.has_value());
      BOOST_TEST(!parsed->has_value());
    }
    const auto parsed = parse_header(encoded);
    BOOST_REQUIRE(parsed.has_value() && parsed->has_value());
    BOOST_TEST((**parsed).consumed == encoded.size());
    BOOST_TEST(((**parsed).header == header));
  }
}

BOOST_AUTO_TEST_CASE(a_transfer_is_known_by_its_first_bytes) {
  const auto file = encode_header({.name = "f", .size = 1, .mode = 0644});
  const auto folder_record = encode_header({.name = "f", .mode = 0755, .kind = RecordKind::folder});
  BOOST_TEST(begins_file_transfer(file));
  BOOST_TEST(begins_file_transfer(folder_record));
  BOOST_TEST(!begins_file_transfer(ByteView(file).first(4)));
  BOOST_TEST(!begins_file_transfer(bytes_of("MXPF\x03")));
  BOOST_TEST(!begins_file_transfer(bytes_of("plain text")));
}

BOOST_AUTO_TEST_CASE(folders_that_were_made_get_their_modes_from_the_deepest_on) {
  BOOST_REQUIRE(make_folder(folder.get(), path.string(), "a/b/c", made).has_value());
  made.set_mode("a", 0500);
  made.set_mode("a/b", 0500);
  made.set_mode("a/b/c", 0700);
  made.set_mode("elsewhere", 0700);  // not made here: nothing happens
  BOOST_TEST(!made.apply(folder.get()).has_value());
  const auto mode = [&](const char* name) { return fs::status(path / name).permissions(); };
  BOOST_TEST((mode("a") == fs::perms(0500)));
  BOOST_TEST((mode("a/b") == fs::perms(0500)));
  BOOST_TEST((mode("a/b/c") == fs::perms(0700)));
  fs::permissions(path / "a", fs::perms(0700));
  fs::permissions(path / "a/b", fs::perms(0700));
}

BOOST_AUTO_TEST_CASE(a_malformed_header_is_refused_at_its_first_wrong_byte) {
  const auto good = encode_header({.name = "f", .size = 1, .mode = 0644});
  const struct {
    std::size_t at;
    std::uint8_t value;
  } wrong[] = {{0, 'm'}, {3, 'G'}, {4, 2}, {6, 0x02}, {14, 0x80}, {16, 0x11}};
  for (const auto& one : wrong) {
    auto bad = good;
    bad[one.at] = one.value;
    BOOST_TEST(!parse_header(bad).has_value(), "byte " << one.at);
  }
  BOOST_TEST(!parse_header(bytes_of("GET / HTTP")).has_value());
  BOOST_TEST(!parse_header(bytes_of("X")).has_value());
}

BOOST_AUTO_TEST_CASE(names_stay_below_the_folder) {
  for (const std::string& good :
       {std::string("a"), std::string("a/b/c"), std::string("..."), std::string(".hidden"), std::string("a..b"),
        std::string("part"), std::string("a b"), std::string("日本語"), std::string(250, 'x')}) {
    BOOST_TEST(!objection_to_name(good).has_value(), good);
  }
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string(".."), std::string("../a"), std::string("a/.."),
        std::string("a/../b"), std::string("."), std::string("./a"), std::string("a//b"), std::string("a/"),
        std::string("a\0b", 3), std::string("a\\b"), std::string("a\nb"), std::string("a\x1b[m"),
        std::string("a\u202e"), std::string("\xff"), std::string("x.part"), std::string(251, 'x'),
        std::string(4097, 'x')}) {
    BOOST_TEST(objection_to_name(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(no_name_that_passes_leads_upwards) {
  BOOST_TEST(rc::check("accepted names are relative and normal", [] {
    const auto name =
        *rc::gen::container<std::string>(rc::gen::element('a', '.', '/', '\\', '\0', ' ', '\xc3', '\xa9'));
    if (objection_to_name(name)) return;
    const fs::path candidate(name);
    RC_ASSERT(candidate.is_relative());
    for (const auto& component : candidate) RC_ASSERT(component != ".." && component != "." && !component.empty());
    RC_ASSERT(candidate.lexically_normal().string() == name);
  }));
}

BOOST_AUTO_TEST_CASE(a_part_becomes_a_file_only_by_commit) {
  {
    auto part = create("sub/file");
    BOOST_REQUIRE(part.has_value());
    BOOST_REQUIRE(part->append(bytes_of("hello ")).has_value());
    BOOST_TEST(!fs::exists(path / "sub/file"));
    BOOST_TEST(fs::exists(path / "sub/file.part"));
    BOOST_REQUIRE(part->append(bytes_of("world")).has_value());
    BOOST_REQUIRE(part->commit().has_value());
  }
  BOOST_TEST(read("sub/file") == "hello world");
  BOOST_TEST(!fs::exists(path / "sub/file.part"));
  {
    BOOST_REQUIRE(create("given-up").has_value());
  }
  BOOST_TEST(!fs::exists(path / "given-up"));
  BOOST_TEST(fs::exists(path / "given-up.part"));
}

BOOST_AUTO_TEST_CASE(large_and_small_pieces_keep_their_order) {
  std::string all;
  auto part = create("mixed");
  BOOST_REQUIRE(part.has_value());
  for (std::size_t i = 0; i < 40; ++i) {
    const std::string piece((i * 37'777) % 400'000 + 1, static_cast<char>('a' + i % 26));
    all += piece;
    BOOST_REQUIRE(part->append(bytes_of(piece)).has_value());
  }
  BOOST_REQUIRE(part->commit().has_value());
  BOOST_TEST((read("mixed") == all));
}

BOOST_AUTO_TEST_CASE(a_part_of_another_user_or_open_to_others_is_not_written_into) {
  const auto refused = [&](const std::string& name) {
    const auto part = create(name);
    BOOST_REQUIRE(!part.has_value());
    BOOST_TEST((part.error().error.message.find(name + ".part") != std::string::npos));
    BOOST_TEST(read(name + ".part") == "theirs");
  };
  write("wide.part", "theirs");
  fs::permissions(path / "wide.part", fs::perms(0640));
  refused("wide");
  fs::permissions(path / "wide.part", fs::perms(0600));
  BOOST_TEST(create("wide").has_value());
  if (::geteuid() != 0) return;
  write("foreign.part", "theirs");
  fs::permissions(path / "foreign.part", fs::perms(0600));
  BOOST_REQUIRE(::chown((path / "foreign.part").c_str(), 65534, 65534) == 0);
  refused("foreign");
}

BOOST_AUTO_TEST_CASE(zeros_become_holes_and_all_bytes_stay) {
  std::string all(10'000, 'a');
  all.resize(8 << 20, '\0');
  all += "middle";
  all.resize(16 << 20, '\0');
  for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{77'777}}) {
    const std::string name = "sparse" + std::to_string(piece);
    auto part = create(name);
    BOOST_REQUIRE(part.has_value());
    for (std::size_t at = 0; at < all.size(); at += piece)
      BOOST_REQUIRE(part->append(bytes_of(std::string_view(all).substr(at, piece))).has_value());
    BOOST_REQUIRE(part->commit().has_value());
    BOOST_TEST((read(name) == all));
    struct stat status{};
    BOOST_REQUIRE(::stat((path / name).c_str(), &status) == 0);
    BOOST_TEST(status.st_blocks * 512 < 1 << 20);
  }
}

BOOST_AUTO_TEST_CASE(a_file_without_room_is_refused_before_its_content) {
  const auto part = PartFile::create(folder.get(), path.string(), {.name = "huge", .size = INT64_MAX, .mode = 0640},
                                     Replace::no, made);
  BOOST_REQUIRE(!part.has_value());
  BOOST_TEST((part.error().code == AppCode::output_failed));
  BOOST_TEST((part.error().error.kind == ErrorKind::io));
  BOOST_TEST(part.error().error.message.find("no room") != std::string::npos);
  BOOST_TEST(!fs::exists(path / "huge.part"));
}

BOOST_AUTO_TEST_CASE(an_existing_file_is_kept_or_replaced_in_one_step) {
  write("file", "old");
  auto refused = create("file");
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == AppCode::exists));
  BOOST_TEST((refused.error().error.kind == ErrorKind::usage));
  BOOST_TEST(!fs::exists(path / "file.part"));
  auto replacing = create("file", Replace::yes);
  BOOST_REQUIRE(replacing.has_value());
  BOOST_REQUIRE(replacing->append(bytes_of("new")).has_value());
  BOOST_TEST(read("file") == "old");
  BOOST_REQUIRE(replacing->commit().has_value());
  BOOST_TEST(read("file") == "new");
  fs::create_directory(path / "folder");
  BOOST_TEST((create("folder", Replace::yes).error().code == AppCode::exists));
}

BOOST_AUTO_TEST_CASE(a_file_that_appears_meanwhile_is_not_overwritten) {
  auto part = create("file");
  BOOST_REQUIRE(part.has_value());
  write("file", "theirs");
  const auto committed = part->commit();
  BOOST_REQUIRE(!committed.has_value());
  BOOST_TEST((committed.error().code == AppCode::exists));
  BOOST_TEST(read("file") == "theirs");
}

BOOST_AUTO_TEST_CASE(a_part_in_use_belongs_to_its_writer) {
  auto first = create("file");
  BOOST_REQUIRE(first.has_value());
  BOOST_REQUIRE(first->append(bytes_of("first")).has_value());
  BOOST_TEST((create("file").error().code == AppCode::being_received));
  BOOST_TEST((create("file", Replace::yes).error().code == AppCode::being_received));
  BOOST_REQUIRE(first->commit().has_value());
  BOOST_TEST(read("file") == "first");
}

BOOST_AUTO_TEST_CASE(what_became_of_a_part_meanwhile_does_not_get_the_name) {
  for (const bool exchanged : {false, true}) {
    auto part = create("file");
    BOOST_REQUIRE(part.has_value());
    BOOST_REQUIRE(part->append(bytes_of("ours")).has_value());
    fs::remove(path / "file.part");
    if (exchanged) write("file.part", "theirs");
    const auto committed = part->commit();
    BOOST_REQUIRE(!committed.has_value());
    BOOST_TEST((committed.error().error.kind == ErrorKind::io));
    BOOST_TEST(committed.error().error.message.find("exchanged") != std::string::npos);
    BOOST_TEST(!fs::exists(path / "file"));
    fs::remove(path / "file.part");
  }
}

BOOST_AUTO_TEST_CASE(links_are_not_followed_and_hard_links_not_shared) {
  fs::create_directory(path / "outside");
  fs::create_symlink("outside", path / "link");
  BOOST_TEST((create("link/file").error().code == AppCode::bad_name));
  fs::create_symlink("outside/target", path / "name.part");
  BOOST_TEST((create("name").error().code == AppCode::bad_name));
  write("precious", "precious");
  fs::create_hard_link(path / "precious", path / "other.part");
  BOOST_TEST((create("other").error().code == AppCode::bad_name));
  BOOST_TEST(read("precious") == "precious");
  BOOST_TEST(fs::is_empty(path / "outside"));
  write("plain", "");
  BOOST_TEST((create("plain/file").error().code == AppCode::bad_name));
  // A link at the place of the file itself counts as existing, and is replaced as itself.
  fs::create_symlink("precious", path / "alias");
  BOOST_TEST((create("alias").error().code == AppCode::exists));
  auto replacing = create("alias", Replace::yes);
  BOOST_REQUIRE(replacing.has_value() && replacing->commit().has_value());
  BOOST_TEST(read("precious") == "precious");
  BOOST_TEST(!fs::is_symlink(path / "alias"));
}

BOOST_AUTO_TEST_CASE(the_digest_is_sha256) {
  Sha256 digest;
  digest.update(bytes_of("a"));
  digest.update(bytes_of("bc"));
  BOOST_TEST(to_hex(digest.finish()) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4 example
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
