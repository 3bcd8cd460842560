#include "worker/source/session_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>
#include <utility>

namespace headwater {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What the connections of one test answer, and what became of them.
struct Script {
  absl::Status connecting, describing;
  bool sound = true;
  std::stop_source* stopped_at_close = nullptr;
  std::stop_source* stopped_while_opening = nullptr;
  int opened = 0, closed = 0;
};

class ScriptedSession : public SourceSession {
 public:
  explicit ScriptedSession(Script* script) : script_(script) { ++script_->opened; }
  ~ScriptedSession() override {
    ++script_->closed;
    if (script_->stopped_at_close != nullptr) script_->stopped_at_close->request_stop();
  }
  const Dialect& dialect() const override { return DialectOf(DialectKind::kSqlite); }
  bool sound() const override { return script_->sound; }
  absl::StatusOr<std::vector<SourceColumn>> Describe(const std::string&) override {
    if (!script_->describing.ok()) return script_->describing;
    std::vector<SourceColumn> columns(1);
    columns[0].column = {"id", {.kind = TypeKind::kLong}, false};
    columns[0].type_name = "INTEGER";
    return columns;
  }
  absl::StatusOr<std::vector<TextRow>> Query(const std::string&) override {
    return std::vector<TextRow>{{"2013-01-01 00:00:00"}};  // The clock's answer, if anybody asks.
  }
  absl::Status Execute(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<SourceReader>> OpenReader(const DatasetSpec&, const Extent&,
                                                           const ReadOptions&) override {
    if (script_->stopped_while_opening != nullptr) script_->stopped_while_opening->request_stop();
    if (cancelled_) return absl::CancelledError("the read was cancelled");
    return absl::DataLossError("nothing to read");
  }
  void Cancel() override { cancelled_ = true; }

 private:
  Script* const script_;
  bool cancelled_ = false;
};

class SessionSource : public ::testing::Test {
 protected:
  SessionSource() {
    ServerSpec server;
    server.name = "crm";
    server.url = "db://reader:secret@crm/sales";
    dataset_.relation = "deals";
    auto source = OpenSessionSource(
        server, [this](const std::string&) -> absl::StatusOr<std::unique_ptr<SourceSession>> {
          if (!script_.connecting.ok()) return script_.connecting;
          return std::make_unique<ScriptedSession>(&script_);
        });
    EXPECT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  absl::Status Probe(std::stop_token stop = {}) {
    return source_->Probe(dataset_, ProbeTask(), std::move(stop)).status();
  }

  Script script_;
  DatasetSpec dataset_;
  std::unique_ptr<Source> source_;
};

TEST_F(SessionSource, ConnectsWhenFirstNeededAndKeepsTheConnection) {
  EXPECT_EQ(script_.opened, 0);
  EXPECT_TRUE(Probe().ok());
  EXPECT_TRUE(Probe().ok());
  EXPECT_EQ(script_.opened, 1);
}

TEST_F(SessionSource, KeepsTheConnectionAfterAnErrorAboutTheData) {
  script_.describing = absl::NotFoundError("there is no table 'deals'");
  EXPECT_EQ(Probe().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Probe().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(script_.opened, 1);
}

TEST_F(SessionSource, ConnectsAgainAfterAnyOtherError) {
  script_.describing = absl::UnavailableError("the connection was lost");
  EXPECT_EQ(Probe().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(script_.closed, 1);
  script_.describing = absl::OkStatus();
  EXPECT_TRUE(Probe().ok());
  EXPECT_EQ(script_.opened, 2);
  EXPECT_FALSE(source_->Read(dataset_, Extent(), ReadOptions()).ok());
  EXPECT_EQ(script_.closed, 2);
}

TEST_F(SessionSource, ReplacesAConnectionThatIsNotSound) {
  EXPECT_TRUE(Probe().ok());
  script_.sound = false;
  EXPECT_TRUE(Probe().ok());
  EXPECT_EQ(script_.opened, 2);
  EXPECT_EQ(script_.closed, 1);
}

TEST_F(SessionSource, ErrorsNameTheServerAndTheWorkButNoPassword) {
  script_.connecting = absl::UnavailableError("no route to reader:secret@crm");
  EXPECT_THAT(std::string(Probe().message()),
              AllOf(HasSubstr("server 'crm': connecting"), Not(HasSubstr("secret"))));
  script_.connecting = absl::OkStatus();
  script_.describing = absl::InternalError("broken");
  EXPECT_THAT(std::string(Probe().message()), HasSubstr("server 'crm': probing 'deals'"));
}

TEST_F(SessionSource, AStopThatComesWhileAFailedConnectionIsClosedFindsNoConnection) {
  std::stop_source stop;
  script_.stopped_at_close = &stop;
  script_.describing = absl::UnavailableError("the connection was lost");
  EXPECT_EQ(Probe(stop.get_token()).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(stop.stop_requested());
}

// A lock on the table can keep the read's statement from beginning.
TEST_F(SessionSource, AReadIsCancelledBeforeItsFirstRowToo) {
  for (const int connections : {1, 2}) {
    std::stop_source stop;
    script_.stopped_while_opening = &stop;
    const auto readers =
        source_->ReadParts(dataset_, Extent(), ReadOptions(), connections, stop.get_token());
    EXPECT_EQ(readers.status().code(), absl::StatusCode::kCancelled) << readers.status();
  }
}

}  // namespace
}  // namespace headwater
