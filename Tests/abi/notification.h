/* A notification signed with the stub server's first key pair, for the default
   client or any other.  The token is that of server.signature, in Python. */
#ifndef PREFOP_TEST_NOTIFICATION_H
#define PREFOP_TEST_NOTIFICATION_H

#include <prefop.h>
#include <string.h>

#define TEST_NOTIFICATION_ID "z0.notified"

static inline prefop_notification test_notification(void) {
  static const char *const headers[] = {
      "Host: hook.example",
      "Content-Type: application/json",
      "Authorization: Qiniu AK-of-the-stub-server:yiyphGfA-oP6ELWBo9_DmSy36mA=",
  };
  static const char body[] =
      "{\"id\":\"" TEST_NOTIFICATION_ID "\",\"code\":0,\"desc\":\"The fop was completed successfully\",\"items\":[]}";
  prefop_notification notification = PREFOP_NOTIFICATION_INIT;
  notification.url = "/notify";
  notification.headers = headers;
  notification.header_count = sizeof headers / sizeof *headers;
  notification.body = body;
  notification.body_length = strlen(body);
  return notification;
}

#endif
