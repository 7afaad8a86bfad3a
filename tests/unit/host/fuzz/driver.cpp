// Runs the fuzz target: on the files given, then on mutations of them for a number of seconds. Inputs that reach new code (gcc's
// -fsanitize-coverage=trace-pc) join the pool. What kills the program is written to a file first.
//
//   fuzz_model|fuzz_packets [--seconds N] [--seed N] [--keep FOLDER] [--crash FILE] FILE|FOLDER...
#include <sanitizer/common_interface_defs.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "coverage.hpp"
#include "mutate.hpp"
#include "target.hpp"

// A model file is at most 64 kB here, so a loader that asks for more than this believes a lie in the header.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() {
  return "handle_abort=1:allocator_may_return_null=1:max_allocation_size_mb=512:hard_rss_limit_mb=3000";
}

extern "C" __attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "abort_on_error=1:print_stacktrace=1";  // so that both sanitizers end in the same way
}

namespace {

namespace fs = std::filesystem;
constexpr unsigned kMostSeconds = 20;  // of processor time for one input: a busy machine is no finding

struct Options {
  double seconds = 0.0;
  std::uint64_t seed = 1;
  std::string keep, crash = "fuzz-crash.nvnmd";
  std::vector<fs::path> files;
};

std::string current;
std::string crash_file;

void save_current() {
  std::ofstream(crash_file, std::ios::binary) << current;
  std::fprintf(stderr, "the input is in %s\n", crash_file.c_str());
}

void set_limit(unsigned seconds) {
  itimerval limit{};
  limit.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &limit, nullptr);
}

void too_slow(int) {
  std::fprintf(stderr, "an input took more than %u s\n", kMostSeconds);
  std::abort();
}

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto value = [&] { return i + 1 < count ? std::string(words[++i]) : throw std::invalid_argument(word + " has no value"); };
    if (word == "--seconds") {
      options.seconds = std::stod(value());
    } else if (word == "--seed") {
      options.seed = std::stoull(value());
    } else if (word == "--keep") {
      options.keep = value();
    } else if (word == "--crash") {
      options.crash = value();
    } else if (fs::is_directory(word)) {
      for (const auto& entry : fs::directory_iterator(word)) {
        if (entry.path().extension() != ".md" && entry.path().extension() != ".py") options.files.push_back(entry.path());
      }
    } else {
      options.files.emplace_back(word);
    }
  }
  std::sort(options.files.begin(), options.files.end());
  return options;
}

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error(path.string() + " cannot be read");
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Whether the input reached something new. An exception that gets through the target ends the program like any other finding.
bool run(const std::string& input) noexcept {
  current = input;
  coverage::begin();
  set_limit(kMostSeconds);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  set_limit(0);
  return coverage::found_news();
}

// Every other input is a changed model rather than a changed wreck.
void fuzz(const Options& options, std::vector<std::string>& pool, std::vector<std::string>& valid) {
  using Clock = std::chrono::steady_clock;
  Random random(options.seed);
  const auto stop = Clock::now() + std::chrono::duration<double>(options.seconds);
  long inputs = 0, models = 0;
  for (; Clock::now() < stop; ++inputs) {
    const std::vector<std::string>& from = below(2, random) == 0 && !valid.empty() ? valid : pool;
    const std::string input = mutate(from[below(from.size(), random)], pool[below(pool.size(), random)], random);
    const bool news = run(input);
    models += accepted;
    if (!news) continue;
    pool.push_back(input);
    if (accepted) valid.push_back(input);
    if (!options.keep.empty()) std::ofstream(fs::path(options.keep) / (std::to_string(pool.size()) + ".nvnmd"), std::ios::binary) << input;
  }
  std::printf("seed %llu: %ld inputs, %ld accepted, %zu in the pool, %zu places reached\n",
              static_cast<unsigned long long>(options.seed), inputs, models, pool.size(), coverage::places());
}

}  // namespace

int main(int count, char** words) try {
  const Options options = parse(count, words);
  crash_file = options.crash;
  __sanitizer_set_death_callback(save_current);
  std::signal(SIGPROF, too_slow);
  std::vector<std::string> pool = own_inputs(), valid;
  for (const fs::path& path : options.files) pool.push_back(read(path));
  if (pool.empty()) throw std::invalid_argument("give files or folders of model files to start from");
  for (const std::string& input : pool) {
    run(input);
    if (accepted) valid.push_back(input);
  }
  std::printf("%zu inputs to start from\n", pool.size());
  if (options.seconds > 0) fuzz(options, pool, valid);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", words[0], error.what());
  return 2;
}
