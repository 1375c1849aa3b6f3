#ifndef KABUTO_CVECTORSCAN_SHIM_H
#define KABUTO_CVECTORSCAN_SHIM_H
#include <hs.h>
#endif
