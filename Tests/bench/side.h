/* The sides that are compared: libprefop, and a bare program on libcurl's easy
   interface.  The bare one signs nothing, reads nothing, throws the body away,
   and leaves every option at its default: what a program does that just asks.
   The tuned one also does what only a specialist would to save time. */
#ifndef PREFOP_BENCH_SIDE_H
#define PREFOP_BENCH_SIDE_H

#include <curl/curl.h>
#include <prefop.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_PATH "/status/get/prefop?id="
#define BENCH_ID "z0.597f28b445a2650c994bb208"

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static size_t throw_away(char *data, size_t size, size_t count, void *bytes) {
  (void)data;
  *(size_t *)bytes += size * count;
  return size * count;
}

typedef struct {
  CURL *easy;
  int is_tuned;
  char url[512];
  size_t bytes;
} bare_client;

/* `origin` is "http(s)://host:port"; `ca_file` NULL: the system's. */
static void bare_begin(bare_client *bare, int is_tuned, const char *origin, const char *ca_file) {
  bare->easy = curl_easy_init();
  bare->is_tuned = is_tuned;
  bare->bytes = 0;
  if (!bare->easy) fail("curl_easy_init", "no memory");
  snprintf(bare->url, sizeof bare->url, "%s" BENCH_PATH BENCH_ID, origin);
  curl_easy_setopt(bare->easy, CURLOPT_WRITEFUNCTION, throw_away);
  curl_easy_setopt(bare->easy, CURLOPT_WRITEDATA, &bare->bytes);
  if (ca_file) curl_easy_setopt(bare->easy, CURLOPT_CAINFO, ca_file);
  if (!is_tuned) return;
  /* No signal mask saved and restored, no environment searched for proxies, no
     URL parsed: the id is always the same. */
  curl_easy_setopt(bare->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(bare->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(bare->easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(bare->easy, CURLOPT_URL, bare->url);
}

static inline void bare_query(bare_client *bare) {
  if (!bare->is_tuned) curl_easy_setopt(bare->easy, CURLOPT_URL, bare->url);
  CURLcode code = curl_easy_perform(bare->easy);
  if (code != CURLE_OK) fail("bare", curl_easy_strerror(code));
}

static inline void bare_end(bare_client *bare) {
  if (bare->bytes == 0) fail("bare", "no body came");
  curl_easy_cleanup(bare->easy);
}

static inline prefop_client_options ours_options(const char *origin, const char *ca_file) {
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.flags = PREFOP_CLIENT_NO_ENVIRONMENT;
  options.access_key = "bench-access-key-of-forty-characters----";
  options.secret_key = "bench-secret-key-of-forty-characters----";
  options.api_hosts = origin;
  options.proxy = "";
  options.ca_file = ca_file;
  return options;
}

static inline prefop_client *ours_new_with(const prefop_client_options *options) {
  prefop_client *client;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_client_new(options, &client, &error)) fail("prefop_client_new", error.message);
  return client;
}

static inline prefop_client *ours_new(const char *origin, const char *ca_file) {
  prefop_client_options options = ours_options(origin, ca_file);
  return ours_new_with(&options);
}

static inline void ours_query(prefop_client *client) {
  prefop_task *task;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_query(client, BENCH_ID, NULL, &task, &error)) fail("prefop_query", error.message);
  prefop_task_free(task);
}

#endif
