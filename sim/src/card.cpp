#include "card.hpp"

namespace nvnmd::sim {

namespace {

int buffer(const CardSizes& z) { return ceil_power(4 * (z.max_body / z.lanes + 1)); }

}  // namespace

Card::Card(const CardSizes& z, const std::vector<Packet>& packets)
    : narrow_(8 / z.lanes),
      in_(z.lanes, buffer(z), packets),
      dispatch_(4 * z.pipeline.atoms, z.model, packets),
      loader_(z.lanes),
      pipeline_(z.pipeline),
      out_(z.lanes),
      widen_(4 / z.lanes),
      depths_{buffer(z), 16, 4 * z.pipeline.atoms, 4 * z.pipeline.atoms, z.pipeline.wait, z.pipeline.atoms} {}

bool Card::settle(bool m_ready, bool s_valid, bool s_ends) {
  s_valid_ = s_valid;
  m_ready_ = m_ready;
  // From the answers back to the packets, as the ready signals run.
  w_ready_ = widen_.settle(m_ready);
  out_.settle(w_ready_, dispatch_.p_valid(), dispatch_.p_forces(), pipeline_.valid());
  const bool a_valid = dispatch_.offer(in_.h_valid(), in_.b_valid());
  a_ready_ = pipeline_.settle(out_.r_ready(), a_valid, in_.b_last());
  r_done_ = pipeline_.valid() && out_.r_ready() && pipeline_.last();
  dispatch_.settle(a_ready_, in_.b_last(), loader_);
  s_ready_ = narrow_.settle(in_.ready());
  note(s_ends);
  return s_ready_;
}

void Card::note(bool s_ends) {
  passes_ = waits_ = 0;
  const auto pass = [this](PacketPlace place, bool holds) { passes_ |= static_cast<unsigned>(holds) << place; };
  pass(kBusIn, s_valid_ && s_ready_ && s_ends);
  pass(kChecked, in_.finish(narrow_.valid()));
  pass(kDispatched, dispatch_.h_ready());
  pass(kAnswered, out_.p_ready());
  pass(kBusOut, widen_.valid() && m_ready_ && widen_.last());

  const auto wait = [this](CardCause cause, bool holds) { waits_ |= static_cast<unsigned>(holds) << cause; };
  wait(kInputFull, narrow_.valid() && in_.full());
  wait(kHeadersFull, narrow_.valid() && !in_.full() && !in_.ready());
  wait(kRecordsFull, dispatch_.records_full());
  wait(kAtomsInFlight, in_.h_valid() && dispatch_.crowded());
  wait(kFence, dispatch_.fenced());
  wait(kPipelineBusy, dispatch_.a_valid() && !a_ready_);
  wait(kNoResult, out_.lacks_result());
  wait(kBusStalls, widen_.valid() && !m_ready_);
  wait(kStarved, a_ready_ && !dispatch_.a_valid());
}

int Card::filled(Store store) const {
  switch (store) {
    case kInputStore: return in_.stored();
    case kHeaderStore: return in_.headers();
    case kRecordStore: return dispatch_.records();
    case kInFlight: return dispatch_.in_flight();
    case kNeighborStore: return pipeline_.waiting();
    default: return pipeline_.atoms();
  }
}

void Card::step() {
  // Every block steps with what its neighbors showed before the edge, so those are read first.
  const bool narrow_valid = narrow_.valid(), out_valid = out_.valid(), out_last = out_.last(), b_last = in_.b_last();
  const bool p_ready = out_.p_ready();
  widen_.step(out_valid, out_last);
  out_.step();
  pipeline_.step();
  loader_.step(dispatch_.l_valid(), b_last);
  in_.step(narrow_valid, dispatch_.h_ready(), dispatch_.b_ready());
  dispatch_.step(p_ready, r_done_);
  narrow_.step(s_valid_);
}

}  // namespace nvnmd::sim
