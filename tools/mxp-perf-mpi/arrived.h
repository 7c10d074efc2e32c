// Which of the other ranks have told what all were asked for: each counts once, and what it tells again takes no other
// rank's place.
#pragma once

#include <vector>

namespace mxp::perf_mpi {

class Arrived {
 public:
  // Of `ranks` in all; rank 0 has nothing to tell itself.
  explicit Arrived(int ranks) : came_(static_cast<std::size_t>(ranks)), missing_(ranks - 1) { came_.front() = true; }

  // False: this rank had told it before, or is none.
  bool take(int rank) {
    const auto place = static_cast<std::size_t>(rank);
    if (rank < 0 || place >= came_.size() || came_[place]) return false;
    came_[place] = true;
    --missing_;
    return true;
  }
  bool all() const { return missing_ == 0; }

 private:
  std::vector<bool> came_;
  int missing_;
};

}  // namespace mxp::perf_mpi
