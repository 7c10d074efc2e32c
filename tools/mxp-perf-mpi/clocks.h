// How far the clock of a rank is from that of rank 0: by questions to it before the test, when all are told when to
// begin, and once more after it, which tells whether the clocks kept their distance meanwhile.
#pragma once

#include <optional>

namespace mxp::perf_mpi {

// Where no question about a clock told anything: longer than any test.
inline constexpr double kUnknownClockError = 1e6;

// By how much a rank's clock is ahead of that of rank 0.
struct ClockOffset {
  double seconds = 0;
  double error_seconds = 0;  // at most
};

// Several questions at one time, of which the one that was answered soonest tells most: the answer was read somewhere
// between question and answer.
class ClockQuestions {
 public:
  // `asked` and `answered` by the clock of rank 0, `theirs` by that of the other rank.
  void add(double asked, double theirs, double answered);
  const ClockOffset& best() const { return best_; }

 private:
  ClockOffset best_{.seconds = 0, .error_seconds = kUnknownClockError};
};

// The clock of a rank over a test.
struct RankClock {
  ClockOffset before;                     // of this the rank was told when to begin
  std::optional<ClockOffset> after = {};  // nothing: it was not asked again; of unknown error: it did not answer

  bool lost() const { return after && after->error_seconds >= kUnknownClockError; }
  // By how much it went ahead of that of rank 0 meanwhile, right within the errors of both comparisons. Nothing: it was
  // not compared again.
  std::optional<double> drift_seconds() const;
  // By how much its times may be wrong anywhere between both comparisons, where they are read as the first one has it.
  double error_seconds() const;
};

}  // namespace mxp::perf_mpi
