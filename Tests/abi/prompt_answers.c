/* For LD_PRELOAD: send does not return until an answer is there, as if the peer
   were very near, or the sender were held up. */
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

ssize_t send(int descriptor, const void *data, size_t size, int flags) {
  ssize_t sent = sendto(descriptor, data, size, flags, NULL, 0);
  struct pollfd answer = {.fd = descriptor, .events = POLLIN};
  poll(&answer, 1, 1000);
  return sent;
}
