// What is left for a database behind ODBC that nobody here knows: the standard's quotes and
// literals.
#include "worker/source/dialects/dialects.h"

namespace headwater::dialects {
namespace {

absl::StatusOr<std::string> KeyLiteral(const Column& key, absl::string_view source_type,
                                       absl::string_view text) {
  return CommonKeyLiteral(kGeneric, key, source_type, text);
}

std::string Quantiles(const QuantileNames& names) { return TileQuantiles(names, SameText); }

}  // namespace

constinit const Dialect kGeneric = {
    .kind = DialectKind::kGeneric,
    .name = "ODBC",
    .text_literal = StandardText,
    .cursor_literal = StandardCursorLiteral,
    .cursor_as_text = SameText,
    .key_as_text = SameText,
    .value_as_text = [](const std::string& column, const ColumnType&,
                        absl::string_view) { return column; },
    .key_literal = KeyLiteral,
    .quantiles = Quantiles,
};

}  // namespace headwater::dialects
