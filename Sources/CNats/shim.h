#ifndef KABUTO_CNATS_SHIM_H
#define KABUTO_CNATS_SHIM_H
#include <nats/nats.h>
#endif
