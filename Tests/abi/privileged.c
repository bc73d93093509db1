/* privileged: what prefop_client_new says to SSLKEYLOGFILE in a program that runs
   with raised privileges.  Prints its error's message. */
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>

static prefop_status make_client(prefop_error *error) {
  prefop_client *client;
  prefop_status status = prefop_client_new(NULL, &client, error);
  prefop_client_free(client);
  return status;
}

int main(void) {
  if (!getauxval(AT_SECURE)) return 77; /* the system raises no privileges here */
  umask(077);
  prefop_error error = PREFOP_ERROR_INIT;
  if (make_client(&error) != PREFOP_ERROR_CONFIGURATION) return 1;
  puts(error.message);
  unsetenv("SSLKEYLOGFILE");
  return make_client(&error) != PREFOP_OK;
}
