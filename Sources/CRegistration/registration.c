#include "CRegistration.h"

// In GraftCPU, the only room that this target is linked with.
void graft_register_cpu(void);

__attribute__((constructor)) static void register_backends(void) { graft_register_cpu(); }
