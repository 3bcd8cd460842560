// From what a table's log says of a dataset to how far its ledger may call it: the pure part of
// `state heal` and `repair --adopt`. Conservative: what a table cannot prove is read again.
//
//   in the table                                   in the ledger
//   a piece that had settled, whole                fresh
//   a piece that had not settled, or not whole     stale: its extent is read again, and replaced
//   the rows outside of the domain                 stale, with all after the last piece, in one
//   read nothing (ranges without rows leave no trace)   missing rows by key missing: they are
//   looked up and compared again files of another writer                        nothing, unless
//   they are adopted: then the next
//                                                  read is of everything, and takes their place
#ifndef HEADWATER_COORDINATOR_PLAN_TAKEOVER_PLAN_H_
#define HEADWATER_COORDINATOR_PLAN_TAKEOVER_PLAN_H_

#include "common/model/dataset_spec.h"
#include "coordinator/commit/takeover.h"
#include "headwater/v1/progress.pb.h"
#include "headwater/v1/state.pb.h"

namespace headwater {

struct PlannedTakeover {
  bool possible = true;  // False: `report` says why not, and what to do.
  v1::DatasetProgress progress;
  v1::TakenDataset report;
  // What the table's files are to become: TakeoverRequest.
  bool adopts = false, adopts_by_key = false;
};

// Of one dataset in the table of `survey`. `adopt`: files of another writer are taken over.
PlannedTakeover PlanTakeover(const DatasetSpec& spec, const TableSurvey& survey, bool adopt);

}  // namespace headwater

#endif  // HEADWATER_COORDINATOR_PLAN_TAKEOVER_PLAN_H_
