// From the story of a connection to findings. Each judge is a pure function that knows one family of troubles; what a
// threshold is and why stands where it is used.
#pragma once

#include <vector>

#include "mxp-dump/analysis/capture_story.h"
#include "mxp-dump/analysis/finding.h"

namespace mxp::dump {

using Findings = std::vector<Finding>;

void judge_handshake(const Story& story, const Surroundings& around, Findings& findings);
void judge_loss(const Story& story, Findings& findings);
void judge_delay(const Story& story, Findings& findings);
void judge_order(const Story& story, Findings& findings);
void judge_path(const Story& story, Findings& findings);
void judge_credit(const Story& story, Findings& findings);
void judge_sender(const Story& story, Findings& findings);
void judge_end(const Story& story, const Surroundings& around, Findings& findings);
void judge_capture(const Story& story, const Surroundings& around, Findings& findings);

// All of them, the likeliest and gravest first.
Findings judge(const Story& story, const Surroundings& around);

// What of a capture's shortcomings the judges share.
// Where most losses of a direction happened, and how they look.
struct LossPlace {
  const LossPattern* pattern = nullptr;
  bool before_here = false;  // between the sender and the place of the capture
};
LossPlace loss_place(const DirectionStory& direction);
// Losses that a queue or a policer makes, by what the round trip and the rate were at that time.
enum class LossCause : std::uint8_t { none, unknown, queue, policer };
LossCause loss_cause(const DirectionStory& direction);
// Whether packets wait for each other most of the time.
bool queue_stands(const DirectionStory& direction);
// Acknowledgements that the capture should have seen and has not, as a share.
bool acknowledges_only(const DirectionStory& direction);
double acknowledgements_lost(const DirectionStory& acknowledging);

std::string milliseconds_text(std::int64_t ns);

}  // namespace mxp::dump
