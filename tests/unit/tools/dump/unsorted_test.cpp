// What the summary says of a file that is not in order and too long to be put in order.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "mxp-dump/output/summary.h"

namespace mxp::dump::test {

BOOST_AUTO_TEST_SUITE(summary_of_unsorted_frames)

BOOST_AUTO_TEST_CASE(text_json_and_notes_say_that_the_frames_were_not_sorted) {
  const Summary summary;
  CaptureCounts counts;
  counts.out_of_order = 1;
  BOOST_TEST(!summary.to_json(counts, 0).contains("unsorted"));
  BOOST_TEST(summary.notes(counts).empty());
  BOOST_TEST(summary.to_text(counts, 0).find("1 frame is older than the frame before\n") != std::string::npos);
  counts.unsorted = true;
  BOOST_TEST((summary.to_json(counts, 0).at("unsorted") == true));
  BOOST_TEST(summary.notes(counts).size() == 1u);
  BOOST_TEST(summary.to_text(counts, 0).find("in a file too long to be sorted") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
