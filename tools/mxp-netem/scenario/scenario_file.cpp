// Read in two steps. First the tables, in the order of the file: what each says, with its line. Then for each group of
// clients all of that in the order of time, each change applied to the link that the one before left.
#include "mxp-netem/scenario/scenario_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <list>

#include "common/escape.h"
#include "mxp-netem/scenario/csv_profile.h"
#include "mxp-netem/scenario/toml_reader.h"
#include "mxp-netem/spec_files.h"
#include "netem/drop_list.h"

namespace mxp::tools {
namespace {

using netem::Direction;
using netem::LinkSpec;
using netem::TimelineEvent;

constexpr std::size_t kMostScenarioBytes = 1u << 20;  // our choices
constexpr std::size_t kMostProfileBytes = 64u << 20;
constexpr std::size_t kMostClientGroups = 100;   // each new client is held against all
constexpr std::size_t kMostChanges = 1'000'000;  // of the profiles of all groups, each direction by itself

// A change of one link, to be applied in its time.
struct Edit {
  TimelineEvent event;  // without its spec
  toml::source_region where;
  std::function<std::expected<LinkSpec, std::string>(const LinkSpec&)> spec;  // none: the link stays
};

struct Group {
  LinkPlan plan;
  std::vector<Edit> edits;
};

class ScenarioReader {
 public:
  ScenarioReader(const std::string& path, Scenario& scenario) : path_(path), scenario_(scenario) {
    folder_ = std::filesystem::path(path).parent_path();
    groups_.emplace_back();
  }

  Result<void> read(const toml::table& root);

 private:
  Result<void> mistake() const {
    return fail(ErrorKind::usage, fmt::format("{}:{}", escape(path_), problems_.first()));
  }
  void read_group(const toml::table& table, Group& group);
  void read_links(TomlTable& table, Group& group);
  void read_profile(TomlTable& table, Group& group, std::string_view key, std::initializer_list<Direction> directions);
  void read_client(const toml::table& table);
  void read_step(const toml::table& table);
  void read_step_links(TomlTable& table, const toml::table& source, TimelineEvent event, Group& group);
  void read_drop(const toml::table& table);
  Group* group_of_step(TomlTable& table);
  std::vector<Direction> directions_of(TomlTable& table);
  void resolve(Group& group);
  std::expected<LinkSpec, std::string> finish(std::expected<LinkSpec, std::string> spec, const LinkSpec& base);
  std::string beside(const std::string& file) const {
    return std::filesystem::path(file).is_absolute() ? file : (folder_ / file).string();
  }

  std::string path_;
  std::filesystem::path folder_;
  Scenario& scenario_;
  SpecFiles spec_files_;
  TomlProblems problems_;
  std::size_t changes_ = 0;  // by profiles
  std::list<Group> groups_;  // first the one for all others
  netem::DropList drops_up_;
  netem::DropList drops_down_;
};

Result<void> ScenarioReader::read(const toml::table& root) {
  TomlTable top(root, problems_);
  const auto repeat = top.time("repeat");
  for (const toml::table* link : top.tables("link")) read_group(*link, groups_.front());
  for (const toml::table* client : top.tables("client")) read_client(*client);
  for (const toml::table* step : top.tables("step")) read_step(*step);
  for (const toml::table* drop : top.tables("drop")) read_drop(*drop);
  top.text("title");
  top.expect_no_others();
  // Each beginning costs time: with less the relay would do nothing else.
  if (repeat && *repeat < std::chrono::milliseconds(1)) top.problem("repeat", "'repeat' must be at least 1ms");
  for (Group& group : groups_) {
    if (problems_.any()) break;
    group.plan.timeline.repeat = repeat.value_or(Duration::zero());
    resolve(group);
  }
  if (problems_.any()) return mistake();
  groups_.splice(groups_.end(), groups_, groups_.begin());
  for (Group& group : groups_) scenario_.plans.push_back(std::move(group.plan));
  return {};
}

void ScenarioReader::read_group(const toml::table& table, Group& group) {
  TomlTable link(table, problems_);
  read_links(link, group);
  if (link.flag("per_client").value_or(false)) group.plan.sharing = LinkSharing::one_for_each;
  link.expect_no_others();
}

// spec, up and down, and the profiles: the links as they begin.
void ScenarioReader::read_links(TomlTable& table, Group& group) {
  const auto both = table.text("spec");
  const auto up = table.text("up");
  const auto down = table.text("down");
  const auto begin = [&](std::string_view key, const std::optional<std::string>& text, LinkSpec& spec) {
    const auto& meant = text ? text : both;
    if (!meant) return;
    auto parsed = finish(netem::parse_link_spec(*meant), {});
    if (parsed) {
      spec = std::move(*parsed);
    } else {
      table.problem(text ? key : "spec", parsed.error());
    }
  };
  begin("up", up, group.plan.timeline.up);
  begin("down", down, group.plan.timeline.down);
  read_profile(table, group, "profile", {Direction::up, Direction::down});
  read_profile(table, group, "profile_up", {Direction::up});
  read_profile(table, group, "profile_down", {Direction::down});
}

void ScenarioReader::read_profile(TomlTable& table, Group& group, std::string_view key,
                                  std::initializer_list<Direction> directions) {
  const auto file = table.text(key);
  if (!file) return;
  const std::string path = beside(*file);
  scenario_.files.push_back(path);
  const auto content = read_whole_file(path, "the profile", kMostProfileBytes);
  if (!content) return table.problem(key, content.error().message);
  const auto rows = parse_csv_profile(*content);
  if (!rows) return table.problem(key, fmt::format("{}: {}", escape(path), rows.error()));
  changes_ += rows->size() * directions.size();
  if (changes_ > kMostChanges)
    return table.problem(
        key, fmt::format("the profiles have more than {} rows, those of both directions counted twice", kMostChanges));
  for (const ProfileRow& row : *rows) {
    for (const Direction direction : directions) {
      Edit edit;
      edit.event.at = row.at;
      edit.event.direction = direction;
      edit.spec = [row](const LinkSpec& base) -> std::expected<LinkSpec, std::string> { return row.applied_to(base); };
      group.edits.push_back(std::move(edit));
    }
  }
}

void ScenarioReader::read_client(const toml::table& source) {
  TomlTable table(source, problems_);
  if (groups_.size() > kMostClientGroups)
    return table.problem("name", fmt::format("more than {} [[client]]", kMostClientGroups));
  Group& group = groups_.emplace_back();
  group.plan.sharing = LinkSharing::one_for_each;
  const auto name = table.text("name");
  const auto match = table.text("match");
  const auto number = table.number("nth");
  if (table.flag("shared").value_or(false)) group.plan.sharing = LinkSharing::one_for_all;
  read_links(table, group);
  table.expect_no_others();
  if (match.has_value() == number.has_value())
    table.problem("match",
                  "[[client]] needs 'match' (an address or a network, such as \"10.0.0.0/8\") or 'nth', one of them");
  if (number) group.plan.match.number = *number;
  if (match) {
    const auto network = parse_network(*match);
    if (network) {
      group.plan.match = *network;
    } else {
      table.problem("match", fmt::format("'{}' is not an address or network, such as 10.0.0.0/8", escape(*match)));
    }
  }
  group.plan.name = name.value_or(match ? *match : number ? fmt::format("client {}", *number) : "");
  if (group.plan.name.empty()) table.problem("name", "'name' must not be empty");
  for (const Group& other : groups_) {
    if (&other != &group && other.plan.name == group.plan.name)
      table.problem("name", fmt::format("there are two [[client]] of the name '{}'", escape(group.plan.name)));
  }
}

Group* ScenarioReader::group_of_step(TomlTable& table) {
  const auto name = table.text("client");
  if (!name) return &groups_.front();
  for (Group& group : groups_) {
    if (!name->empty() && group.plan.name == *name) return &group;
  }
  table.problem("client", fmt::format("there is no [[client]] of the name '{}'", escape(*name)));
  return nullptr;
}

std::vector<Direction> ScenarioReader::directions_of(TomlTable& table) {
  const auto name = table.text("direction");
  if (!name || *name == "both") return {Direction::up, Direction::down};
  if (*name == "up") return {Direction::up};
  if (*name == "down") return {Direction::down};
  table.problem("direction", "'direction' is \"up\", \"down\" or \"both\"");
  return {};
}

void ScenarioReader::read_step(const toml::table& source) {
  TomlTable table(source, problems_);
  Group* group = group_of_step(table);
  TimelineEvent event;
  const auto at = table.time("at");
  if (!at) table.problem("at", "[[step]] needs 'at', the time from the beginning, such as \"10s\"");
  event.at = at.value_or(Duration::zero());
  event.ramp = table.time("ramp").value_or(Duration::zero());
  const bool handover = table.flag("handover").value_or(false);
  const bool rebind = table.flag("rebind").value_or(false) || handover;
  if (handover) event.path = netem::Link::Path::other;
  if (handover && event.ramp.count() > 0) table.problem("ramp", "'ramp' and 'handover' exclude each other");
  if (problems_.any() || group == nullptr) return;
  const std::size_t before = group->edits.size();
  if (rebind) {
    Edit edit;
    edit.event.at = event.at;
    edit.event.rebind = true;
    edit.where = source.source();
    group->edits.push_back(edit);
  }
  read_step_links(table, source, event, *group);
  table.expect_no_others();
  if (group->edits.size() == before && !problems_.any())
    table.problem("at", "this step changes nothing: it needs one of spec, set, up, down, blackout, handover, rebind");
}

void ScenarioReader::read_step_links(TomlTable& table, const toml::table& source, TimelineEvent event, Group& group) {
  const std::vector<Direction> directions = directions_of(table);
  const auto blackout = table.time("blackout");
  if (blackout && blackout->count() == 0) table.problem("blackout", "'blackout' must be above 0");
  const auto add = [&](Direction direction, std::string_view key, const std::optional<std::string>& text, bool whole) {
    if (!text) return;
    Edit edit{.event = event, .where = source.get(key)->source(), .spec = {}};
    edit.event.direction = direction;
    edit.spec = [this, text = *text, whole](const LinkSpec& base) {
      return finish(whole ? netem::parse_link_spec(text) : netem::change_link_spec(base, text), base);
    };
    group.edits.push_back(std::move(edit));
  };
  const auto spec = table.text("spec");
  const auto set = table.text("set");
  if (spec && set) table.problem("set", "'spec' replaces the link and 'set' changes it: keep one of them");
  for (const Direction direction : directions) {
    add(direction, "spec", spec, true);
    add(direction, "set", set, false);
  }
  add(Direction::up, "up", table.text("up"), true);
  add(Direction::down, "down", table.text("down"), true);
  if (event.ramp.count() > 0 && !spec && !set && !table.has("up") && !table.has("down"))
    table.problem("ramp", "'ramp' needs what the link becomes: spec, set, up or down");
  // A hand-over to a link of the same kind is another path all the same.
  if (event.path == netem::Link::Path::other && !spec && !set && !table.has("up") && !table.has("down")) {
    for (const Direction direction : directions) {
      Edit edit{.event = event, .where = source.source(), .spec = [](const LinkSpec& base) {
                  return std::expected<LinkSpec, std::string>(base);
                }};
      edit.event.direction = direction;
      group.edits.push_back(std::move(edit));
    }
  }
  if (!blackout) return;
  for (const Direction direction : directions) {
    for (const bool blocked : {true, false}) {
      Edit edit;
      edit.where = source.source();
      edit.event.at = event.at + (blocked ? Duration::zero() : *blackout);
      edit.event.direction = direction;
      edit.event.blocked = blocked;
      group.edits.push_back(std::move(edit));
    }
  }
}

// The handshake of MXP is one packet of the client and one of the server.
void ScenarioReader::read_drop(const toml::table& source) {
  TomlTable table(source, problems_);
  const auto first = table.number("first");
  const auto packets = table.text("packets");
  const auto handshake = table.number("handshake");
  const std::vector<Direction> directions = directions_of(table);
  table.expect_no_others();
  if (first.has_value() + packets.has_value() + handshake.has_value() != 1)
    return table.problem("first",
                         "[[drop]] needs one of 'first' (a number), 'packets' (\"1-3,7\") and 'handshake' (1 or 2)");
  if (handshake) {
    if (*handshake > 2) table.problem("handshake", "'handshake' is 1, the client's packet, or 2, the server's");
    if (table.has("direction")) table.problem("direction", "'handshake' says itself which direction is meant");
    (*handshake == 1 ? drops_up_ : drops_down_).handshake.push_back({.first = 1, .last = 1});
    return;
  }
  netem::DropList list;
  if (first) list.packets.push_back({.first = 1, .last = *first});
  if (packets) {
    auto parsed = netem::parse_drop_list(*packets);
    if (!parsed) return table.problem("packets", "'packets' is a list such as \"1-3,7\"");
    list = std::move(*parsed);
  }
  for (const Direction direction : directions) {
    netem::DropList& drops = direction == Direction::up ? drops_up_ : drops_down_;
    drops.packets.insert(drops.packets.end(), list.packets.begin(), list.packets.end());
    drops.handshake.insert(drops.handshake.end(), list.handshake.begin(), list.handshake.end());
    if (drops.packets.size() + drops.handshake.size() > netem::kMostDropRanges)
      return table.problem("packets", fmt::format("all [[drop]] together have more than {} ranges for one direction",
                                                  netem::kMostDropRanges));
  }
}

// Files are beside the scenario, but tables may also be tc's own.
std::expected<LinkSpec, std::string> ScenarioReader::finish(std::expected<LinkSpec, std::string> spec,
                                                            const LinkSpec& base) {
  if (!spec) return spec;
  if (!spec->trace.file.empty() && spec->trace.file != base.trace.file) spec->trace.file = beside(spec->trace.file);
  const auto settle = [this](netem::DelayTable& table, const netem::DelayTable& of_base) {
    std::error_code ignored;
    const std::string own = beside(table.file);
    if (!table.file.empty() && table.file != of_base.file && std::filesystem::exists(own, ignored)) table.file = own;
  };
  settle(spec->delay.table, base.delay.table);
  settle(spec->slot.table, base.slot.table);
  if (auto loaded = spec_files_.load(*spec); !loaded) return std::unexpected(loaded.error().message);
  std::vector<UsedFile> used;
  add_spec_files(used, *spec);
  for (const UsedFile& file : used) {
    if (std::find(scenario_.files.begin(), scenario_.files.end(), file.path) == scenario_.files.end())
      scenario_.files.push_back(file.path);
  }
  return spec;
}

void ScenarioReader::resolve(Group& group) {
  netem::Timeline& timeline = group.plan.timeline;
  const auto add_drops = [this](LinkSpec& spec, Direction direction) {
    const netem::DropList& drops = direction == Direction::up ? drops_up_ : drops_down_;
    if (drops.empty() || !spec.drops.empty()) return;
    spec.drops = drops;
  };
  add_drops(timeline.up, Direction::up);
  add_drops(timeline.down, Direction::down);
  std::stable_sort(group.edits.begin(), group.edits.end(),
                   [](const Edit& a, const Edit& b) { return a.event.at < b.event.at; });
  LinkSpec up = timeline.up;
  LinkSpec down = timeline.down;
  for (Edit& edit : group.edits) {
    if (timeline.repeat.count() > 0 && edit.event.at >= timeline.repeat)
      return problems_.add(edit.where, "this comes after 'repeat', when everything begins again");
    if (edit.spec) {
      LinkSpec& spec = edit.event.direction == Direction::up ? up : down;
      auto changed = edit.spec(spec);
      if (!changed) return problems_.add(edit.where, changed.error());
      spec = std::move(*changed);
      add_drops(spec, edit.event.direction);
      // A row of the profile at 0 is how the link begins.
      if (edit.event.at.count() == 0 && edit.event.ramp.count() == 0 && edit.event.path == netem::Link::Path::same) {
        (edit.event.direction == Direction::up ? timeline.up : timeline.down) = spec;
        continue;
      }
      edit.event.spec = spec;
    }
    timeline.events.push_back(std::move(edit.event));
  }
}

}  // namespace

Result<Scenario> read_scenario(const std::string& path) {
  Scenario scenario;
  scenario.files.push_back(path);
  const auto content = read_whole_file(path, "the scenario", kMostScenarioBytes);
  if (!content) return std::unexpected(content.error());
  try {
    const toml::table root = toml::parse(*content, path);
    ScenarioReader reader(path, scenario);
    if (auto read = reader.read(root); !read) return std::unexpected(read.error());
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::usage, fmt::format("{}:{}: {}", escape(path), error.source().begin.line,
                                              escape(std::string(error.description()))));
  }
  return scenario;
}

}  // namespace mxp::tools
