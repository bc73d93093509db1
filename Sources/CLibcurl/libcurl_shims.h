/* Typed one-liners over libcurl's variadic functions.  No logic here. */
#ifndef PREFOP_LIBCURL_SHIMS_H
#define PREFOP_LIBCURL_SHIMS_H

#include <curl/curl.h>

typedef size_t (*prefop_curl_data_function)(char *data, size_t size, size_t count, void *context);
typedef curl_socket_t (*prefop_curl_open_function)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
typedef int (*prefop_curl_close_function)(void *context, curl_socket_t descriptor);
typedef int (*prefop_curl_request_function)(void *context, char *peer, char *self, int peer_port, int self_port);
typedef int (*prefop_curl_socket_function)(CURL *easy, curl_socket_t descriptor, int what, void *context, void *slot);
typedef int (*prefop_curl_timer_function)(CURLM *multi, long milliseconds, void *context);

static inline CURLcode prefop_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline curl_version_info_data *prefop_curl_version_info(void) { return curl_version_info(CURLVERSION_NOW); }

static inline CURLcode prefop_curl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode prefop_curl_set_text(CURL *easy, CURLoption option, const char *text) {
  return curl_easy_setopt(easy, option, text);
}
static inline CURLcode prefop_curl_set_pointer(CURL *easy, CURLoption option, void *pointer) {
  return curl_easy_setopt(easy, option, pointer);
}
static inline CURLcode prefop_curl_set_data_function(
    CURL *easy, CURLoption option, prefop_curl_data_function function) {
  return curl_easy_setopt(easy, option, function);
}
static inline CURLcode prefop_curl_set_open_function(CURL *easy, prefop_curl_open_function function) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}
static inline CURLcode prefop_curl_set_close_function(CURL *easy, prefop_curl_close_function function) {
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
}
static inline CURLcode prefop_curl_set_request_function(CURL *easy, prefop_curl_request_function function) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}
static inline CURLcode prefop_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode prefop_curl_get_long(CURL *easy, CURLINFO info, long *value) {
  return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode prefop_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
  return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode prefop_curl_multi_set_pointer(CURLM *multi, CURLMoption option, void *pointer) {
  return curl_multi_setopt(multi, option, pointer);
}
static inline CURLMcode prefop_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode prefop_curl_multi_set_socket_function(CURLM *multi, prefop_curl_socket_function function) {
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}
static inline CURLMcode prefop_curl_multi_set_timer_function(CURLM *multi, prefop_curl_timer_function function) {
  return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

static inline CURLSHcode prefop_curl_share(CURLSH *share, curl_lock_data data) {
  return curl_share_setopt(share, CURLSHOPT_SHARE, data);
}

/* Deprecated for what it costs with thousands of sockets; there is nothing else
   that makes libcurl look at all it has under way. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline CURLMcode prefop_curl_multi_socket_all(CURLM *multi, int *running) {
  return curl_multi_socket_all(multi, running);
}
#pragma GCC diagnostic pop

static inline CURLcode prefop_curl_message_result(const CURLMsg *message) { return message->data.result; }

#endif
