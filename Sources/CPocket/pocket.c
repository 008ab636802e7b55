#include "CPocket.h"

// A feature of C23 that clang has in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char weights[] = {
#embed "pocket.safetensors"
};

const unsigned char *graft_pocket_weights(void) { return weights; }

size_t graft_pocket_weights_size(void) { return sizeof weights; }
