#include "stream_blocks.hpp"

namespace nvnmd::sim {

PacketIn::PacketIn(int lanes, int depth, const std::vector<Packet>& packets)
    : packets_(packets), lanes_(lanes), depth_(depth), flags_(static_cast<std::size_t>(depth)) {
  begin();
}

void PacketIn::begin() {
  beat_ = 0;
  if (packet_ == packets_.size()) return;
  const Packet& packet = packets_[packet_];
  const int narrow = 8 / lanes_;
  sound_ = packet.status == Packet::kOk;
  total_ = packet.beats * narrow;
  first_body_ = lanes_ > 1 || packet.count == 0 ? 0 : 1;
  last_body_ = packet.count / lanes_;
  if (packet.status == Packet::kBadHeader || packet.status == Packet::kTooLong) over_at_ = 0;
  else if (packet.status == Packet::kTruncated) over_at_ = total_ - 1;
  else over_at_ = packet_beats(packet.count) * narrow - 1;
}

void PacketIn::step(bool s_valid, bool h_ready, bool b_ready) {
  const bool take = s_valid && ready(), over = take && beat_ == over_at_, free = b_ready || !valid_;
  const bool fetch = read_ != commit_ && free, store = take && beat_ <= over_at_ && beat_ >= first_body_ && beat_ <= last_body_;
  const auto at = [this](int counter) { return static_cast<std::size_t>(counter & (depth_ - 1)); };
  if (store) flags_[at(write_)] = static_cast<std::uint8_t>(beat_ == last_body_);
  if (fetch) last_ = flags_[at(read_)] != 0;
  if (free) valid_ = fetch;
  read_ += static_cast<int>(fetch);
  write_ += static_cast<int>(store);
  if (over && sound_) commit_ = write_;
  else if (over) write_ = commit_;
  if (read_ >= 2 * depth_) {
    for (int* counter : {&write_, &commit_, &read_}) *counter -= 2 * depth_;
  }
  headers_.step(over, h_ready && headers_.valid());
  if (!take || ++beat_ != total_) return;
  ++packet_;
  begin();
}

bool Dispatch::offer(bool h_valid, bool b_valid) {
  h_valid_ = h_valid;
  b_valid_ = b_valid;
  to_pipeline_ = to_loader_ = to_nowhere_ = load_waits_ = false;
  if (h_valid && packets_[head_].status == Packet::kOk) {
    const bool atom = packets_[head_].kind == Packet::kAtom;
    to_pipeline_ = atom && model_ && !crowded();
    to_nowhere_ = atom && !model_;
    to_loader_ = !atom && in_flight_ == 0 && !loading_;
    load_waits_ = !atom && in_flight_ != 0;
  }
  return a_valid_ = b_valid && to_pipeline_ && records_.ready();
}

void Dispatch::settle(bool a_ready, bool b_last, const Loader& loader) {
  const bool room = records_.ready();
  b_ready_ = (to_pipeline_ && room && a_ready) || (to_loader_ && loader.ready()) || (to_nowhere_ && room);
  gone_ = b_valid_ && b_ready_ && b_last;
  const bool sound = h_valid_ && packets_[head_].status == Packet::kOk;
  const bool record = h_valid_ && (!sound || (loading_ ? loader.done() : gone_ && !to_loader_));
  h_ready_ = record && room;
}

void Dispatch::step(bool p_ready, bool a_done) {
  in_flight_ += static_cast<int>(gone_ && to_pipeline_) - static_cast<int>(a_done);
  records_.step(h_ready_, p_ready && records_.valid());
  if (p_ready) ++answered_;
  if (h_ready_) {
    const Packet& packet = packets_[head_];
    forces_[head_ & (forces_.size() - 1)] = to_pipeline_ ? packet.count : -1;
    if (loading_) model_ = packet.model;
    ++head_;
  }
  if (gone_ && to_loader_) loading_ = true;
  else if (h_ready_) loading_ = false;
}

}  // namespace nvnmd::sim
