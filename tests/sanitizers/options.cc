// What a program built with a sanitizer tells the sanitizer, however it is started: by ctest, by
// another test's script, or by hand. ASAN_OPTIONS, UBSAN_OPTIONS and TSAN_OPTIONS of the
// environment come on top.
#include <cstdlib>

namespace {

// Arrow's own allocator takes memory from the system in big blocks and hands the same addresses to
// one thread after another: it hides overruns from one sanitizer, and shows races that are none to
// the other. Arrow asks for this on first use, which is after this constructor.
[[gnu::constructor]] void UseMallocInArrow() {
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
}

}  // namespace

extern "C" {

const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:check_initialization_order=1:strict_init_order=1";
}

const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }

#ifdef HEADWATER_TSAN_SUPPRESSIONS
const char* __tsan_default_options() {
  return "history_size=4:suppressions=" HEADWATER_TSAN_SUPPRESSIONS;
}
#endif

}  // extern "C"
