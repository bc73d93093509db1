#define _GNU_SOURCE
#include "server.h"
#include "model.h"
#include "network.h"
#include "story.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TEXT 4096

static script decisions;
static int answer_count;

void server_begin(script given) {
  decisions = given;
  answer_count = 0;
}

/* MARK: Requests */

typedef struct request {
  char method[16], target[TEXT], host[256], path[TEXT];
  char head[TEXT];
  char key[40];
  int is_signed;
  client_model *client;
} request;

static const char *field(const request *r, const char *name, char *value, size_t size) {
  char start[64];
  snprintf(start, sizeof start, "\r\n%s: ", name);
  const char *found = strstr(r->head, start);
  if (!found) return NULL;
  found += strlen(start);
  const char *end = strstr(found, "\r\n");
  REQUIRE(end && (size_t)(end - found) < size, "an odd %s", name);
  snprintf(value, size, "%.*s", (int)(end - found), found);
  REQUIRE(!strstr(end, start), "%s twice", name);
  return value;
}

static void read_line(request *r, const network_peer *peer) {
  REQUIRE(sscanf(r->head, "%15s %4095s HTTP/1.1\r\n", r->method, r->target) == 2, "not a request: %s", r->head);
  REQUIRE(field(r, "Host", r->host, sizeof r->host), "no Host: %s", r->head);
  const char *path = r->target;
  if (peer->is_proxy && strcmp(r->method, "CONNECT") != 0) {
    size_t length = strlen(r->host);
    REQUIRE(strncmp(path, "http://", 7) == 0 && strncmp(path + 7, r->host, length) == 0, "asked a proxy for %s", path);
    path += 7 + length;
  }
  snprintf(r->path, sizeof r->path, "%s", path);
}

/* Each client has its number in its User-Agent. */
static void find_client(request *r) {
  char agent[256];
  int number = -1;
  REQUIRE(field(r, "User-Agent", agent, sizeof agent), "no User-Agent: %s", r->head);
  const char *mark = strstr(agent, "client/");
  REQUIRE(mark && sscanf(mark, "client/%d", &number) == 1 && number >= 0 && number < client_count, "%s", agent);
  r->client = &clients[number];
}

static void require_signature(request *r, const char *given) {
  char date[64], secret[64], text[3 * TEXT], token[64];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const char *colon = strchr(given, ':');
  REQUIRE(strncmp(given, "Qiniu ", 6) == 0 && colon && colon - given - 6 < (int)sizeof r->key, "signed %s", given);
  snprintf(r->key, sizeof r->key, "%.*s", (int)(colon - given - 6), given + 6);
  model_secret_key(secret, r->key);
  const char *when = field(r, "X-Qiniu-Date", date, sizeof date);
  REQUIRE(!when == !!(r->client->flags & PREFOP_CLIENT_NO_DATE), "dated %s", when ? when : "not at all");
  int length =
      snprintf(text, sizeof text, "GET %s\nHost: %s\nContent-Type: application/x-www-form-urlencoded\n%s%s%s\n",
          r->path, r->host, when ? "X-Qiniu-Date: " : "", when ? when : "", when ? "\n" : "");
  HMAC(EVP_sha1(), secret, (int)strlen(secret), (const unsigned char *)text, (size_t)length, digest, &size);
  EVP_EncodeBlock((unsigned char *)token, digest, (int)size);
  for (char *c = token; *c; c++) *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
  REQUIRE(strcmp(colon + 1, token) == 0, "signed %s, expected %s", given, token);
}

static int is_listed(const char *list, const char *host) {
  size_t length = strlen(host);
  for (const char *place = list; place && (place = strstr(place, host)); place++) {
    char after = place[length];
    char before = place == list ? ',' : place[-1];
    if ((after == 0 || after == ',') && (before == ',' || before == '/')) return 1;
  }
  return 0;
}

static int is_bucket_host(const client_model *client, const char *host) {
  return is_listed(
      client->bucket_hosts ? client->bucket_hosts : "uc.qiniuapi.com,kodo-config.qiniuapi.com,uc.qbox.me", host);
}

static int is_told(const client_model *client, const char *host) {
  if (client->is_told_anything) return 1;
  for (int i = 0; i < client->told_count; i++) {
    if (strcmp(client->told[i], host) == 0) return 1;
  }
  return 0;
}

/* "api-REGION.qiniuapi.com" of a region that some id named. */
static int is_regions(const client_model *client, const char *host) {
  const char *end = strstr(host, ".qiniuapi.com");
  if (strncmp(host, "api-", 4) != 0 || !end || strcmp(end, ".qiniuapi.com") != 0) return 0;
  size_t length = (size_t)(end - host - 4);
  for (int i = 0; i < submission_count; i++) {
    const submission *s = &submissions[i];
    if (s->queue->client == client && strncmp(s->id, host + 4, length) == 0 && s->id[length] == '.') return 1;
  }
  return 0;
}

/* A host that may be asked for a task. */
static int is_known(const client_model *client, const char *host) {
  if (client->is_given) return is_listed(client->api_hosts, host);
  return is_listed("api.qiniuapi.com,api.qiniu.com", host) || is_regions(client, host) || is_told(client, host);
}

static request read_request(const network_peer *peer, const char *bytes, size_t length) {
  request r = {0};
  char authorization[256];
  REQUIRE(length < sizeof r.head, "a request of %zu bytes", length);
  memcpy(r.head, bytes, length);
  read_line(&r, peer);
  if (strcmp(r.method, "CONNECT") != 0) find_client(&r);
  REQUIRE(peer->is_proxy || strcmp(r.host, peer->authority) == 0, "%s was asked at %s", r.host, peer->authority);
  if (field(&r, "Authorization", authorization, sizeof authorization)) {
    r.is_signed = 1;
    require_signature(&r, authorization);
  }
  tell("%s %s %s %s", r.method, r.host, r.path, r.is_signed ? r.key : "");
  return r;
}

/* MARK: Answers */

typedef struct answer {
  char *bytes;
  size_t length, size;
} answer;

static void put(answer *a, const char *bytes, size_t length) {
  if (a->length + length > a->size) a->bytes = realloc(a->bytes, a->size = (a->length + length) * 2);
  if (length) memcpy(a->bytes + a->length, bytes, length);
  a->length += length;
}

static void put_text(answer *a, const char *text) { put(a, text, strlen(text)); }

static int new_answer(void) { return answer_count++; }

/* A head without the empty line, so that more can follow. */
static void put_head(answer *a, int status, int number, int is_from_qiniu, const char *type) {
  char head[256];
  snprintf(
      head, sizeof head, "HTTP/1.1 %d So\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: %s\r\n", status, type);
  put_text(a, head);
  snprintf(head, sizeof head, "X-Reqid: " MODEL_ANSWER_ID "\r\n", number);
  if (is_from_qiniu) put_text(a, head);
}

static void put_body(answer *a, const char *text, size_t length) {
  char field[64];
  snprintf(field, sizeof field, "Content-Length: %zu\r\n\r\n", length);
  put_text(a, field);
  put(a, text, length);
}

static void put_chunks(answer *a, const char *text, size_t length) {
  char size[32];
  put_text(a, "Transfer-Encoding: chunked\r\n\r\n");
  for (size_t done = 0, count; done < length; done += count) {
    count = length - done < 40 ? length - done : 40;
    snprintf(size, sizeof size, "%zx\r\n", count);
    put_text(a, size);
    put(a, text + done, count);
    put_text(a, "\r\n");
  }
  put_text(a, "0\r\n\r\n");
}

static network_reply reply_with(answer a) { return (network_reply){.bytes = a.bytes, .length = a.length}; }

/* What any request may be answered with. */
static const int64_t delays[] = {0, 0, 1, 7, 60, 700, 6000};
#define DELAYS (sizeof delays / sizeof *delays)

/* Bytes of the input itself. */
static size_t take_raw(char *raw, size_t size) {
  size_t length = 0;
  for (unsigned count = 4 * script_choice(&decisions, 64); length < count && length < size; length++) {
    if (!script_has_more(&decisions)) break;
    raw[length] = (char)*decisions.next++;
  }
  return length;
}

static network_reply cut(network_reply reply, size_t left, network_ending ending) {
  reply.length = left < reply.length ? left : reply.length;
  reply.ending = ending;
  return reply;
}

/* Answers that hold nothing right, whatever was asked. */
#define WRONG "hjcHrxz5l6amg"

static network_reply answer_wrongly(char letter, submission *asked, const char *right, size_t length) {
  static const int denials[] = {400, 401, 403, 404, 501, 579, 302, 204, 700, 100};
  answer a = {0};
  int number = new_answer();
  char raw[256], more[64];
  model_answer(asked, number, NULL, 0);
  switch (letter) {
  case 'h': /* HTML */
    put_head(&a, 200, number, 1, "text/html");
    put_body(&a, "<html>", 6);
    break;
  case 'j': /* what is right, but not of the service */
    put_head(&a, 200, number, 0, "application/json");
    put_body(&a, right, length);
    break;
  case 'c': { /* a body that ends too early */
    put_head(&a, 200, number, 1, "application/json");
    put_body(&a, right, length);
    network_reply reply = reply_with(a);
    return cut(reply, reply.length - 1 - script_choice(&decisions, 8), NETWORK_CLOSE);
  }
  case 'H': /* a head that does */
    put_head(&a, 200, number, 1, "application/json");
    return cut(reply_with(a), a.length - script_choice(&decisions, 60), NETWORK_CLOSE);
  case 'r': { /* a reset, perhaps in the middle */
    put_head(&a, 200, number, 1, "application/json");
    put_body(&a, right, length);
    size_t left = a.length / 4 * script_choice(&decisions, 4);
    return cut(reply_with(a), left, NETWORK_RESET);
  }
  case 'x':
    return (network_reply){.ending = NETWORK_CLOSE};
  case 'z':
    return (network_reply){.ending = NETWORK_HANG};
  case '5':
    put_head(&a, 503, number, 1, "application/json");
    put_body(&a, right, length);
    break;
  case 'l': /* too often */
    if (asked) asked->queue->client->is_slowed = 1;
    put_head(&a, script_choice(&decisions, 2) ? 573 : 429, number, 1, "text/plain");
    snprintf(more, sizeof more, "Retry-After: %s\r\n",
        (const char *[]){"0", "1", "3", "99999999999999999999", "-1"}[script_choice(&decisions, 5)]);
    put_text(&a, more);
    put_body(&a, "slowly", 6);
    break;
  case '6':
    put_head(&a, 612, number, 1, "application/json");
    put_body(&a, "{\"error\":\"not such id in prefop\"}", 33);
    break;
  case 'a': /* something else for ever; a place to go to that leads astray */
    put_head(&a, denials[script_choice(&decisions, 10)], number, 1, "application/json");
    put_text(&a, "Location: http://" LIAR "/status/get/prefop\r\n");
    put_body(&a, right, length);
    break;
  case 'g': { /* bytes that need not be HTTP */
    if (asked) asked->is_garbled = 1;
    size_t count = take_raw(raw, sizeof raw);
    put(&a, raw, count);
    return cut(reply_with(a), count, NETWORK_CLOSE);
  }
  case 'm': { /* bytes that need not be JSON */
    size_t count = take_raw(raw, sizeof raw);
    put_head(&a, 200, number, 1, "application/json");
    put_body(&a, raw, count);
    model_answer(asked, number, raw, count);
    break;
  }
  default:
    REQUIRE(0, "no answer %c", letter);
  }
  return reply_with(a);
}

/* How a right answer may come. */
static network_reply send_as(char letter, answer head, const char *text, size_t length) {
  answer a = head;
  if (letter == 'k') put_text(&a, "Connection: close\r\n");
  if (letter == 'y') {
    put_chunks(&a, text, length);
  } else {
    put_body(&a, text, length);
  }
  network_reply reply = reply_with(a);
  if (letter == 'k' || letter == 'i') reply.ending = NETWORK_CLOSE;
  if (letter == 'd') {
    reply.piece_size = 1 + script_choice(&decisions, 100);
    reply.gap_ms = (int64_t[]){0, 1, 50}[script_choice(&decisions, 3)];
  }
  return reply;
}

/* A task, of each code, plainly; or a succeeded one in an unusual way, or one
   that may have more bytes than allowed. */
#define TASKS "twpfnkiydb"

static network_reply answer_task(submission *asked, char letter) {
  char text[2048];
  int code = letter == 'w' ? 1 : letter == 'p' ? 2 : letter == 'f' ? 3 : letter == 'n' ? 4 : 0;
  char id[640], *end = id;
  for (const char *c = asked->id; *c; c++) {
    if (*c == '"' || *c == '\\') *end++ = '\\';
    *end++ = *c;
  }
  *end = 0;
  int length = snprintf(text, sizeof text,
      "{\"id\":\"%s\",\"code\":%d,\"desc\":\"%*s\",\"items\":[{\"cmd\":\"avinfo\",\"code\":%d,\"result\":{}}]}", id,
      code, letter == 'b' ? 1000 : 1, "x", code);
  if (strchr(WRONG, letter) && !strchr(TASKS, letter)) {
    return answer_wrongly(letter, asked, text, (size_t)length);
  }
  answer head = {0};
  int number = new_answer();
  put_head(&head, 200, number, 1, "application/json");
  model_answer(asked, number, text, (size_t)length);
  return send_as(letter, head, text, (size_t)length);
}

static int unescaped(const char *text, char *id, size_t size) {
  size_t length = 0;
  for (; *text; text++) {
    unsigned byte = (unsigned char)*text;
    if (byte == '+') byte = ' ';
    if (byte == '%') {
      if (sscanf(text + 1, "%2x", &byte) != 1) return 0;
      text += 2;
    }
    if (length + 1 >= size) return 0;
    id[length++] = (char)byte;
  }
  id[length] = 0;
  return 1;
}

static network_reply answer_for_task(const request *r, char letter) {
  char id[300];
  submission *asked = NULL;
  REQUIRE(unescaped(strchr(r->path, '=') + 1, id, sizeof id), "the id of %s", r->path);
  for (int i = 0; i < submission_count; i++) {
    if (strcmp(submissions[i].id, id) == 0) asked = &submissions[i];
  }
  REQUIRE(asked && asked->queue->client == r->client, "nobody wanted %s of client %d", id, r->client->number);
  REQUIRE(is_known(r->client, r->host), "%s was asked for a task", r->host);
  model_request(asked, r->is_signed ? r->key : NULL);
  return answer_task(asked, letter);
}

/* Right answers about regions name hosts, or no hosts, or what is no host; those
   that prove not to be the service's, or end too early, name the liar. */
#define REGIONS "tkiyd"

typedef struct told {
  client_model *client;
  const char *hosts[3];
} told;

static told promises[MAX_ANSWERS];

/* Only a whole answer tells anything. */
void network_sent(void *context) {
  told *t = context;
  for (int i = 0; i < 3; i++) {
    if (is_told(t->client, t->hosts[i])) continue;
    REQUIRE(t->client->told_count < MAX_TOLD, "told too much");
    snprintf(t->client->told[t->client->told_count++], sizeof t->client->told[0], "%s", t->hosts[i]);
  }
}

static int list_regions(char *text, size_t size, const char *const hosts[3], int of_bucket, const char *region) {
  const char *id = of_bucket ? "region" : "id";
  return snprintf(text, size,
      "{\"%s\":[{\"%s\":\"%s\",\"ttl\":%d,\"up\":{\"domains\":[\"" LIAR
      "\"]},\"api\":{\"acc_domains\":[\"%s\"],\"domains\":[\"%s\",\"user@" LIAR "\",\"" LIAR
      "/\"]}},{\"%s\":\"z1\",\"api\":{\"domains\":[],\"old\":[\"%s\"]}}]}",
      of_bucket ? "hosts" : "regions", id, region, (int)script_choice(&decisions, 10), hosts[0], hosts[1], id,
      hosts[2]);
}

static network_reply answer_for_regions(const request *r, char letter, int of_bucket) {
  static const char *const choices[][3] = {
      {"127.0.0.5:8005", "127.0.0.6", "told.test"}, {"127.0.0.1:8001", "127.0.0.5:8005", "missing.invalid"}};
  static const char *const lies[3] = {LIAR, LIAR, LIAR};
  static const char *const ids[] = {"z0", "na0", "elsewhere", "\\u007a0", ""};
  char text[2048];
  REQUIRE(is_bucket_host(r->client, r->host), "%s was asked for regions", r->host);
  REQUIRE(r->is_signed == !of_bucket, "%s, signed by \"%s\"", r->path, r->key);
  REQUIRE(!(r->client->flags & PREFOP_CLIENT_NO_DISCOVERY) && !r->client->is_given, "asked for regions");
  int is_right = strchr(REGIONS, letter) != NULL;
  const char *const *hosts = is_right ? choices[script_choice(&decisions, 2)] : lies;
  int length = list_regions(text, sizeof text, hosts, of_bucket, ids[script_choice(&decisions, 5)]);
  if (letter == 'm' || letter == 'g') r->client->is_told_anything = 1;
  if (!is_right) return answer_wrongly(letter, NULL, text, (size_t)length);
  answer head = {0};
  int number = new_answer();
  model_answer(NULL, number, NULL, 0);
  put_head(&head, 200, number, 1, "application/json");
  network_reply reply = send_as(letter, head, text, (size_t)length);
  promises[number] = (told){r->client, {hosts[0], hosts[1], hosts[2]}};
  reply.context = &promises[number];
  return reply;
}

/* A tunnel leads to somebody who does not speak TLS. */
static network_reply answer_for_tunnel(network_peer *peer, const request *r) {
  answer a = {0};
  REQUIRE(!r->is_signed, "a proxy got a signature");
  peer->is_secure = !script_choice(&decisions, 2);
  put_text(&a, peer->is_secure ? "HTTP/1.1 200 So\r\n\r\n" : "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  return reply_with(a);
}

static network_reply answer_in_cleartext(void) {
  answer a = {0};
  put_text(&a, "HTTP/1.1 400 No\r\n\r\n");
  network_reply reply = reply_with(a);
  reply.ending = (network_ending[]){NETWORK_CLOSE, NETWORK_RESET, NETWORK_HANG}[script_choice(&decisions, 3)];
  return reply;
}

network_reply network_answer(network_peer *peer, const char *bytes, size_t length) {
  if (peer->is_secure) return answer_in_cleartext();
  if (answer_count == MAX_ANSWERS) return (network_reply){.ending = NETWORK_CLOSE};
  request r = read_request(peer, bytes, length);
  if (strcmp(r.method, "CONNECT") == 0) return answer_for_tunnel(peer, &r);
  REQUIRE(strcmp(r.method, "GET") == 0, "%s", r.method);
  int of_bucket = strncmp(r.path, "/v4/query?ak=", 13) == 0;
  int of_account = strcmp(r.path, "/regions") == 0;
  REQUIRE(of_bucket || of_account || strncmp(r.path, "/status/get/prefop?id=", 22) == 0, "%s", r.path);
  int64_t delay = delays[script_choice(&decisions, DELAYS)];
  char letter = script_letter(&decisions, of_bucket || of_account ? REGIONS WRONG : TASKS WRONG);
  tell("  %c after %lld ms: " MODEL_ANSWER_ID, letter, (long long)delay, answer_count);
  network_reply reply =
      of_bucket || of_account ? answer_for_regions(&r, letter, of_bucket) : answer_for_task(&r, letter);
  reply.delay_ms = delay;
  return reply;
}

/* MARK: Connections */

int network_resolves(const char *name) {
  size_t length = strlen(name);
  if (length > 8 && strcmp(name + length - 8, ".invalid") == 0) return 0;
  return script_choice(&decisions, 4) != 3;
}

network_reception network_receive(network_peer *peer) {
  REQUIRE(strcmp(peer->authority, LIAR) != 0, "led astray to %s", peer->authority);
  peer->is_proxy = strcmp(peer->authority, PROXY) == 0;
  network_reception reception = {NETWORK_ACCEPT, 0, 0};
  switch (script_choice(&decisions, 8)) {
  case 1:
    reception.kind = NETWORK_REFUSE;
    break;
  case 2:
    reception = (network_reception){NETWORK_REFUSE, delays[script_choice(&decisions, DELAYS)], 0};
    break;
  case 3:
    reception.delay_ms = delays[script_choice(&decisions, DELAYS)];
    break;
  case 4:
    reception.kind = NETWORK_IGNORE;
    break;
  case 7:
    reception.is_prompt = 1;
    break;
  default:
    break;
  }
  tell("connect %s: %d after %lld ms", peer->authority, reception.kind, (long long)reception.delay_ms);
  return reception;
}
