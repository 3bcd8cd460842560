// Feeds a fuzz target every file of its corpus: what was once found stays found, with any compiler.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace headwater {
namespace {

TEST(Corpus, EveryFileIsTaken) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(HEADWATER_CORPUS)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    ++files;
  }
  EXPECT_GT(files, 0);
}

}  // namespace
}  // namespace headwater
