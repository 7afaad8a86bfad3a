#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <random>

#include <catch2/catch.hpp>

#include "card/card_backend.hpp"
#include "card/emulator.hpp"
#include "card/packet.hpp"
#include "driver.hpp"
#include "tiny_model.hpp"

using namespace nvnmd;
using namespace nvnmd::card;
using Catch::Matchers::Contains;

namespace {

// A card in this process; `spoil` may change the answers to a transfer.
struct Bench {
  explicit Bench(std::shared_ptr<const Model> model) : card({std::move(model)}, 3, 1) {}

  Emulator card;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::byte> answers;
  std::function<void(Bytes&)> spoil = [](Bytes&) {};
  int transfers = 0, opened = 0;
};

class BenchLink final : public Link {
 public:
  explicit BenchLink(Bench& bench) : bench_(bench) { ++bench.opened; }

  void send(std::span<const std::byte> transfer, Clock::time_point) override {
    const std::lock_guard lock(bench_.mutex);
    Bytes answer = bench_.card.transfer(transfer);
    const bool marker = transfer.size() == kPacketBytes;
    if (!marker) ++bench_.transfers;
    if (!marker) bench_.spoil(answer);
    bench_.answers.insert(bench_.answers.end(), answer.begin(), answer.end());
    bench_.changed.notify_all();
  }

  std::size_t receive(std::span<std::byte> buffer, Clock::time_point deadline) override {
    std::unique_lock lock(bench_.mutex);
    if (!bench_.changed.wait_until(lock, deadline, [this] { return !bench_.answers.empty(); })) throw DeviceError(Fault::silent, "no answer");
    const std::size_t count = std::min(buffer.size(), bench_.answers.size());
    std::copy_n(bench_.answers.begin(), count, buffer.begin());
    bench_.answers.erase(bench_.answers.begin(), bench_.answers.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  std::uint32_t read_register(std::uint32_t number) override {
    const std::lock_guard lock(bench_.mutex);
    return bench_.card.read_register(number);
  }
  void write_register(std::uint32_t number, std::uint32_t word) override {
    const std::lock_guard lock(bench_.mutex);
    bench_.card.write_register(number, word);
  }

 private:
  Bench& bench_;
};

// Atoms of a chain, with words for displacements; no atom has more than the three neighbors that the model holds.
struct Chain {
  std::vector<std::int64_t> types, first{0}, neighbor, displacement;

  explicit Chain(std::int64_t atoms, unsigned seed) {
    std::mt19937 random(seed);
    for (std::int64_t i = 0; i < atoms; ++i) {
      types.push_back(0);
      for (std::int64_t j : {i - 1, i + 1}) {
        if (j < 0 || j >= atoms) continue;
        neighbor.push_back(j);
        displacement.insert(displacement.end(), {(j - i) * (20000 + static_cast<std::int64_t>(random() % 5000)), 77, -5});
      }
      first.push_back(static_cast<std::int64_t>(neighbor.size()));
    }
  }

  FrameResult compute(ForceDriver& driver) const {
    return driver.compute(NeighborWords(driver.model(), types, first, neighbor, displacement), {true, true});
  }
};

struct Pair {
  std::shared_ptr<const Model> model = TinyModel().load();
  Bench bench{model};
  ForceDriver cpu{make_cpu_backend(model, "portable", 1)};
  CardOptions options;
  const CardCounts* counts = nullptr;
  std::unique_ptr<ForceDriver> card;

  Pair() {
    options.threads = 3;
    options.atoms = 5;
    options.timeout_s = 0.02;
    options.retries = 20;
  }
  void start() {
    auto backend = make_card_backend(model, options, [this] { return std::make_unique<BenchLink>(bench); });
    counts = &backend->counts();
    card = std::make_unique<ForceDriver>(std::move(backend));
  }
  void compare(std::int64_t atoms, unsigned seed) {
    const Chain chain(atoms, seed);
    const FrameResult expected = chain.compute(cpu), found = chain.compute(*card);
    CHECK(found.energy == expected.energy);
    CHECK(found.force == expected.force);
    CHECK(found.atom_virial == expected.atom_virial);
  }
  std::int64_t faults() const {
    std::int64_t sum = 0;
    for (const std::int64_t count : counts->faults) sum += count;
    return sum;
  }
};

}  // namespace

TEST_CASE("a card gives the integers of the CPU, however the atoms are cut into transfers") {
  for (const int atoms : {1, 5, 1000}) {
    for (const int buffers : {1, 3}) {
      Pair pair;
      pair.options.atoms = atoms;
      pair.options.buffers = buffers;
      pair.start();
      for (const std::int64_t size : {0, 1, 6, 203}) pair.compare(size, 1);
      CHECK(pair.faults() == 0);
      CHECK(pair.counts->loads == 1);
    }
  }
}

TEST_CASE("damaged answers are asked for again") {
  Pair pair;
  std::mt19937 random(3);
  pair.bench.spoil = [&](Bytes& answer) {
    if (random() % 4 != 0 || answer.empty()) return;
    switch (random() % 4) {
      case 0: answer[random() % answer.size()] ^= std::byte{16}; break;
      case 1: answer.resize(random() % answer.size()); break;
      case 2: answer.erase(answer.begin(), answer.begin() + 64); break;
      default: answer.insert(answer.begin(), 30, std::byte{0x4E}); break;
    }
  };
  pair.start();
  for (unsigned seed = 0; seed < 20; ++seed) pair.compare(100, seed);
  CHECK(pair.faults() > 20);
}

TEST_CASE("a card that was reset is loaded again") {
  Pair pair;
  pair.start();
  pair.compare(40, 1);
  pair.bench.card.reset();
  pair.compare(40, 2);
  CHECK(pair.counts->loads == 2);
}

TEST_CASE("a card that computes something else is refused when it is opened") {
  Pair pair;
  pair.bench.spoil = [&](Bytes& answer) {
    if (load_word(answer.data()) != wanted_header(3)) return;
    // A sound answer with another energy: no checksum can tell.
    const std::uint32_t sequence = sequence_of(answer);
    const std::vector<std::int32_t> zeros(3);
    answer.clear();
    append_answer(answer, 1, Status::ok, sequence, {1, zeros, zeros, zeros, {}});
  };
  pair.options.atoms = 1;
  // The atoms that test a card are one transfer; only the last of them has three neighbors.
  pair.bench.spoil = [spoil = pair.bench.spoil](Bytes& answer) {
    if (answer.size() < answer_bytes(3)) return;
    Bytes last(answer.end() - static_cast<std::ptrdiff_t>(answer_bytes(3)), answer.end());
    spoil(last);
    std::copy(last.begin(), last.end(), answer.end() - static_cast<std::ptrdiff_t>(answer_bytes(3)));
  };
  CHECK_THROWS_WITH(pair.start(), Contains("computes something else than the CPU"));
}

TEST_CASE("an error of an atom is that of the lowest batch, and the card goes on") {
  Pair pair;
  pair.start();
  const double x[] = {0.0, 1.5, 3.0, 4.4, 4.5, 6.0, 7.0, 7.1};
  std::vector<std::int64_t> types(8), center, neighbor;
  std::vector<double> vectors;
  for (std::int64_t i = 0; i < 8; ++i) {
    for (std::int64_t j : {i - 1, i + 1}) {
      if (j < 0 || j > 7) continue;
      center.push_back(i);
      neighbor.push_back(j);
      vectors.insert(vectors.end(), {x[j] - x[i], 0.0, 0.0});
    }
  }
  const NeighborVectors close(*pair.model, types, center, neighbor, vectors);
  for (int attempt = 0; attempt < 20; ++attempt) CHECK_THROWS_WITH(pair.card->compute(close), Contains("atoms 3 and 4 are"));
  pair.compare(60, 1);
}

TEST_CASE("a card that never gets better is given up") {
  Pair pair;
  pair.start();
  pair.options.retries = 2;
  pair.start();
  pair.bench.spoil = [](Bytes& answer) { answer[40] ^= std::byte{1}; };
  const Chain chain(40, 1);
  CHECK_THROWS_AS(chain.compute(*pair.card), DeviceError);
  CHECK_THROWS_WITH(chain.compute(*pair.card), Contains("3 attempts"));
  pair.bench.spoil = [](Bytes&) {};
  pair.compare(40, 1);
}

TEST_CASE("a card asks for an interrupt when the first enabled event happens, and again when the host has seen to it") {
  Emulator card({TinyModel().load()}, 3, 1);
  const Bytes nothing(1);
  card.transfer(nothing);
  CHECK(card.read_register(kRegEvents) == (kEventReset | 1u << static_cast<unsigned>(Status::truncated)));
  CHECK(card.take_interrupts() == 0);
  card.write_register(kRegEvents, kEventReset);
  CHECK(card.read_register(kRegEvents) == 0);
  card.transfer(nothing);
  CHECK(card.take_interrupts() == 0);
  for (int time = 0; time < 2; ++time) {
    card.reset();
    card.reset();
    CHECK(card.take_interrupts() == 1);
    CHECK(card.read_register(kRegEvents) == kEventReset);
    card.write_register(kRegEvents, kEventReset);
  }
}
