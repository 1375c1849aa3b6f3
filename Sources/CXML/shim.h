#ifndef KABUTO_CXML_SHIM_H
#define KABUTO_CXML_SHIM_H
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <libxml/xmlschemas.h>
#include <libxml/valid.h>
#endif
