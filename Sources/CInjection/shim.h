// libinjection, as Debian's libmodsecurity3 exports it: no package has its header, so the two calls are declared here.
#ifndef KABUTO_CINJECTION_SHIM_H
#define KABUTO_CINJECTION_SHIM_H
#include <stddef.h>
/// 1 if `input` looks like SQL injection; `fingerprint` has room for 8 bytes, the ending zero included.
int libinjection_sqli(const char *input, size_t length, char fingerprint[]);
/// 1 if `input` looks like script injection.
int libinjection_xss(const char *input, size_t length);
const char *libinjection_version(void);
#endif
