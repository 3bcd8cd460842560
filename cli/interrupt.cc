#include "cli/interrupt.h"

#include <signal.h>

#include <utility>

namespace headwater {
namespace {

sigset_t Interrupts() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void BlockInterrupts() {
  const sigset_t signals = Interrupts();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

InterruptWatch::InterruptWatch(std::function<void(int)> on_signal)
    : thread_([on_signal = std::move(on_signal)](std::stop_token stop) {
        const sigset_t signals = Interrupts();
        const timespec poll{0, 100'000'000};  // How long the end of this object may take.
        int count = 0;
        while (!stop.stop_requested()) {
          if (sigtimedwait(&signals, nullptr, &poll) > 0) on_signal(++count);
        }
      }) {}

InterruptWatch::~InterruptWatch() = default;

}  // namespace headwater
