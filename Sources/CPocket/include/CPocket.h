// The weights of the built-in base, part of the program: no file has to be found at run time.
#pragma once
#include <stddef.h>

/// The bytes of pocket.safetensors.
const unsigned char *graft_pocket_weights(void);
/// How many there are.
size_t graft_pocket_weights_size(void);
