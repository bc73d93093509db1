/* The peers: API hosts, the bucket service and a proxy, which do what the
   input's second half says, and check each request as they get it. */
#ifndef PREFOP_FUZZ_SERVER_H
#define PREFOP_FUZZ_SERVER_H

#include "script.h"

/* What a region answer names that is not the bucket service's.  Nobody may ever
   go there. */
#define LIAR "127.6.6.6:6666"

#define PROXY "127.0.0.9:3128"

void server_begin(script decisions);

#endif
