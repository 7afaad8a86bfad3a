#include "host_model.hpp"

#include <algorithm>
#include <utility>

namespace nvnmd::sim {

Host::Host(const HostSizes& sizes, const std::vector<Packet>& packets)
    : sizes_(sizes), packets_(packets), chance_(sizes.seed), slots_(sizes.transfers.in_flight) {
  for (std::size_t first = 0, end = 0; first < packets.size(); first = end) {
    Buffer buffer;
    end = first + static_cast<std::size_t>(sizes.transfers.next(static_cast<int>(first), static_cast<int>(packets.size() - first)));
    for (std::size_t at = first; at < end; ++at) {
      const Packet& packet = packets[at];
      buffer.in_beats += packet.beats;
      buffer.out_beats += answer_beats(packet.count);
      buffer.pack += sizes.pack_atom + sizes.pack_neighbor * packet.count;
      buffer.unpack += sizes.unpack_atom + sizes.unpack_neighbor * packet.count;
    }
    buffer.atoms_end = static_cast<std::int64_t>(end);
    buffers_.push_back(buffer);
  }
  times_.resize(buffers_.size());
  receive_left_ = buffers_.front().out_beats;
  for (int thread = sizes.threads; thread-- > 0;) idle_.push_back(thread);
  assign(0.0);
}

double Host::latency(const Link& link) {
  return link.latency + (link.spike_probability > 0.0 && !chance_.at_least(link.spike_probability) ? link.spike : 0.0);
}

void Host::assign(double now) {
  // Answers go first: they free a buffer.
  while (!idle_.empty()) {
    const bool unpacks = !answered_.empty();
    if (!unpacks && (slots_ == 0 || next_pack_ == static_cast<int>(buffers_.size()))) return;
    const int number = unpacks ? answered_.front() : next_pack_++, thread = idle_.back();
    idle_.pop_back();
    if (unpacks) answered_.pop();
    else --slots_;
    const auto at = static_cast<std::size_t>(number);
    const Phase phase = unpacks ? kUnpack : kPack;
    const double cost = unpacks ? buffers_[at].unpack : buffers_[at].pack;
    times_[at].begin[phase] = now;
    times_[at].end[phase] = now + cost;
    (unpacks ? times_[at].unpack_thread : times_[at].pack_thread) = thread;
    trace_.threads_busy += cost;
    events_.push({now + cost, phase, number, thread});
  }
}

void Host::happen(const Event& event) {
  const auto at = static_cast<std::size_t>(event.buffer);
  if (event.ends == kPack) {
    buffers_[at].ready = event.time + latency(sizes_.in);
    idle_.push_back(event.thread);
    begin_sending(event.time);
  } else if (event.ends == kReceive) {
    answered_.push(event.buffer);
  } else {
    idle_.push_back(event.thread);
    ++slots_;
    ++unpacked_;
    trace_.cycles = event.time;
  }
  assign(event.time);
}

void Host::begin_sending(double now) {
  if (sending_ || next_send_ == static_cast<int>(buffers_.size())) return;
  const auto at = static_cast<std::size_t>(next_send_);
  if (buffers_[at].ready < 0.0) return;
  sending_ = true;
  send_left_ = buffers_[at].in_beats;
  send_from_ = std::max({now, buffers_[at].ready, send_from_ + sizes_.in.gap});
  times_[at].begin[kSend] = send_from_;
}

void Host::send(double now) {
  if (!sending_ || now < send_from_ || in_beats_ >= sizes_.bridge_beats) return;
  ++trace_.in_busy;
  in_credit_ += sizes_.in.bytes_per_cycle;
  for (; in_credit_ >= kBusBytes && send_left_ > 0 && in_beats_ < sizes_.bridge_beats; in_credit_ -= kBusBytes) {
    ++in_beats_;
    --send_left_;
  }
  if (send_left_ > 0) {
    in_credit_ = std::min(in_credit_, static_cast<double>(kBusBytes));
    return;
  }
  in_credit_ = 0.0;
  times_[static_cast<std::size_t>(next_send_++)].end[kSend] = send_from_ = now + 1;
  sending_ = false;
  begin_sending(now + 1);
}

void Host::receive(double now) {
  if (out_beats_ == 0 || now < receive_from_) return;
  ++trace_.out_busy;
  BufferTimes& times = times_[static_cast<std::size_t>(next_receive_)];
  if (receive_left_ == buffers_[static_cast<std::size_t>(next_receive_)].out_beats && out_credit_ == 0.0) times.begin[kReceive] = now;
  out_credit_ += sizes_.out.bytes_per_cycle;
  for (; out_credit_ >= kBusBytes && out_beats_ > 0; out_credit_ -= kBusBytes) {
    --out_beats_;
    if (--receive_left_ > 0) continue;
    times.end[kReceive] = now + 1;
    events_.push({now + 1 + latency(sizes_.out), kReceive, next_receive_++, 0});
    if (next_receive_ < static_cast<int>(buffers_.size())) receive_left_ = buffers_[static_cast<std::size_t>(next_receive_)].out_beats;
    receive_from_ = now + 1 + sizes_.out.gap;
    out_credit_ = 0.0;
    return;
  }
  out_credit_ = out_beats_ > 0 ? std::min(out_credit_, static_cast<double>(kBusBytes)) : std::min(out_credit_, sizes_.out.bytes_per_cycle);
}

void Host::tick(std::int64_t cycle) {
  const auto now = static_cast<double>(cycle);
  while (!events_.empty() && events_.top().time <= now) {
    const Event event = events_.top();
    events_.pop();
    happen(event);
  }
  send(now);
  receive(now);
}

void Host::moved(std::int64_t cycle, bool taken, bool given, bool answer_ends) {
  const auto now = static_cast<double>(cycle);
  if (taken) {
    const auto at = static_cast<std::size_t>(enters_);
    const std::int64_t first = enters_ == 0 ? 0 : buffers_[at - 1].atoms_end;
    if (sent_beats_ == 0 && static_cast<std::int64_t>(sent_) == first) times_[at].begin[kCompute] = now;
    --in_beats_;
    if (++sent_beats_ == packets_[sent_].beats) {
      sent_beats_ = 0;
      ++sent_;
      enters_ += static_cast<int>(static_cast<std::int64_t>(sent_) == buffers_[at].atoms_end);
    }
  }
  if (given) ++out_beats_;
  trace_.out_full += !accepts();
  if (answer_ends && ++answers_ == buffers_[static_cast<std::size_t>(leaves_)].atoms_end)
    times_[static_cast<std::size_t>(leaves_++)].end[kCompute] = now + 1;
}

void Host::finish(HostTrace& trace) {
  CardTrace card = std::move(trace.card);
  trace = std::move(trace_);
  trace.card = std::move(card);
  trace.buffers = std::move(times_);
}

HostTrace play(const CardSizes& sizes, const std::vector<Packet>& packets, const HostSizes& host_sizes, Keep keep) {
  Card card(sizes, packets);
  Host host(host_sizes, packets);
  Recorder recorder(keep, packets.size());
  while (!host.done()) {
    const std::int64_t cycle = recorder.cycle();
    host.tick(cycle);
    const bool s_valid = host.offers(), m_ready = host.accepts();
    const bool taken = card.settle(m_ready, s_valid, s_valid && host.ends()) && s_valid, given = card.valid() && m_ready;
    recorder.note(card, taken, given);
    host.moved(cycle, taken, given, given && card.last());
    card.step();
    recorder.filled(card);
  }
  HostTrace trace;
  trace.card = recorder.finish(card);
  host.finish(trace);
  return trace;
}

}  // namespace nvnmd::sim
