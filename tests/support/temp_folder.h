// A folder that lives as long as a test needs it.
#ifndef HEADWATER_TESTS_SUPPORT_TEMP_FOLDER_H_
#define HEADWATER_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/base/check.h"

namespace headwater {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "headwater-test-XXXXXX").string();
    HW_CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace headwater

#endif  // HEADWATER_TESTS_SUPPORT_TEMP_FOLDER_H_
