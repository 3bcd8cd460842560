#include "cli/examples.h"

namespace headwater {

const std::map<std::string, std::string>& Examples() {
  static const auto* const kExamples = new std::map<std::string, std::string>{
      {"",
       "  headwater demo --keep /tmp/demo        three servers of real flights, start to end\n"
       "  headwater validate                     check headwater.yaml\n"
       "  headwater run                          load what is new, everywhere\n"},
      {"demo",
       "  headwater demo                         leaves nothing behind\n"
       "  headwater demo --keep /tmp/demo        keeps the tables under /tmp/demo/lake\n"},
      {"validate",
       "  headwater validate\n"
       "  headwater validate -c conf/headwater.yaml 'airports/*'\n"
       "  headwater validate -o json | jq .datasets\n"},
      {"plan",
       "  headwater plan                         what `run` would do\n"
       "  headwater plan jfk/flights --from 2013-03-01 --to 2013-04-01\n"},
      {"run",
       "  headwater run                          everything\n"
       "  headwater run 'airports/*' --frequency hourly\n"
       "  headwater run flights --server jfk,lga --workers 4\n"},
      {"backfill",
       "  headwater backfill jfk/flights --from 2013-03-01 --to 2013-04-01\n"
       "  headwater backfill 'airports/*' --from -7d --to now --only missing\n"
       "  headwater backfill flights --from 2013 --to now --every 1mo --newest-first --max-active "
       "4\n"},
      {"retry", "  headwater retry r-20261121-0f3a1b2c\n"},
      {"status",
       "  headwater status\n"
       "  headwater status jfk/flights\n"
       "  headwater status --watch --server jfk\n"
       "  headwater status -o json --coordinator etl1:7380\n"},
      {"explain",
       "  headwater explain jfk/flights          everything of it that runs, waits or is missing\n"
       "  headwater explain r-20261121-0f3a      of a run, a task or a fence\n"},
      {"history",
       "  headwater history                      the last 20 runs\n"
       "  headwater history jfk/flights --from -7d --last 100\n"
       "  headwater history --from 2026-09 --to 2026-10 -o json | jq '.runs[].result'\n"},
      {"verify",
       "  headwater verify\n"
       "  headwater verify 'airports/flights' && echo equal\n"
       "  headwater verify planes --scd2\n"},
      {"repair",
       "  headwater repair 'airports/flights'\n"
       "  headwater repair --adopt airports/weather   after an OPTIMIZE by another program\n"},
      {"ledger",
       "  headwater ledger migrate               to what `ledger:` of the configuration says\n"
       "  headwater --ledger postgresql://db/headwater ledger migrate --yes\n"},
      {"state",
       "  headwater state show jfk/flights\n"
       "  headwater state set jfk/flights --from 2013-03-01 --to 2013-04-01\n"
       "  headwater state heal                   the ledger is lost: make one of the tables\n"},
      {"gc",
       "  headwater gc --dry-run                 what would go, and why\n"
       "  headwater gc 'airports/*'              the tables of these, whole\n"},
      {"fsck",
       "  headwater fsck                         everything, beside whatever runs\n"
       "  headwater -o json fsck 'airports/*'    the tables of these, whole\n"},
      {"coordinator",
       "  headwater coordinator                  on 127.0.0.1:7380\n"
       "  headwater coordinator -c conf/headwater.yaml --listen 127.0.0.1:9000\n"},
      {"worker",
       "  headwater worker --coordinator etl1:7380\n"
       "  headwater worker --coordinator etl1:7380 --name w1 --slots 8\n"},
      {"version", "  headwater version\n  headwater version -o json\n"},
  };
  return *kExamples;
}

}  // namespace headwater
