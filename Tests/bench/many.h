/* Many queries at once: a queue of ours, and bare easy handles in a multi
   handle, driven by curl_multi_perform and curl_multi_poll. */
#ifndef PREFOP_BENCH_MANY_H
#define PREFOP_BENCH_MANY_H

#include "side.h"

enum { WIDTH = 64 };

typedef struct {
  CURLM *multi;
  bare_client clients[WIDTH];
} bare_many;

static inline void bare_many_begin(bare_many *bare, const char *origin, const char *ca_file) {
  bare->multi = curl_multi_init();
  for (int i = 0; i < WIDTH; i++) {
    bare_begin(&bare->clients[i], 0, origin, ca_file);
    curl_easy_setopt(bare->clients[i].easy, CURLOPT_PRIVATE, &bare->clients[i]);
  }
}

static inline void bare_many_send(bare_many *bare, bare_client *client) {
  curl_easy_setopt(client->easy, CURLOPT_URL, client->url);
  curl_multi_add_handle(bare->multi, client->easy);
}

static inline void bare_many_query(bare_many *bare, int queries) {
  int sent = 0, done = 0, running, left;
  for (; sent < WIDTH && sent < queries; sent++) bare_many_send(bare, &bare->clients[sent]);
  while (done < queries) {
    CURLMcode code = curl_multi_perform(bare->multi, &running);
    if (code == CURLM_OK && running) code = curl_multi_poll(bare->multi, NULL, 0, 1000, NULL);
    if (code != CURLM_OK) fail("bare multi", curl_multi_strerror(code));
    for (CURLMsg *message; (message = curl_multi_info_read(bare->multi, &left)) != NULL;) {
      bare_client *client;
      if (message->data.result != CURLE_OK) fail("bare multi", curl_easy_strerror(message->data.result));
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &client);
      curl_multi_remove_handle(bare->multi, client->easy);
      done++;
      if (sent < queries) {
        sent++;
        bare_many_send(bare, client);
      }
    }
  }
}

static inline void bare_many_end(bare_many *bare) {
  for (int i = 0; i < WIDTH; i++) bare_end(&bare->clients[i]);
  curl_multi_cleanup(bare->multi);
}

static inline prefop_queue *ours_queue_new(prefop_client *client) {
  prefop_queue *queue;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_queue_new(client, &queue, &error)) fail("prefop_queue_new", error.message);
  return queue;
}

static inline void ours_many_query(prefop_queue *queue, int queries) {
  prefop_error error = PREFOP_ERROR_INIT;
  prefop_completion done = {.struct_size = sizeof done};
  for (int i = 0; i < queries; i++) {
    if (prefop_queue_submit(queue, BENCH_ID, (uint64_t)i, NULL, &error)) fail("prefop_queue_submit", error.message);
  }
  while (prefop_queue_pending(queue) > 0) {
    if (prefop_queue_next(queue, -1, &done, &error) != 1 || done.status != PREFOP_OK) {
      fail("prefop_queue_next", error.message);
    }
    prefop_task_free(done.task);
  }
}

#endif
