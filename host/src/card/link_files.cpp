// Files of the XDMA driver, and sockets in their place.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "card/device_error.hpp"
#include "card/link.hpp"
#include "card/sizes.hpp"
#include "text.hpp"

namespace nvnmd::card {
namespace {

using std::chrono::milliseconds;

std::string because(int problem) { return std::strerror(problem); }

[[noreturn]] void fail_to_open(const std::string& path, int problem) {
  if (problem == ENOENT || problem == ENXIO || problem == ENODEV) {
    throw DeviceError(Fault::missing, text("there is no card at ", path, " (", because(problem),
                                           "); is the card programmed, the host rebooted since, and the driver loaded (modprobe xdma)? `ls /dev/xdma*` "
                                           "shows what there is; choose with `device PREFIX`"));
  }
  if (problem == EACCES || problem == EPERM) {
    throw DeviceError(Fault::permission, text("this user may not open ", path, " (", because(problem),
                                              "); add a udev rule, SUBSYSTEM==\"xdma\", MODE=\"0660\", GROUP=\"xdma\", and the user to that group"));
  }
  if (problem == ECONNREFUSED) {
    throw DeviceError(Fault::missing, text("nobody serves the socket ", path, "; start the card server again, it left its socket behind"));
  }
  throw DeviceError(Fault::broken, text(path, " cannot be opened: ", because(problem)));
}

// An open file or a connected socket.
class Node {
 public:
  Node() = default;
  Node(std::string path, int flags, int kind) : path_(std::move(path)) {
    struct stat info {};
    if (::stat(path_.c_str(), &info) != 0) fail_to_open(path_, errno);
    socket_ = S_ISSOCK(info.st_mode);
    file_ = socket_ ? connected(kind) : ::open(path_.c_str(), flags | O_CLOEXEC);
    problem_ = file_ < 0 ? errno : 0;
  }
  // For waking a thread that waits for another node.
  static Node bell() {
    Node node;
    node.file_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return node;
  }
  Node(Node&& other) noexcept { swap(other); }
  Node& operator=(Node&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Node() {
    if (file_ >= 0) ::close(file_);
  }

  int file() const { return file_; }
  bool socket() const { return socket_; }
  int problem() const { return problem_; }  // of opening
  const std::string& path() const { return path_; }

  // Waits until the file can be read (POLLIN) or written (POLLOUT). Drivers without poll say at once that it can.
  void await(short what, Clock::time_point deadline) const {
    pollfd entry{file_, what, 0};
    while (true) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
      const int found = ::poll(&entry, 1, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
      if (found > 0) return;
      if (found == 0) throw DeviceError(Fault::silent, text(path_, what == POLLIN ? ": no answer in time" : ": takes no more data"));
      if (errno != EINTR) throw_broken(errno);
    }
  }

  [[noreturn]] void throw_broken(int problem) const { throw DeviceError(Fault::broken, text(path_, " fails: ", because(problem))); }
  [[noreturn]] void throw_ended() const { throw DeviceError(Fault::broken, text(path_, " was closed by the card server")); }

 private:
  void swap(Node& other) {
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    std::swap(socket_, other.socket_);
    std::swap(problem_, other.problem_);
  }

  int connected(int kind) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      return -1;
    }
    std::copy(path_.begin(), path_.end(), address.sun_path);
    const int file = ::socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    constexpr int room = 4 << 20;  // the kernel takes what it allows
    ::setsockopt(file, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (::connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return file;
    const int problem = errno;
    ::close(file);
    errno = problem;
    return -1;
  }

  std::string path_;
  int file_ = -1;
  bool socket_ = false;
  int problem_ = 0;
};

class FileLink final : public Link {
 public:
  FileLink(const std::string& prefix, Seconds patience, Seconds timeout)
      : timeout_(std::chrono::duration_cast<Clock::duration>(timeout)), user_(prefix + "_user", O_RDWR, SOCK_SEQPACKET) {
    const Clock::time_point deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(patience);
    if (user_.file() < 0) fail_to_open(user_.path(), user_.problem());
    if (user_.socket()) greet(deadline);
    else lock(deadline);
    to_card_ = opened(prefix + "_h2c_0", O_WRONLY, SOCK_SEQPACKET, deadline);
    // O_TRUNC asks the driver to end a read with the transfer that the card sends, not with the buffer.
    from_card_ = opened(prefix + "_c2h_0", O_RDONLY | O_TRUNC, SOCK_STREAM, deadline);
    // Without it only the time limit tells that a card was reset.
    if (const std::string path = prefix + "_events_0"; ::access(path.c_str(), F_OK) == 0) events_ = Node(path, O_RDONLY, SOCK_SEQPACKET);
    if (events_.file() >= 0) bell_ = Node::bell();
  }

  void send(std::span<const std::byte> transfer, Clock::time_point deadline) override {
    const std::lock_guard lock(sending_);
    to_card_.await(POLLOUT, deadline);
    ssize_t written = -1;
    do {
      written = to_card_.socket() ? ::send(to_card_.file(), transfer.data(), transfer.size(), MSG_NOSIGNAL)
                                  : ::write(to_card_.file(), transfer.data(), transfer.size());
    } while (written < 0 && errno == EINTR);
    if (written < 0) to_card_.throw_broken(errno);
    // The end of a write is the end of a transfer, so the rest cannot follow.
    if (static_cast<std::size_t>(written) != transfer.size()) {
      throw DeviceError(Fault::broken, text(to_card_.path(), " took ", written, " of ", transfer.size(), " bytes"));
    }
  }

  std::size_t receive(std::span<std::byte> buffer, Clock::time_point deadline) override {
    from_card_.await(POLLIN, deadline);
    ssize_t got = -1;
    do {
      got = ::read(from_card_.file(), buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) from_card_.throw_broken(errno);
    if (got == 0) from_card_.throw_ended();
    return static_cast<std::size_t>(got);
  }

  std::uint32_t read_register(std::uint32_t number) override {
    if (user_.socket()) return ask({number, 0});
    std::uint32_t word = 0;
    if (::pread(user_.file(), &word, sizeof word, static_cast<off_t>(4 * number)) != sizeof word) user_.throw_broken(errno);
    return word;
  }

  void write_register(std::uint32_t number, std::uint32_t word) override {
    if (user_.socket()) {
      ask({number | kWrite, word});
    } else if (::pwrite(user_.file(), &word, sizeof word, static_cast<off_t>(4 * number)) != sizeof word) {
      user_.throw_broken(errno);
    }
  }

  bool has_events() const override { return events_.file() >= 0 && bell_.file() >= 0; }

  bool await_event(const std::stop_token& stop) override {
    const std::stop_callback ring(stop, [this] { ::eventfd_write(bell_.file(), 1); });
    while (!stop.stop_requested()) {
      pollfd entries[] = {{events_.file(), POLLIN, 0}, {bell_.file(), POLLIN, 0}};
      if (::poll(entries, 2, -1) < 0) {
        if (errno == EINTR) continue;
        return false;
      }
      if (eventfd_t rung = 0; entries[1].revents != 0) {
        ::eventfd_read(bell_.file(), &rung);
        continue;
      }
      std::uint32_t interrupts = 0;
      return ::read(events_.file(), &interrupts, sizeof interrupts) == static_cast<ssize_t>(sizeof interrupts);
    }
    return false;
  }

 private:
  struct Question {
    std::uint32_t number, word;
  };
  static constexpr std::uint32_t kWrite = 1u << 31;

  static Node opened(const std::string& path, int flags, int kind, Clock::time_point deadline) {
    while (true) {
      Node node(path, flags, kind);
      if (node.file() >= 0) return node;
      // The driver lets one process at a time read from the card.
      if (node.problem() != EBUSY) fail_to_open(path, node.problem());
      if (Clock::now() > deadline) throw_busy(path);
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  [[noreturn]] static void throw_busy(const std::string& path) {
    throw DeviceError(Fault::busy, text("another process has held ", path, " all the time; ranks share a card only while all of them work, "
                                        "so look for a program that hangs (fuser ", path, ")"));
  }

  void lock(Clock::time_point deadline) const {
    while (::flock(user_.file(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) user_.throw_broken(errno);
      if (Clock::now() > deadline) throw_busy(user_.path());
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }

  // A server serves one client after the other; its first answer says that it is our turn.
  void greet(Clock::time_point deadline) const {
    try {
      ask({kRegMagic, 0}, deadline);
    } catch (const DeviceError& error) {
      if (error.fault() == Fault::silent) throw_busy(user_.path());
      throw;
    }
  }

  // An answer that is late would be taken for that to the next question: after one only a new connection helps.
  std::uint32_t ask(Question question) {
    const std::lock_guard lock(asking_);
    if (late_) throw DeviceError(Fault::broken, text(user_.path(), ": an answer is late"));
    try {
      return ask(question, Clock::now() + timeout_);
    } catch (const DeviceError& error) {
      if (error.fault() != Fault::silent) throw;
      late_ = true;
      throw DeviceError(Fault::broken, text(error.what(), " to a question for a register"));
    }
  }

  std::uint32_t ask(Question question, Clock::time_point deadline) const {
    if (::send(user_.file(), &question, sizeof question, MSG_NOSIGNAL) != sizeof question) user_.throw_broken(errno);
    user_.await(POLLIN, deadline);
    std::uint32_t word = 0;
    const ssize_t got = ::read(user_.file(), &word, sizeof word);
    if (got == 0) user_.throw_ended();
    if (got != sizeof word) user_.throw_broken(got < 0 ? errno : EPROTO);
    return word;
  }

  Clock::duration timeout_;
  Node user_, to_card_, from_card_, events_, bell_;
  std::mutex sending_, asking_;
  bool late_ = false;
};

}  // namespace

std::unique_ptr<Link> open_link(const std::string& prefix, Seconds patience, Seconds timeout) {
  return std::make_unique<FileLink>(prefix, patience, timeout);
}

}  // namespace nvnmd::card
