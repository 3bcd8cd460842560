"""For each rule a small tree that breaks it and one that does not: a rule that cannot fail guards
nothing."""

import include_rules
import text_rules

GUARDED = (
    "// What it is.\n#ifndef HEADWATER_{0}_H_\n#define HEADWATER_{0}_H_\n{1}\n#endif  // HEADWATER_{0}_H_\n"
)


def _function(lines):
    return "namespace a {\nint F(int x)\n{\n" + "  ++x;  // {\n" * (lines - 3) + "}\n}  // namespace a\n"


def _one(path, text):
    return {path: text}


def _include(path, name):
    return _one(path, f"#include {name}\n")


# rule -> (trees that break it, trees that keep it)
SAMPLES = {
    include_rules.layers: (
        [
            _include("common/base/a.cc", '"common/data/b.h"'),
            _include("common/storage/a.cc", '"common/data/b.h"'),
            _include("common/model/a.cc", '"common/config/b.h"'),
            _include("coordinator/a.cc", '"worker/b.h"'),
            _include("worker/a.cc", '"coordinator/b.h"'),
            _include("worker/source/a.cc", '"worker/stage/b.h"'),
            _include("worker/stage/a.cc", '"worker/source/b.h"'),
            _include("worker/a.cc", '"cli/b.h"'),
            _include("cli/a.cc", '"tests/support/b.h"'),
            _include("common/data/a.cc", '"headwater/v1/types.pb.h"'),
            _one("elsewhere/a.cc", ""),
        ],
        [
            _include("common/config/a.cc", '"common/model/b.h"'),
            _include("worker/a.cc", '"worker/source/b.h"'),
            _one("coordinator/a.cc", '// Not ours to see: #include "worker/b.h"\n'),
        ],
    ),
    include_rules.adapters: (
        [
            _include("worker/worker.cc", '"worker/source/odbc/odbc_source.h"'),
            _include("worker/source/postgres/a.cc", '"worker/source/odbc/odbc_source.h"'),
        ],
        [_include("worker/registry.cc", '"worker/source/odbc/odbc_source.h"')],
    ),
    include_rules.doors: (
        [
            _include("worker/source/odbc/a.cc", "<libpq-fe.h>"),
            _include("worker/source/postgres/a.cc", "<sqlext.h>"),
            _include("common/config/config.cc", "<yaml-cpp/yaml.h>"),
            _include("cli/output.cc", "<CLI/CLI.hpp>"),
            _include("coordinator/core.cc", "<sqlite3.h>"),
            _include("coordinator/core.cc", "<arrow/api.h>"),
            _include("cli/report.cc", "<parquet/metadata.h>"),
            _include("coordinator/core.cc", "<grpcpp/server.h>"),
            _include("worker/worker.cc", '"grpcpp/channel.h"'),
        ],
        [
            _include("worker/source/postgres/a.cc", "<libpq-fe.h>"),
            _include("coordinator/ledger/a.cc", "<sqlite3.h>"),
            _include("common/rpc/channel.cc", "<grpcpp/channel.h>"),
        ],
    ),
    include_rules.arrow_headers: (
        [
            _include("common/data/row.h", "<arrow/type.h>"),
            _include("worker/stage/a.h", "<arrow/type.h>") | _include("worker/b.cc", '"worker/stage/a.h"'),
            _include("common/data/c_arrow.h", "<arrow/type.h>")
            | _include("worker/b.h", '"common/data/c_arrow.h"'),
        ],
        [
            _include("common/data/arrow_schema.h", "<arrow/type.h>"),
            _include("worker/stage/a.h", "<arrow/type.h>")
            | _include("worker/stage/b.cc", '"worker/stage/a.h"'),
        ],
    ),
    text_rules.file_length: (
        [_one("cli/a.cc", "\n" * 400), _one("tests/a.py", "\n" * 400)],
        [_one("cli/a.cc", "\n" * 399), _one("README.md", "\n" * 400)],
    ),
    text_rules.function_length: (
        [
            _one("cli/a.cc", _function(70)),
            _one("cli/a.cc", "class A {\n public:\n  explicit A(int x) : x_{x} {\n" + "f();\n" * 70 + "}\n};\n"),
            _one("cli/a.cc", "TEST(A, B) {\n" + "  EXPECT_EQ(40'000, '{');\n" * 69 + "}\n"),
        ],
        [
            _one("cli/a.cc", _function(69)),
            _one("cli/a.cc", "const int kTable[] = {\n" + "  1,\n" * 90 + "};\n"),
            _one("cli/a.cc", 'const char kText[] = R"(f() {\n' + "\n" * 90 + ')";\n' + _function(69)),
        ],
    ),
    text_rules.include_guard: (
        [
            _one("cli/a.h", GUARDED.format("CLI_B", "")),
            _one("cli/a.h", "#pragma once\n"),
            _one("cli/a.h", "#ifndef HEADWATER_CLI_A_H_\n#define HEADWATER_CLI_A_H_\n#endif\n"),
        ],
        [_one("cli/a.h", GUARDED.format("CLI_A", "int a;"))],
    ),
    text_rules.built: (
        [
            _one("tests/unit/a_test.cc", ""),
            {"tests/a_test.cc": "", "tests/CMakeLists.txt": "headwater_test(x SOURCES aa_test.cc)"},
        ],
        [{"tests/x/a_test.cc": "", "tests/CMakeLists.txt": "headwater_test(a SOURCES x/a_test.cc)"}],
    ),
    text_rules.finished: (
        [_one("cli/a.cc", "// TO" "DO: later\n"), _one("README.md", "FIX" "ME\n")],
        [_one("README.md", "to do\n")],
    ),
    text_rules.machine_paths: (
        [_one("dev", "cd /wor" "k/main\n"), _one("docs/a.md", "`/hom" "e/anna/lake`\n")],
        [_one("docs/a.md", "https://host/wor" "k/x and ./wor" "k/x\n")],
    ),
    text_rules.sleeps: (
        [
            _one("tests/a_test.cc", "absl::SleepFor(absl::Seconds(1));\n"),
            _one("tests/a_test.cc", "std::this_thread::sleep_for(1s);\n"),
            _one("tests/a.h", "usleep(1);\n"),
        ],
        [_one("tests/a_test.cc", "// No usleep(1) here.\n"), _one("common/a.cc", "usleep(1);\n")],
    ),
    text_rules.names: (
        [_one("cli/string_utils.h", ""), _one("cli/helper.cc", ""), _one("cli/lease_manager.cc", "")],
        [_one("cli/manage.cc", "")],
    ),
}
