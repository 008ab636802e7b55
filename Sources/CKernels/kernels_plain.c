// The kernels for a processor of which nothing is known but its architecture.
#include <math.h>
#include "table.h"

#define KERNELS graft_kernels_plain
#define NAME "plain"
#include "body/kernels.h"
