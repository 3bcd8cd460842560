#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
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
    : end_(eventfd(0, EFD_CLOEXEC)), thread_([this, on_signal = std::move(on_signal)] {
        const sigset_t interrupts = Interrupts();
        const int signals = signalfd(-1, &interrupts, SFD_CLOEXEC);
        int count = 0;
        while (true) {
          std::array<pollfd, 2> waits = {pollfd{signals, POLLIN, 0}, pollfd{end_, POLLIN, 0}};
          poll(waits.data(), waits.size(), /*timeout=*/-1);
          if (waits[1].revents != 0) break;
          signalfd_siginfo signal;
          if (waits[0].revents != 0 && read(signals, &signal, sizeof(signal)) > 0) {
            on_signal(++count);
          }
        }
        close(signals);
      }) {}

InterruptWatch::~InterruptWatch() {
  const uint64_t one = 1;
  // A new eventfd takes it at once.
  [[maybe_unused]] const ssize_t written = write(end_, &one, sizeof(one));
  thread_.join();
  close(end_);
}

}  // namespace headwater
