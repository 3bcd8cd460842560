// One value of the configuration.
#ifndef HEADWATER_COMMON_CONFIG_SETTING_H_
#define HEADWATER_COMMON_CONFIG_SETTING_H_

#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/config/yaml_reader.h"

namespace headwater {

// A value and where it was written, so that a later check can point there.
template <typename T>
struct Setting {
  std::optional<T> value;
  Place place;

  bool has() const { return value.has_value(); }
  T Or(T otherwise) const { return value.value_or(std::move(otherwise)); }
  void Overlay(const Setting& nearer) {
    if (nearer.has()) *this = nearer;
  }
};

// Takes what a key of `map` had, if it had a value.
template <typename T, typename U>
void PutSetting(Setting<T>& setting, MapReader& map, absl::string_view key,
                std::optional<U> value) {
  if (value.has_value()) setting = {T(*std::move(value)), map.PlaceOf(key)};
}

}  // namespace headwater

#endif  // HEADWATER_COMMON_CONFIG_SETTING_H_
