// Sources and readers that do what a test's script says, without a database.
#ifndef HEADWATER_TESTS_SUPPORT_FAKE_SOURCE_H_
#define HEADWATER_TESTS_SUPPORT_FAKE_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "worker/source/source_reader.h"

namespace headwater {

// Rows as a JSON array of arrays, decoded by the types of `schema`:
//   BatchOf(schema, R"([[1, "a", null], [2, "b", "12.50"]])")
// Decimals and timestamps are text: "12.50", "2013-01-01 05:00:00" (in UTC). Ends the test process
// when the text does not decode.
std::unique_ptr<RowBatch> BatchOf(const Schema& schema, const std::string& json_rows);

struct FakeScript {
  Schema schema;
  std::vector<std::string> batches;         // Each as BatchOf() takes it.
  absl::Status end;                         // After the batches: OK means exhausted.
  bool blocks_at_end = false;               // Instead of ending, Next() waits for Cancel().
  std::function<void()> on_cancel = [] {};  // Cancel() takes effect when it has returned.
};

// Thread-safe.
class FakeReader final : public SourceReader {
 public:
  explicit FakeReader(FakeScript script) : script_(std::move(script)) {}

  const Schema& schema() const override { return script_.schema; }
  absl::StatusOr<std::unique_ptr<RowBatch>> Next() override;
  void Cancel() override;

  // Batches handed out so far.
  int batches_read() const;
  // Blocks until `count` batches were handed out.
  void AwaitBatches(int count) const;

 private:
  const FakeScript script_;
  mutable absl::Mutex mutex_;
  int next_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// Answers every Probe() with `probe` and every Read() with a FakeReader of `script` (whatever the
// extent), unless `open_status` says otherwise.
class FakeSource final : public Source {
 public:
  absl::StatusOr<ProbeResult> Probe(const DatasetSpec& dataset, const ProbeTask& task,
                                    std::stop_token stop) override;
  absl::StatusOr<std::unique_ptr<SourceReader>> Read(const DatasetSpec& dataset,
                                                     const Extent& extent,
                                                     const ReadOptions& options,
                                                     std::stop_token stop) override;

  ProbeResult probe;
  FakeScript script;
  absl::Status open_status;
  std::vector<Extent> reads;            // What was asked for.
  std::vector<std::string> query_tags;  // Of probes and reads.
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_FAKE_SOURCE_H_
