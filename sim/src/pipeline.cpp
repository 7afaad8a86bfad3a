#include "pipeline.hpp"

namespace nvnmd::sim {

Pipeline::Pipeline(const Sizes& z)
    : front_(11),
      types_(z.atoms),
      acc_(z.m1 / z.columns, ceil_div(z.m2, z.columns)),
      words_(ceil_div(z.m1 * z.m2, z.net_lanes)),
      columns_(ceil_power(z.atoms * (z.m1 / z.columns))),
      axis_(z.atoms),
      clips_(z.atoms),
      records_(z.atoms),
      wait_(z.wait),
      net_(z.layers, z.m1 * z.m2, z.width, z.net_lanes, z.skip, z.shortcuts),
      net_records_(z.atoms),
      rows_(z.m1 / z.columns),
      grad_(z.m1 / z.columns),
      dots_(5),
      pair_(12),
      results_(32) {}

bool Pipeline::settle(bool m_ready, bool s_valid, bool s_last) {
  m_ready_ = m_ready;
  s_valid_ = s_valid;
  s_last_ = s_last;
  // From the forces back to the neighbors, as the ready signals run.
  force_ready_ = dots_.settle(pair_.settle(m_ready));
  complete_ = grad_.valid() && records_.valid() && clips_.valid() && net_records_.valid() && results_.ready();
  force_enters_ = wait_.valid() && complete_ && force_ready_;
  leave_ = force_enters_ && wait_.last();

  grad_ready_ = grad_.settle(leave_);
  rows_valid_ = rows_.valid() && columns_.valid() && axis_.valid();
  rows_take_ = rows_valid_ && grad_ready_;
  gathered_ready_ = rows_.settle(rows_take_);
  d_ready_ = net_.settle(gathered_ready_ && net_records_.ready());

  const bool c_ready = words_.settle(d_ready_) && columns_.ready() && axis_.ready() && clips_.ready();
  columns_take_ = acc_.valid() && c_ready;
  acc_ready_ = acc_.settle(c_ready);
  n_ready_ = acc_ready_ && types_.ready() && wait_.ready() && records_.ready();
  n_take_ = front_.valid() && n_ready_;
  s_ready_ = front_.settle(n_ready_);
  note();
  return s_ready_;
}

void Pipeline::note() {
  passes_ = passes_last_ = waits_ = 0;
  pass(kNeighborsIn, s_valid_ && s_ready_, s_last_);
  pass(kNeighborsOut, n_take_, front_.last());
  pass(kNetworkIn, words_.valid() && d_ready_, words_.last());
  pass(kNetworkOut, net_.valid() && gathered_ready_ && net_records_.ready(), net_.last());
  pass(kGradientIn, rows_take_, rows_.last());
  pass(kForcesIn, force_enters_, wait_.last());
  pass(kForcesOut, pair_.valid() && m_ready_, pair_.last());

  const bool held = front_.valid() && !n_ready_;
  wait(kWaitFull, held && !wait_.ready());
  wait(kAtomsFull, held && !records_.ready());
  wait(kDescriptorBusy, held && wait_.ready() && records_.ready());
  wait(kNetworkBusy, words_.valid() && !d_ready_);
  wait(kRowsBusy, net_.valid() && !gathered_ready_);
  wait(kGradientBusy, rows_valid_ && !grad_ready_);
  wait(kNoGradient, wait_.valid() && !complete_);
  wait(kSink, pair_.valid() && !m_ready_);
}

void Pipeline::step() {
  // Every block steps with what its neighbors showed before the edge, so those are read first.
  const bool pair_out = pair_.valid() && m_ready_, pair_last = pair_.last();
  const bool dots_valid = dots_.valid(), dots_last = dots_.last(), wait_last = wait_.last();
  const bool net_out = net_.valid() && gathered_ready_ && net_records_.ready(), net_last = net_.last();
  const bool rows_last = rows_.last(), d_valid = words_.valid();
  const bool c_last = acc_.last(), acc_enters = front_.valid() && wait_.ready() && records_.ready() && types_.ready();
  const bool n_last = front_.last();

  pair_.step(dots_valid, dots_last);
  dots_.step(wait_.valid() && complete_, wait_last);
  results_.step(force_enters_ && fresh_, pair_out && pair_last);
  if (force_enters_) fresh_ = wait_last;
  grad_.step(rows_valid_);
  rows_.step(net_out, net_last);
  net_records_.step(net_out && net_last, leave_);
  net_.step(d_valid);
  words_.step(columns_take_, c_last);
  clips_.step(columns_take_ && c_last, leave_);
  axis_.step(columns_take_ && c_last, rows_take_ && rows_last);
  columns_.step(columns_take_, c_last, rows_take_);
  types_.step(n_take_ && n_last, columns_take_ && c_last);
  acc_.step(acc_enters, n_last);
  records_.step(n_take_ && n_last, leave_);
  wait_.step(n_take_, n_last, complete_ && force_ready_);
  front_.step(s_valid_, s_last_);
}

}  // namespace nvnmd::sim
