#ifndef KABUTO_CXML_SHIM_H
#define KABUTO_CXML_SHIM_H
#include <libxml/xmlversion.h>
// Debian's libxml2 has its converters from ICU, whose headers clash with those that Foundation brings; nothing here needs
// them.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/SAX2.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <libxml/xmlschemas.h>
#include <libxml/valid.h>

// xmlFree is a variable, of each thread in some builds, which Swift doesn't import as a function.
static inline void kabuto_xml_free(void *_Nullable memory) { xmlFree(memory); }
#endif
