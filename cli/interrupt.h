// SIGINT and SIGTERM as calls on a thread of their own, so that a command can end in order.
#ifndef HEADWATER_CLI_INTERRUPT_H_
#define HEADWATER_CLI_INTERRUPT_H_

#include <functional>
#include <thread>

namespace headwater {

inline constexpr int kExitInterrupted = 130;

// Blocks both signals in this thread, and so in every thread started later. Call before any other
// thread is started.
void BlockInterrupts();

// While it lives, each signal calls `on_signal` with its count (1, 2, …). Requires:
// BlockInterrupts().
class InterruptWatch {
 public:
  explicit InterruptWatch(std::function<void(int count)> on_signal);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

 private:
  const int end_;  // Readable when the thread is to end.
  std::thread thread_;
};

}  // namespace headwater

#endif  // HEADWATER_CLI_INTERRUPT_H_
