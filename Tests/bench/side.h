/* The two sides that are compared: libprefop, and a bare program on libcurl's
   easy interface.  The bare one signs nothing, reads nothing and throws the
   body away: no program that asks over HTTP with libcurl can do less. */
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

/* `origin` is "http(s)://host:port"; `ca_file` NULL: the system's. */
static CURL *bare_new(const char *origin, const char *ca_file, size_t *bytes) {
  char url[512];
  snprintf(url, sizeof url, "%s" BENCH_PATH BENCH_ID, origin);
  CURL *easy = curl_easy_init();
  if (!easy) fail("curl_easy_init", "no memory");
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, bytes);
  if (ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
  return easy;
}

static void bare_query(CURL *easy) {
  CURLcode code = curl_easy_perform(easy);
  if (code != CURLE_OK) fail("bare", curl_easy_strerror(code));
}

static prefop_client *ours_new(const char *origin, const char *ca_file) {
  prefop_client_options options = PREFOP_CLIENT_OPTIONS_INIT;
  options.flags = PREFOP_CLIENT_NO_ENVIRONMENT;
  options.access_key = "bench-access-key-of-forty-characters----";
  options.secret_key = "bench-secret-key-of-forty-characters----";
  options.api_hosts = origin;
  options.proxy = "";
  options.ca_file = ca_file;
  prefop_client *client;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_client_new(&options, &client, &error)) fail("prefop_client_new", error.message);
  return client;
}

static void ours_query(prefop_client *client) {
  prefop_task *task;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_query(client, BENCH_ID, NULL, &task, &error)) fail("prefop_query", error.message);
  prefop_task_free(task);
}

#endif
