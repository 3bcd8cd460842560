// HW_CHECK guards our own invariants, never input: a failure is a bug of ours, and going on would
// risk wrong data. It prints the condition and its place, and aborts.
#ifndef HEADWATER_COMMON_BASE_CHECK_H_
#define HEADWATER_COMMON_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

#define HW_CHECK(condition)                                                                  \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

#endif  // HEADWATER_COMMON_BASE_CHECK_H_
