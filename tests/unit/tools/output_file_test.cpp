#include "common/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <string>

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

struct OutputFolder {
  fs::path path;
  OutputFolder() {
    std::string name = (fs::temp_directory_path() / "mxp-output-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~OutputFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string file(const std::string& name, const std::string& text = "precious") const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return path / name;
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string refusal(const std::string& path, const OutputRules& rules = {.if_exists = IfExists::replace}) {
    const auto opened = open_output_file(path, rules);
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST((opened.error().kind == ErrorKind::usage), opened.error().message);
    return opened.error().message;
  }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

BOOST_FIXTURE_TEST_SUITE(output_file, OutputFolder)

BOOST_AUTO_TEST_CASE(a_new_file_is_made_and_an_old_one_is_emptied_only_on_request) {
  BOOST_TEST(open_output_file(path / "new", {}).has_value());
  const std::string old = file("old");
  BOOST_TEST(contains(refusal(old, {}), "--force"));
  BOOST_TEST(read(old) == "precious");
  BOOST_TEST(open_output_file(old, {.if_exists = IfExists::replace}).has_value());
  BOOST_TEST(read(old).empty());
}

BOOST_AUTO_TEST_CASE(no_symbolic_link_is_written_through) {
  const std::string target = file("target");
  fs::create_symlink(target, path / "link");
  fs::create_symlink(path / "nowhere", path / "dangling");
  BOOST_TEST(contains(refusal(path / "link"), "symbolic link"));
  BOOST_TEST(contains(refusal(path / "dangling"), "symbolic link"));
  BOOST_TEST(read(target) == "precious");
  BOOST_TEST(!fs::exists(path / "nowhere"));
  // A link among the folders on the way is the user's own arrangement.
  fs::create_directory(path / "real");
  fs::create_directory_symlink(path / "real", path / "folder");
  BOOST_TEST(open_output_file(path / "folder/file", {}).has_value());
}

BOOST_AUTO_TEST_CASE(what_another_user_put_into_a_shared_folder_is_not_written_into) {
  if (::geteuid() != 0) return;  // to give a file away
  const std::string theirs = file("tmp/theirs");
  const std::string pipe = path / "tmp/pipe";
  const std::string ours = file("tmp/ours");
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0666) == 0);
  const UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  for (const std::string& name : {theirs, pipe}) BOOST_REQUIRE(::chown(name.c_str(), 65534, 65534) == 0);
  BOOST_REQUIRE(::chmod((path / "tmp").c_str(), 01777) == 0);
  BOOST_TEST(contains(refusal(theirs), "another user"));
  BOOST_TEST(read(theirs) == "precious");
  BOOST_TEST(contains(refusal(pipe), "another user"));
  const OutputRules replace{.if_exists = IfExists::replace};
  BOOST_TEST(open_output_file(ours, replace).has_value());
  // The owner of the folder could do worse; and where only the owner puts files, nobody planted one.
  BOOST_REQUIRE(::chown((path / "tmp").c_str(), 65534, 65534) == 0);
  BOOST_TEST(open_output_file(theirs, replace).has_value());
  BOOST_REQUIRE(::chown((path / "tmp").c_str(), 0, 0) == 0);
  BOOST_REQUIRE(::chmod((path / "tmp").c_str(), 0755) == 0);
  BOOST_TEST(open_output_file(theirs, replace).has_value());
}

BOOST_AUTO_TEST_CASE(devices_are_written_to_where_that_harms_nothing) {
  for (const char* device : {"/dev/null", "/dev/full"}) BOOST_TEST(open_output_file(device, {}).has_value(), device);
  BOOST_TEST(contains(refusal("/dev/zero"), "device"));
  BOOST_TEST(contains(refusal(path), "folder"));
  const std::string block = path / "block";
  if (::mknod(block.c_str(), S_IFBLK | 0600, makedev(7, 250)) == 0) {
    BOOST_TEST(contains(refusal(block), "block device"));
    BOOST_TEST(!write_secret_file(block, "key", IfExists::replace).has_value());
    BOOST_TEST(fs::is_block_file(block));
  } else {
    BOOST_TEST_MESSAGE("no right to make a block device: that part is not tested");
  }
}

BOOST_AUTO_TEST_CASE(a_pipe_is_written_to) {
  const std::string fifo = path / "fifo";
  BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto writer = open_output_file(fifo, {});
  BOOST_REQUIRE(writer.has_value());
  BOOST_TEST(::write(writer->get(), "x", 1) == 1);
}

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_is_refused) {
  const std::string fifo = path / "fifo";
  BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  BOOST_TEST(contains(refusal(fifo, {.reader_patience = std::chrono::milliseconds(20)}), "nobody reads"));
}

BOOST_AUTO_TEST_CASE(a_pipe_whose_reader_comes_a_little_later_is_written_to_and_blocks) {
  const std::string fifo = path / "fifo";
  BOOST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  auto reader = std::async(std::launch::async, [&] { return UniqueFd(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC)); });
  const auto writer = open_output_file(fifo, {.reader_patience = std::chrono::minutes(1)});
  BOOST_REQUIRE(writer.has_value());
  BOOST_TEST((::fcntl(writer->get(), F_GETFL) & O_NONBLOCK) == 0);
  BOOST_TEST(::write(writer->get(), "x", 1) == 1);
  BOOST_TEST(static_cast<bool>(reader.get()));
}

BOOST_AUTO_TEST_CASE(what_the_run_reads_is_not_overwritten_under_any_name) {
  const std::string input = file("input");
  BOOST_REQUIRE(::link(input.c_str(), (path / "second").c_str()) == 0);
  const UsedFile used{.called = "--read", .path = input};
  const OutputRules rules{.if_exists = IfExists::replace, .used = {&used, 1}};
  BOOST_TEST(contains(refusal(input, rules), "--read"));
  BOOST_TEST(contains(refusal(path / "second", rules), "same file"));
  BOOST_TEST(contains(refusal(path / "." / "input", rules), "same file"));
  BOOST_TEST(read(input) == "precious");
}

BOOST_AUTO_TEST_CASE(nothing_is_written_into_a_folder_that_is_read_as_a_whole) {
  const std::string inside = file("sent/deep/log");
  const UsedFile used{.called = "--send", .path = path / "sent", .extent = UsedFile::Extent::all_below};
  const OutputRules rules{.if_exists = IfExists::replace, .used = {&used, 1}};
  BOOST_TEST(contains(refusal(inside, rules), "--send"));
  BOOST_TEST(contains(refusal(path / "sent/new", rules), "--send"));
  BOOST_TEST(read(inside) == "precious");
  BOOST_TEST(!fs::exists(path / "sent/new"));
  BOOST_TEST(open_output_file(path / "beside", rules).has_value());
}

BOOST_AUTO_TEST_CASE(a_descriptor_is_named_by_its_number) {
  BOOST_TEST((named_descriptor("/dev/stdout") == 1));
  BOOST_TEST((named_descriptor("/dev/fd/63") == 63));
  BOOST_TEST((named_descriptor("/proc/self/fd/4") == 4));
  for (const char* other : {"/dev/fd/", "/dev/fd/x", "/dev/fd/1/2", "/dev/fd/-1", "stdout"})
    BOOST_TEST(!named_descriptor(other).has_value(), other);
  const std::string log = file("log", "kept ");
  const UniqueFd appending(::open(log.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const auto opened = open_output_file("/dev/fd/" + std::to_string(appending.get()), {});
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST(::write(opened->get(), "more", 4) == 4);
  BOOST_TEST(read(log) == "kept more");
  const UniqueFd reading(::open(log.c_str(), O_RDONLY | O_CLOEXEC));
  BOOST_TEST(contains(refusal("/dev/fd/" + std::to_string(reading.get())), "not open for writing"));
}

BOOST_AUTO_TEST_CASE(the_words_of_a_command_line_that_may_name_files) {
  const std::vector<std::string> words = {"-rcapture", "--key=k", "--json=out", "delay 1ms trace t", "--stats", "s"};
  const auto paths = [&](std::string_view option) {
    std::string all = " ";
    for (const UsedFile& file : files_named_in(words, option)) all += file.path + " ";
    return all;
  };
  for (const char* file : {" capture ", " k ", " t ", " s "}) BOOST_TEST(contains(paths("--json"), file), file);
  BOOST_TEST(!contains(paths("--json"), " out "));
  BOOST_TEST(contains(paths("--stats"), " out "));
  BOOST_TEST(!contains(paths("--stats"), " s "));
}

BOOST_AUTO_TEST_CASE(a_secret_file_replaces_files_only_and_leaves_nothing_beside_it) {
  const std::string target = file("target");
  fs::create_symlink(target, path / "link");
  const auto refused = write_secret_file(path / "link", "key", IfExists::replace);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().kind == ErrorKind::usage));
  BOOST_TEST(fs::is_symlink(path / "link"));
  BOOST_TEST(read(target) == "precious");
  BOOST_TEST(!write_secret_file(target, "key", IfExists::refuse).has_value());
  BOOST_TEST(write_secret_file(target, "key", IfExists::replace).has_value());
  BOOST_TEST(read(target) == "key");
  struct stat status{};
  BOOST_TEST(::stat(target.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777u) == 0600u);
  BOOST_TEST(std::distance(fs::directory_iterator(path), {}) == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
