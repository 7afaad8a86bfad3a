#pragma once
// Steps and turns of SOAP (training/soap.py) for one weight matrix.

#include <vector>

#include "nets.hpp"

namespace nvnmd::training {

// Every array is [rows][columns], [rows][rows] or [columns][columns] without padding.
struct SoapMatrix {
  int rows, columns;
  float* parameter;
  const float* grad;
  float *mean, *square;             // of the gradient in the axes, and of its squares
  float *left, *right;              // means of G G^T and G^T G
  float *left_axes, *right_axes;
};

struct SoapRates {
  float rate;                  // learning rate over 1 - first^count
  float first, second, axes;   // 1 - decay; axes 0: leave the means of products as they are
  float unbias;                // 1 / (1 - second^count)
  float eps;
};

// Arrays of whole vectors; rows are padded as well.
struct SoapWork {
  SoapWork(int rows, int columns);

  Floats grad, transposed, left, right, right_transposed, first, second, square, axes;
};

struct SoapKernels {
  void (*step)(const SoapMatrix&, const SoapRates&, SoapWork&);
  void (*turn)(const SoapMatrix&, SoapWork&);  // parameter and gradient are not looked at
};

// The fastest ones that this processor runs.
const SoapKernels& soap_kernels();

const SoapKernels& soap_portable();
#ifdef __x86_64__
const SoapKernels& soap_avx2();
const SoapKernels& soap_avx512();
#endif

}  // namespace nvnmd::training
