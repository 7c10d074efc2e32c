#include "common/command_names.h"

#include <boost/test/unit_test.hpp>

#include "mxp/version.h"

namespace mxp::tools {
namespace {

constexpr std::string_view kPresent[] = {"make", "show"};
constexpr std::string_view kAbsent[] = {"compare"};
constexpr CommandNames kNames{.tool = "mxp-test", .present = kPresent, .absent = kAbsent, .or_else = ", or a URL"};

std::string refusal(std::vector<std::string> arguments) {
  const auto checked = check_command(kNames, arguments);
  if (checked) return "";
  BOOST_TEST((checked.error().code == ExitCode::usage));
  return checked.error().error;
}

BOOST_AUTO_TEST_SUITE(command_names)

BOOST_AUTO_TEST_CASE(what_is_there_and_what_asks_for_help_pass) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"-h"},
                                                    {"--version"},
                                                    {"make"},
                                                    {"-v", "show", "compare"},
                                                    {"make", "compare", "--help"}})
    BOOST_TEST(refusal(arguments) == "");
}

BOOST_AUTO_TEST_CASE(a_line_without_a_command_is_told_what_there_is) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"-v"}})
    BOOST_TEST(refusal(arguments) == "a command is missing: use make, show, or a URL (see mxp-test --help)");
  CommandNames without_commands = kNames;
  without_commands.present = {};
  BOOST_TEST(check_command(without_commands, std::vector<std::string>{"-v"}).has_value());
}

BOOST_AUTO_TEST_CASE(a_planned_command_is_not_in_this_version) {
  const std::string says =
      "'compare' is not in mxp-test " + std::string(kLibraryVersion) + ": use make, show, or a URL";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"compare"}, {"compare", "--help"}, {"--help", "compare"}, {"-v", "compare", "make"}})
    BOOST_TEST(refusal(arguments) == says);
}

BOOST_AUTO_TEST_CASE(another_word_is_not_a_command_and_is_shown_escaped) {
  BOOST_TEST(refusal({"launch", "--help"}) == "'launch' is not a command: use make, show, or a URL");
  BOOST_TEST(refusal({""}) == "'' is not a command: use make, show, or a URL");
  BOOST_TEST(refusal({"\x1b[2J"}).find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_in_a_commands_place_is_told_its_option) {
  CommandNames names = kNames;
  const std::vector<std::string> file{MXP_SOURCE_DIR "/README.md"}, nothing{MXP_SOURCE_DIR "/no-such-file"};
  const std::string_view use = "use make, show, or a URL";
  BOOST_TEST(check_command(names, file).error().error.ends_with(use));
  names.file_option = "-r";
  BOOST_TEST(check_command(names, file).error().error ==
             "'" + file[0] + "' is not a command: mxp-test -r " + file[0] + " reads it");
  BOOST_TEST(check_command(names, nothing).error().error.ends_with(use));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
