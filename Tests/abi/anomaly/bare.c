/* The network's steps of driver.c with plain libcurl and libcrypto: whether a
   crash under failing allocations is theirs.  The same request, options and
   order of setting up; every result is checked, and after an error nothing is
   touched but what their documentation allows. */
#include "trial.h"

#include "../check.h"

#include <curl/curl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <poll.h>
#include <time.h>

#define DEADLINE_MS 4000
#define MOST_DESCRIPTORS 8

typedef struct program {
  EVP_MAC *mac;
  EVP_MAC_CTX *signer;
  int is_curl_ready;
  CURLM *multi;
  CURL *easy;
  CURLU *url;
  struct curl_slist *headers;
  struct pollfd watched[MOST_DESCRIPTORS];
  int watched_count;
  int64_t timer; /* when libcurl wants to be called; -1: not */
  char body[1 << 20];
  size_t length;
} program;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

/* Callbacks
   --------- */

static int watch(CURL *easy, curl_socket_t descriptor, int what, void *context, void *slot) {
  program *program = context;
  (void)easy;
  (void)slot;
  int at = 0;
  while (at < program->watched_count && program->watched[at].fd != descriptor) at++;
  if (what == CURL_POLL_REMOVE) {
    if (at < program->watched_count) program->watched[at] = program->watched[--program->watched_count];
    return 0;
  }
  if (at == MOST_DESCRIPTORS) return -1;
  if (at == program->watched_count) program->watched_count++;
  short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
  program->watched[at] = (struct pollfd){descriptor, events, 0};
  return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *context) {
  (void)multi;
  ((program *)context)->timer = milliseconds < 0 ? -1 : now() + milliseconds;
  return 0;
}

static size_t receive(char *data, size_t size, size_t count, void *context) {
  program *program = context;
  size_t bytes = size * count;
  if (bytes > sizeof program->body - 1 - program->length) return 0;
  memcpy(program->body + program->length, data, bytes);
  program->length += bytes;
  return bytes;
}

static size_t ignore(char *data, size_t size, size_t count, void *context) {
  (void)data;
  (void)context;
  return size * count;
}

/* Setting up
   ---------- */

static int set_up_libraries(program *program) {
  if (OSSL_LIB_CTX_get0_global_default() == NULL) return 0;
  if (program->mac == NULL) {
    if (OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS |
                                OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG,
            NULL) != 1) {
      return 0;
    }
    program->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (program->mac == NULL) return 0;
  }
  if (!program->is_curl_ready) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 0;
    program->is_curl_ready = 1;
  }
  return 1;
}

static int set_up_easy(program *program) {
  CURL *easy = program->easy;
  const char *host = test_setting(trial_current->tls ? "PREFOP_TEST_HTTPS" : "PREFOP_TEST_HTTP");
  if (trial_current->tls && curl_easy_setopt(easy, CURLOPT_CAINFO, test_setting("PREFOP_TEST_CA")) != CURLE_OK)
    return 0;
  return curl_url_set(program->url, CURLUPART_URL, host, 0) == CURLUE_OK &&
         curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 2000L) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_CURLU, program->url) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_WRITEDATA, program) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
         curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore) == CURLE_OK &&
         curl_multi_setopt(program->multi, CURLMOPT_SOCKETDATA, program) == CURLM_OK &&
         curl_multi_setopt(program->multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
         curl_multi_setopt(program->multi, CURLMOPT_TIMERDATA, program) == CURLM_OK &&
         curl_multi_setopt(program->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK;
}

static void tear_down(program *program) {
  curl_multi_cleanup(program->multi);
  curl_easy_cleanup(program->easy);
  curl_url_cleanup(program->url);
  EVP_MAC_CTX_free(program->signer);
  program->multi = NULL;
  program->easy = NULL;
  program->url = NULL;
  program->signer = NULL;
  program->watched_count = 0;
  program->timer = -1;
}

static int set_up(program *program) {
  if (!set_up_libraries(program)) return 0;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA1", 4), OSSL_PARAM_construct_end()};
  program->multi = curl_multi_init();
  if (program->multi != NULL) program->easy = curl_easy_init();
  if (program->easy != NULL) program->url = curl_url();
  if (program->url != NULL && set_up_easy(program)) program->signer = EVP_MAC_CTX_new(program->mac);
  if (program->signer != NULL && EVP_MAC_init(program->signer, (const unsigned char *)"k", 1, parameters) == 1)
    return 1;
  tear_down(program);
  return 0;
}

/* The request
   ----------- */

/* What comes of it: a CURLcode; 1000: over the deadline; 1001: the multi handle
   is broken. */
static int transfer(program *program) {
  int64_t end = now() + DEADLINE_MS;
  int result = 1000, running = 0, left = 0;
  if (curl_multi_add_handle(program->multi, program->easy) != CURLM_OK) return 1001;
  while (result == 1000 && now() < end) {
    int64_t wait = program->timer < 0 ? end - now() : program->timer - now();
    int ready = poll(program->watched, (nfds_t)program->watched_count, wait < 0 ? 0 : (int)wait);
    if (program->timer >= 0 && program->timer <= now()) {
      program->timer = -1;
      if (curl_multi_socket_action(program->multi, CURL_SOCKET_TIMEOUT, 0, &running) != CURLM_OK) return 1001;
    }
    for (int i = 0; ready > 0 && i < program->watched_count; i++) {
      short events = program->watched[i].revents;
      program->watched[i].revents = 0;
      int mask = (events & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) | (events & POLLOUT ? CURL_CSELECT_OUT : 0) |
                 (events & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR : 0);
      if (mask == 0) continue;
      if (curl_multi_socket_action(program->multi, program->watched[i].fd, mask, &running) != CURLM_OK) return 1001;
    }
    for (CURLMsg *message; (message = curl_multi_info_read(program->multi, &left)) != NULL;) {
      if (message->msg == CURLMSG_DONE) result = (int)message->data.result;
    }
  }
  if (curl_multi_remove_handle(program->multi, program->easy) != CURLM_OK) return 1001;
  return result;
}

static void act_query(void *context) {
  program *program = context;
  /* Once broken, all is made anew, as the library does. */
  if (program->multi == NULL && !set_up(program)) {
    trial_tell(-1, 0, "", "");
    return;
  }
  char target[256];
  unsigned char digest[20];
  size_t length = 0;
  snprintf(target, sizeof target, "/status/get/prefop?id=%s", trial_id);
  program->length = 0;
  int is_signed = EVP_MAC_init(program->signer, NULL, 0, NULL) == 1 &&
                  EVP_MAC_update(program->signer, (const unsigned char *)target, strlen(target)) == 1 &&
                  EVP_MAC_final(program->signer, digest, &length, sizeof digest) == 1;
  int code = -1;
  if (is_signed && curl_easy_setopt(program->easy, CURLOPT_REQUEST_TARGET, target) == CURLE_OK)
    code = transfer(program);
  if (code == 1001) {
    tear_down(program);
  } else if (code != 0) {
    curl_easy_reset(program->easy);
    if (!set_up_easy(program)) tear_down(program);
  }
  trial_tell(code, 0, "", "");
}

static void act_new_client_and_query(void *context) {
  static program other;
  program *program = context;
  other = (struct program){.mac = program->mac, .is_curl_ready = program->is_curl_ready, .timer = -1};
  act_query(&other);
  program->mac = other.mac;
  program->is_curl_ready = other.is_curl_ready;
  tear_down(&other);
}

static void prepare_warm(void *context) {
  program *program = context;
  program->timer = -1;
  act_query(program);
}

static void prepare_libraries(void *context) { act_new_client_and_query(context); }

static void clean(void *context) { tear_down(context); }

#define ECHO "echo.anomaly"

/* Named as those of driver.c. */
static const trial_step steps[] = {
    {"verify_cold", ECHO, 0, NULL, act_new_client_and_query, NULL, clean},
    {"verify_default", ECHO, 0, NULL, act_new_client_and_query, NULL, clean},
    {"query_cold", ECHO, 0, NULL, act_new_client_and_query, NULL, clean},
    {"query_new_client", ECHO, 0, prepare_libraries, act_new_client_and_query, NULL, clean},
    {"query_warm", ECHO, 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_with_key", ECHO, 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_key_and_back", ECHO, 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_with_errors", ECHO, 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_closed", "fault.close-idle.%019lld", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_refused", "status.612", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_retried", "flaky.1.fault.reset.%019lld", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_big", "fault.big.300000", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_gzip", "fault.gzip", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"query_not_task", "fault.malformed", 0, prepare_warm, act_query, act_new_client_and_query, clean},
    {"tls_cold", ECHO, 1, NULL, act_new_client_and_query, NULL, clean},
    {"tls_new_client", ECHO, 1, prepare_libraries, act_new_client_and_query, NULL, clean},
    {"tls_warm", ECHO, 1, prepare_warm, act_query, act_new_client_and_query, clean},
};

int main(int argc, char **argv) { return trial_main(argc, argv, steps, sizeof steps / sizeof *steps, sizeof(program)); }
