// Reading and writing a task's JSON against RapidJSON: blocks of each variant
// in turn, in one process.  Prints a line a block: variant and nanoseconds a
// call.
//
// json FILE BLOCKS CALLS
#include "clocks.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <prefop.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <string>

using namespace rapidjson;

static void fail(const char *what, const char *why) {
  std::fprintf(stderr, "%s: %s\n", what, why);
  std::exit(1);
}

// The least that a handler can do without the reader's work being optimised
// away.  Ours builds the task meanwhile.
struct Counter : BaseReaderHandler<UTF8<>, Counter> {
  size_t events = 0;
  bool Default() { return ++events, true; }
};

template <unsigned flags> static size_t sax(const char *json) {
  Reader reader;
  StringStream stream(json);
  Counter counter;
  if (!reader.Parse<flags>(stream, counter)) fail("RapidJSON", "parse error");
  return counter.events;
}

static size_t parse(const char *json, size_t length) {
  prefop_task *task;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_task_parse(json, length, &task, &error)) fail("prefop_task_parse", error.message);
  size_t items = task->item_count;
  prefop_task_free(task);
  return items;
}

using JSON = Writer<StringBuffer>;

static void text(JSON &writer, const char *key, const char *value) {
  writer.Key(key);
  writer.String(value);
}

static void text_if_any(JSON &writer, const char *key, const char *value) {
  if (*value) text(writer, key, value);
}

static void number(JSON &writer, const char *key, int64_t value) {
  writer.Key(key);
  writer.Int64(value);
}

// What prefop_task_to_json writes of these values, by the same rules.
static void item(JSON &writer, const prefop_task_item &item) {
  writer.StartObject();
  text(writer, "cmd", item.command);
  number(writer, "code", item.code);
  text(writer, "desc", item.description);
  text_if_any(writer, "error", item.error);
  if (item.error_index >= 0) number(writer, "errorIndex", item.error_index);
  text(writer, "hash", item.hash);
  text(writer, "key", item.object_name);
  number(writer, "returnOld", item.return_old);
  writer.EndObject();
}

static void task(JSON &writer, const prefop_task &task) {
  writer.StartObject();
  text(writer, "id", task.persistent_id);
  number(writer, "code", task.code);
  text(writer, "desc", task.description);
  text(writer, "inputKey", task.object_name);
  text(writer, "inputBucket", task.bucket_name);
  text_if_any(writer, "pipeline", task.pipeline);
  text_if_any(writer, "taskFrom", task.task_from);
  text(writer, "reqid", task.request_id);
  if (task.type) number(writer, "type", task.type);
  text_if_any(writer, "creationDate", task.created_at);
  writer.Key("items");
  writer.StartArray();
  for (size_t i = 0; i < task.item_count; i++) item(writer, *task.items[i]);
  writer.EndArray();
  writer.EndObject();
}

static size_t write_fresh(const prefop_task &value) {
  StringBuffer buffer;
  JSON writer(buffer);
  task(writer, value);
  return std::strlen(buffer.GetString());
}

static size_t write_reused(const prefop_task &value, StringBuffer &buffer) {
  buffer.Clear();
  JSON writer(buffer);
  task(writer, value);
  return buffer.GetSize();
}

static size_t to_json(const prefop_task &value) {
  char *json;
  size_t length;
  prefop_error error = PREFOP_ERROR_INIT;
  if (prefop_task_to_json(&value, &json, &length, &error)) fail("prefop_task_to_json", error.message);
  prefop_string_free(json);
  return length;
}

static void check_same(const prefop_task &value) {
  StringBuffer buffer;
  JSON writer(buffer);
  task(writer, value);
  char *json;
  if (prefop_task_to_json(&value, &json, nullptr, nullptr)) fail("prefop_task_to_json", "failed");
  if (std::strcmp(json, buffer.GetString())) fail("both sides should write the same, but", json);
  prefop_string_free(json);
}

static volatile size_t sink;

template <typename Call> static void block(const char *name, int calls, Call call) {
  clocks start = clocks_now();
  for (int i = 0; i < calls; i++) sink = call();
  std::printf("%s %.1f\n", name, double(clocks_now().cpu - start.cpu) / calls);
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage", "json FILE BLOCKS CALLS");
  std::ifstream file(argv[1], std::ios::binary);
  std::string json((std::istreambuf_iterator<char>(file)), {});
  int blocks = std::atoi(argv[2]), calls = std::atoi(argv[3]);

  prefop_task *value;
  if (prefop_task_parse(json.data(), json.size(), &value, nullptr)) fail("prefop_task_parse", "failed");
  check_same(*value);
  StringBuffer buffer;
  // The first round warms up and is not counted by the reader of the lines.
  for (int i = 0; i <= blocks; i++) {
    block("sax", calls, [&] { return sax<kParseDefaultFlags>(json.c_str()); });
    block("parse", calls, [&] { return parse(json.data(), json.size()); });
    block("sax-utf8", calls, [&] { return sax<kParseValidateEncodingFlag>(json.c_str()); });
    block("write-fresh", calls, [&] { return write_fresh(*value); });
    block("to-json", calls, [&] { return to_json(*value); });
    block("write-reused", calls, [&] { return write_reused(*value, buffer); });
  }
  prefop_task_free(value);
  return 0;
}
