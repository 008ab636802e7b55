#pragma once
// The loops that oneDNN has none for. Arrays are dense, row-major, NHWC, of float32; sizes and strides count elements. Each
// kernel is written once (folder `body`) and compiled for AVX-512, AVX2 and the plain processor; the first call picks one.
// Results depend on the number of threads at most through the order of additions, never on timing.
#include "graft_arrays.h"
#include "graft_convolutions.h"
#include "graft_dense.h"
#include "graft_programs.h"
#include "graft_threads.h"
