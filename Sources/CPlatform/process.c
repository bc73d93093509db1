#include "CPlatform.h"

prefop_process prefop_process_storage = {PTHREAD_MUTEX_INITIALIZER, NULL, PTHREAD_MUTEX_INITIALIZER, NULL, 1};
