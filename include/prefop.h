/*
 * prefop.h - what has become of my Qiniu persistent data processing task?
 *
 * Qiniu's object storage runs long jobs ("pfop": transcoding, zipping, taking
 * video frames), called tasks here, and hands out a persistent id for each.  This
 * library asks the service what has become of one, reads and writes the answer's
 * JSON, and verifies the notification that the service posts when a task ends.
 *
 *     #include <prefop.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *       prefop_task *task;
 *       prefop_error error = PREFOP_ERROR_INIT;
 *       // NULL: the default client, with QINIU_ACCESS_KEY and QINIU_SECRET_KEY
 *       if (prefop_query(NULL, "z0.597f28b445a2650c994bb208", NULL, &task, &error)) {
 *         fprintf(stderr, "%s\n", error.message);
 *         return 1;
 *       }
 *       printf("%s: %s\n", prefop_code_name(task->code), task->description);
 *       prefop_task_free(task);
 *       return 0;
 *     }
 *
 *     cc status.c $(pkg-config --cflags --libs prefop)
 *
 * Three rules hold for every function:
 *
 * Ownership.  What a call hands out through a `**` argument is the caller's,
 * and is given back with the _free function named in its description, never
 * with free() of the C library.  Everything that a task or an item points to
 * lives as long as that task or item.  NULL may be freed.  Things may be freed
 * in any order: a task outlives its client.  Text and options given to a call
 * are copied or no longer needed when it returns.
 *
 * Threads.  A client may be used by any number of threads at once; only
 * prefop_client_free must be the last call on it.  Tasks and items that the
 * library made never change, so they may be read by many threads too.  After
 * fork() a client works in the child as well, from fresh connections.
 *
 * Errors.  A call that can fail returns a prefop_status: PREFOP_OK (0) or a
 * negative PREFOP_ERROR_.  What it hands out is NULL after a failure, save that
 * a wait that is out of time or interrupted hands out the last answer.  The last
 * argument, which may be NULL, receives the details.  There is no errno and
 * nothing is kept per thread.  Every pointer is checked: a NULL where one is
 * not allowed is PREFOP_ERROR_ARGUMENT, not a crash.  When memory is gone a
 * call returns PREFOP_ERROR_MEMORY, and everything stays usable.
 *
 * The library starts no thread of its own, installs no signal handler, prints
 * nothing, writes no file, and reads the environment only while a client is
 * made (the default one, while it has no key pair, at each use).  What it stands
 * on reads some too, once in a process, when the first client is made: libcrypto
 * OPENSSL_CONF, the C library TZ, and libcurl SSLKEYLOGFILE, to which it then
 * writes the secrets of TLS connections: unset that where it could be hostile.
 * In a setuid program, where libcurl would obey it too, no client is made while
 * it is set: PREFOP_ERROR_CONFIGURATION.
 * While it resolves a host name libcurl may run a helper thread.  It can outlive
 * a call that timed out, so the library stays mapped after dlclose.  fork() must
 * not be called from a signal handler that interrupts a call of this library.
 */
#ifndef PREFOP_H
#define PREFOP_H

#include <stddef.h>
#include <stdint.h>

/* The version that this header describes; prefop_version_number() tells the
   one that is loaded.  Within one major version nothing is ever removed or
   changed, so a program runs with every later 1.x library. */
#define PREFOP_VERSION "1.0.0"
#define PREFOP_VERSION_NUMBER 0x010000

#ifdef __cplusplus
extern "C" {
#endif

/* The text between the two ffi marks is plain C, to be read as it is by
   LuaJIT's ffi.cdef, Python's cffi and PHP's FFI::cdef. */

/* ffi: begin */

/*
 * Status codes
 * ------------
 * The name of a code: prefop_status_name().
 */
typedef int32_t prefop_status;

enum {
  PREFOP_OK = 0,

  /* The call. */
  PREFOP_ERROR_ARGUMENT = -1,      /* an argument, or a member of its struct, is wrong */
  PREFOP_ERROR_UNSUPPORTED = -2,   /* a flag or member that this version does not know */
  PREFOP_ERROR_CONFIGURATION = -3, /* a client option, an environment variable or the profile file is wrong */
  PREFOP_ERROR_CREDENTIALS = -4,   /* there is no key pair to sign with */
  PREFOP_ERROR_FORKED = -5,        /* made before a fork, and of no use in the child */

  /* The machine. */
  PREFOP_ERROR_MEMORY = -20, /* an allocation failed */
  PREFOP_ERROR_SYSTEM = -21, /* the operating system, libcurl or libcrypto refused */

  /* Time. */
  PREFOP_ERROR_TIMEOUT = -40,     /* the time allowed is over */
  PREFOP_ERROR_CANCELLED = -41,   /* the caller called it off */
  PREFOP_ERROR_INTERRUPTED = -42, /* a signal arrived, and the call was to heed it */

  /* The way to the service. */
  PREFOP_ERROR_RESOLVE = -60,  /* the host's, or the proxy's, name has no address */
  PREFOP_ERROR_CONNECT = -61,  /* no connection to the host, or to the proxy */
  PREFOP_ERROR_TLS = -62,      /* no trusted TLS connection, to the host or the proxy, e.g. a wrong certificate */
  PREFOP_ERROR_TRANSFER = -63, /* the connection broke, or what came is not HTTP */

  /* What the service said. */
  PREFOP_ERROR_NOT_FOUND = -80,    /* 612, 404: no such task; kept for 10 days only */
  PREFOP_ERROR_BAD_REQUEST = -81,  /* 400 */
  PREFOP_ERROR_UNAUTHORIZED = -82, /* 401: wrong keys, or this machine's clock is wrong */
  PREFOP_ERROR_FORBIDDEN = -83,    /* 403 */
  PREFOP_ERROR_RATE_LIMITED = -84, /* 429, 573: ask less often */
  PREFOP_ERROR_SERVER = -85,       /* 500 to 599, but 573; 501, 509 and 579 will not change */
  PREFOP_ERROR_HTTP = -86,         /* any other status, redirects too: none is followed */

  /* An answer that is not the service's, or not an answer. */
  PREFOP_ERROR_HIJACKED = -100,  /* success without X-Reqid and X-Log: not from Qiniu */
  PREFOP_ERROR_RESPONSE = -101,  /* success from Qiniu, but there is no task in it */
  PREFOP_ERROR_TOO_LARGE = -102, /* more bytes than allowed */

  /* Data given by the caller. */
  PREFOP_ERROR_JSON = -120,         /* not JSON, or not a task */
  PREFOP_ERROR_UNSIGNED = -121,     /* the notification carries no known signature */
  PREFOP_ERROR_UNKNOWN_KEY = -122,  /* it is signed with another access key */
  PREFOP_ERROR_SIGNATURE = -123,    /* its signature is wrong */
  PREFOP_ERROR_UNSIGNED_BODY = -124 /* right, but it does not cover the body */
};

/* Codes of a task and of an item.  Others may come: the number is kept,
   prefop_code_name() calls it "unknown", and it does not count as finished. */
enum {
  PREFOP_CODE_SUCCEEDED = 0,
  PREFOP_CODE_WAITING = 1,
  PREFOP_CODE_PROCESSING = 2,
  PREFOP_CODE_FAILED = 3,
  PREFOP_CODE_NOTIFY_FAILED = 4 /* done, but the notification was not taken yet */
};

/* Types of a task. */
enum {
  PREFOP_TYPE_NORMAL = 0,
  PREFOP_TYPE_IDLE_TIME = 1 /* run when the service has nothing better to do */
};

/* prefop_client_options.flags */
enum {
  PREFOP_CLIENT_ALLOW_ANONYMOUS = 1, /* no credentials: send unsigned instead of failing */
  PREFOP_CLIENT_USE_HTTP = 2,        /* hosts without a scheme, and those found, are asked over http */
  PREFOP_CLIENT_NO_ENVIRONMENT = 4,  /* none of the variables named at prefop_client_new is read */
  PREFOP_CLIENT_NO_DISCOVERY = 8,    /* the bucket service is never asked for regions */
  PREFOP_CLIENT_NO_DATE = 16         /* X-Qiniu-Date is left out */
};

/* prefop_query_options.flags */
enum {
  PREFOP_QUERY_INTERRUPTIBLE = 1,  /* return PREFOP_ERROR_INTERRUPTED when a signal was handled */
  PREFOP_QUERY_UNTIL_FINISHED = 2, /* ask until the task is finished, as prefop_wait does */
  PREFOP_QUERY_EACH_CHANGE = 4     /* in a queue, with UNTIL_FINISHED: tell each change on the way there */
};

/* prefop_completion.flags */
enum {
  PREFOP_COMPLETION_MORE = 1 /* the task changed, but is not finished: other completions will come */
};

/* prefop_notification.flags */
enum {
  PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY = 1 /* read a body that the signature does not cover */
};

/*
 * Structs
 * -------
 * Each begins with struct_size: its size in bytes as its filler knows it, set
 * by the caller in those that it fills, by the library in those that it makes.
 * Later versions append members and nothing else.  A struct smaller than
 * version 1's is PREFOP_ERROR_ARGUMENT; a larger one is accepted if what this
 * library does not know of it is zero, else PREFOP_ERROR_UNSUPPORTED.  Of a
 * larger prefop_error only the members known here are written.  In the others
 * a struct_size over 4096 is taken for a mistake: PREFOP_ERROR_ARGUMENT.
 *
 * Text is UTF-8, ended by NUL.  In a task or item no text is NULL but `result`
 * and `json`: what is absent is "".
 */
typedef struct prefop_client prefop_client;
typedef struct prefop_queue prefop_queue;

/* One command of a task, and how it went. */
typedef struct prefop_task_item {
  uint32_t struct_size;
  uint32_t reserved;               /* 0 */
  const char *command;             /* JSON "cmd": as submitted, e.g. "avthumb/mp4|saveas/..." */
  int64_t code;                    /* "code": PREFOP_CODE_ */
  const char *description;         /* "desc": the code in the service's words */
  const char *error;               /* "error": why it failed */
  int64_t error_index;             /* "errorIndex": which command of the pipe failed, from 0; -1: absent */
  const char *hash;                /* "hash": etag of the object made */
  const char *object_name;         /* "key": name of the object made */
  const char *result;              /* "result": exact JSON text of a command that answers instead; or NULL */
  const char *const *object_names; /* "keys": of a command that made several; ended by NULL */
  size_t object_name_count;
  int64_t return_old; /* "returnOld": 1 when the result of an earlier run was returned */
} prefop_task_item;

/* A task, as the service answered or a notification told. */
typedef struct prefop_task {
  uint32_t struct_size;
  uint32_t reserved;                    /* 0 */
  const char *persistent_id;            /* JSON "id" */
  int64_t code;                         /* "code": PREFOP_CODE_; succeeded does not say that every item did */
  const char *description;              /* "desc": the code in the service's words */
  const char *object_name;              /* "inputKey": name of the object worked on */
  const char *bucket_name;              /* "inputBucket": where that object is */
  const char *pipeline;                 /* "pipeline": the queue it ran in */
  const char *task_from;                /* "taskFrom": "workflow: <id>", "trigger: <id>"; "": submitted by call */
  const char *request_id;               /* "reqid": of the request that submitted the task */
  int64_t type;                         /* "type": PREFOP_TYPE_ */
  const char *created_at;               /* "creationDate": RFC 3339, as sent */
  const prefop_task_item *const *items; /* "items": in the order of the commands; ended by NULL */
  size_t item_count;
  const char *json;   /* the exact text received; NULL in a task made by the caller */
  size_t json_length; /* its bytes, the NUL after them not counted */
} prefop_task;

/* What went wrong.  The caller owns it, sets struct_size and passes it to as
   many calls as it likes; nothing in it needs freeing.  After a success status
   is 0 and message is "". */
typedef struct prefop_error {
  uint32_t struct_size;
  prefop_status status;   /* what the call returned */
  int32_t http_status;    /* of the last answer; 0: none came */
  int32_t curl_code;      /* CURLcode of the last transfer that failed; 0: none did */
  int32_t attempts;       /* requests sent, or tried to send, for this call, to the bucket service too */
  int32_t retryable;      /* 1: the same call may succeed later; 0: it will fail again */
  int64_t retry_after_ms; /* milliseconds that the service asked to wait; 0: it did not say */
  char request_id[64];    /* X-Reqid of the last answer: tell Qiniu's support; "" : none */
  char host[256];         /* the last host asked, "name[:port]"; "": none */
  char message[512];      /* one line of English: what was wrong, and what to do.  No secrets. */
} prefop_error;

/* How a client behaves.  Zero or NULL is the default of every member. */
typedef struct prefop_client_options {
  uint32_t struct_size;
  uint32_t flags;             /* PREFOP_CLIENT_, added up */
  const char *access_key;     /* both or neither, each of 1 to 256 printable ASCII characters, no blanks, and
                                 no ":" in this one; NULL: QINIU_ACCESS_KEY and QINIU_SECRET_KEY, else those
                                 of the profile file, see prefop_client_new */
  const char *secret_key;     /* kept in memory that is wiped */
  const char *api_hosts;      /* "host[:port]" or "http(s)://host[:port]", up to 32, separated by
                               commas: asked in this order, and no others; NULL: hosts are
                               found, see "Hosts" below */
  const char *bucket_hosts;   /* the bucket service, written likewise; NULL: QINIU_BUCKET_URL, else
                               bucket_url of the profile file, else uc.qiniuapi.com,
                               kodo-config.qiniuapi.com, uc.qbox.me */
  const char *proxy;          /* "[scheme://][user:password@]host[:port]" as libcurl takes it;
                               NULL: http_proxy, https_proxy, all_proxy, no_proxy as curl reads
                               them; "": none */
  const char *ca_file;        /* PEM file of the only certificate authorities to trust; NULL: those of
                                 SSL_CERT_FILE and SSL_CERT_DIR, else the system's */
  const char *user_agent;     /* put after the library's own User-Agent; up to 128 printable ASCII characters */
  int64_t timeout_ms;         /* a whole query, pauses included; 0: 30,000; negative: none */
  int64_t attempt_timeout_ms; /* one request and its answer; 0: 10,000; negative: none */
  int64_t connect_timeout_ms; /* name, connection and TLS; 0: 3,000; negative: none */
  int64_t max_response_bytes; /* of an answer, after decompression; 0: 16 MiB; up to 1 GiB */
  int32_t max_attempts;       /* requests to one host for a query; 0: 4; up to 100 */
  int32_t max_in_flight;      /* queries that a queue has under way at once; 0: 64; up to 10,000 */
} prefop_client_options;

/* How one query differs.  Zero or NULL is the default of every member. */
typedef struct prefop_query_options {
  uint32_t struct_size;
  uint32_t flags;         /* PREFOP_QUERY_, added up */
  const char *access_key; /* for this query alone; both or neither; NULL: the client's */
  const char *secret_key;
  const char *bucket_name; /* whose regions to ask when the id does not tell; up to 255 bytes;
                              NULL: those of the whole account */
  int64_t timeout_ms;      /* the whole query; 0: the client's; negative: none; of a wait 0: 24 hours */
  int64_t poll_min_ms;     /* the shortest pause of a wait; 0: 1,000 */
  int64_t poll_max_ms;     /* the longest; 0: 1,800,000 (half an hour), or poll_min_ms if that is more */
} prefop_query_options;

/* How a query of a queue ended, or its task changed.  The caller owns it, sets struct_size and passes
   it to as many calls as it likes. */
typedef struct prefop_completion {
  uint32_t struct_size;
  uint32_t flags;       /* PREFOP_COMPLETION_, added up */
  uint64_t tag;         /* as submitted */
  prefop_task *task;    /* the caller's, to be freed with prefop_task_free; NULL after a failure, but
                           a wait that is out of time or cancelled hands out its last answer */
  prefop_status status; /* PREFOP_OK, or why it failed */
  uint32_t reserved;    /* 0 */
} prefop_completion;

/* A notification as a web server received it. */
typedef struct prefop_notification {
  uint32_t struct_size;
  uint32_t flags;         /* PREFOP_NOTIFICATION_, added up */
  const char *access_key; /* to verify with; both or neither; NULL: the client's */
  const char *secret_key;
  const char *method;         /* NULL: "POST" */
  const char *url;            /* as Qiniu called it: "https://host/path?query", or "/path?query"
                               when the headers hold the Host that Qiniu sent */
  const char *const *headers; /* header_count texts "Name: value"; names in any case; no line ends;
                                 up to 1,024, 64 KiB in all, 64 of them X-Qiniu- */
  size_t header_count;
  const void *body; /* NULL only when body_length is 0 */
  size_t body_length;
} prefop_notification;

/*
 * Versions and names
 * ------------------
 * They cannot fail; what they return is static.
 */

/* The version loaded: 0x010000 is 1.0.0, and "1.0.0". */
uint32_t prefop_version_number(void);
const char *prefop_version(void);

/* One line for a bug report: this library's version, system and build. */
const char *prefop_build_info(void);

/* "PREFOP_ERROR_TIMEOUT" for PREFOP_ERROR_TIMEOUT; "unknown" for others. */
const char *prefop_status_name(prefop_status status);

/* "succeeded", "waiting", "processing", "failed", "notify failed", "unknown". */
const char *prefop_code_name(int64_t code);

/*
 * The query
 * ---------
 */

/*
 * Asks what has become of a task, and waits for the answer.
 *
 * client:        NULL for the default client: made at the first use from the
 *                environment, shared by the whole process.  If it cannot be
 *                made, the next call tries again.
 * persistent_id: as pfop returned it; 1 to 256 bytes, no control characters.
 *                Any other byte is escaped on the way.
 * options:       NULL for the defaults.
 * task:          receives the task, to be freed with prefop_task_free; NULL
 *                after a failure.
 *
 * What may pass (a broken connection, an answer that is not Qiniu's, a server
 * error, a limited rate) is tried again at the same host, with growing pauses,
 * and then at the next.  A host with no address, no connection, no trusted TLS
 * or no task in its answer is left for the next at once; after the last the
 * query fails.  One that does not answer in the time of one attempt is left
 * too, but the last is asked again after a pause.  When the service asks to
 * wait longer than the time allows, the next host is asked at once; the error
 * then says retry_after_ms.  The time is kept even while a name is resolved or
 * a server sends a byte a second.  A signal does not end the call unless
 * PREFOP_QUERY_INTERRUPTIBLE is set.
 *
 * Hosts.  Without api_hosts the query goes
 *   1. to api-REGION.qiniuapi.com, if the id begins with "REGION.", as in
 *      "z0.597f...": if that host answers, nobody else is asked;
 *   2. to the other hosts of that region, as far as they are known;
 *   3. to the regions of options->bucket_name, if it is given;
 *   4. to all regions of the account, or, if the id's is among them, to it alone;
 *   5. to api.qiniuapi.com and api.qiniu.com, which answer for every region.
 * What regions there are (3, 4), and their hosts, is asked of the bucket service
 * only when their turn comes, once for all threads, and kept in memory for as
 * long as it says ("ttl"); after half of that time the next query that needs it
 * asks again.  It may take half of the query's time.  When a region says that it
 * has no such task, and the id does not name that region, the next is asked.
 *
 * A host that failed is set aside for ten minutes, by all of the client's
 * queries; then one query tries it.  Hosts set aside are asked last.
 *
 * The error tells of the last attempt, and in its message of those before.  A
 * certificate that is not trusted is told first if no host answered.
 *
 * PREFOP_OK also when the task failed: look at task->code and its items.
 * Otherwise any status down to PREFOP_ERROR_TOO_LARGE, but CANCELLED and
 * FORKED.  error->retryable says whether asking again later makes sense.
 */
prefop_status prefop_query(prefop_client *client, const char *persistent_id, const prefop_query_options *options,
    prefop_task **task, prefop_error *error);

/* Frees a task that the library made, with all that it points to. */
void prefop_task_free(prefop_task *task);

/* 1 when the task will not change any more (code 0, 3 or 4), else 0; NULL: 0.
   After PREFOP_CODE_NOTIFY_FAILED it can still become succeeded. */
int32_t prefop_task_is_finished(const prefop_task *task);

/* 1 when the task is finished, its code is not PREFOP_CODE_FAILED, and the code
   of every item is 0; else 0; NULL: 0.  The service answers code 0 for some
   tasks of which an item failed, so task->code alone does not tell. */
int32_t prefop_task_is_succeeded(const prefop_task *task);

/* Index of the first item at or after `from` whose code is PREFOP_CODE_FAILED,
   or -1.
     for (int64_t i = -1; (i = prefop_task_failed_item(task, i + 1)) >= 0;) ... */
int64_t prefop_task_failed_item(const prefop_task *task, size_t from);

/*
 * The client
 * ----------
 * Options, credentials and a pool of connections.  Make one and keep it: every
 * query on a kept client saves a TCP and a TLS handshake.  It keeps as many
 * idle connections to a host as threads asked at once.
 */

/*
 * Makes a client.  options: NULL for the defaults.  It sends nothing.
 *
 * Unless PREFOP_CLIENT_NO_ENVIRONMENT is set, this reads, once:
 *   QINIU_ACCESS_KEY, QINIU_SECRET_KEY   the key pair, when options give none
 *   QINIU_CONFIG_FILE, QINIU_PROFILE     the profile file and the table in it, when not
 *                                        ~/.qiniu/config.toml and "default"
 *   http_proxy, https_proxy, HTTPS_PROXY,
 *   all_proxy, ALL_PROXY, no_proxy, NO_PROXY   when options give no proxy
 *   SSL_CERT_FILE, SSL_CERT_DIR          whom to trust, when options give no ca_file
 *   QINIU_BUCKET_URL                     the bucket service, when options give no bucket_hosts
 *   DISABLE_QINIU_TIMESTAMP_SIGNATURE    true, yes, y or 1: as PREFOP_CLIENT_NO_DATE
 *   DISABLE_QINIU_SECURE_PROTOCOL        true, yes, y or 1: as PREFOP_CLIENT_USE_HTTP
 * A variable that is empty counts as unset; in a program that runs with raised
 * privileges (setuid) all do.
 *
 * The profile file is TOML 1.0.  Of its table count access_key and secret_key,
 * when there is no pair yet; bucket_url (hosts separated by commas, or an array of
 * them), when neither options nor QINIU_BUCKET_URL name any;
 * disable_secure_protocol (true or false), when DISABLE_QINIU_SECURE_PROTOCOL is
 * unset.  A file that QINIU_CONFIG_FILE names is always read, and must be there;
 * the one at home is read only when there is no pair yet, and need not be there.
 * The table that QINIU_PROFILE names must be there.  A file that others may write
 * is refused, as is one that belongs to neither this user nor root, is no regular
 * file, or has more than 1 MiB.
 *
 * ARGUMENT, UNSUPPORTED, CONFIGURATION (message: which option, variable or file
 * and line, what is wrong with it), MEMORY, SYSTEM.  That there are no credentials is no
 * error here: they may come later, or with each query.
 */
prefop_status prefop_client_new(const prefop_client_options *options, prefop_client **client, prefop_error *error);

/*
 * Changes the client's key pair, from any thread, at any time.  Queries under
 * way finish with the one that they began with.  client: NULL for the default
 * client.  Both keys, of 1 to 256 printable ASCII characters without blanks and
 * with no ":" in the access key, or both NULL to forget the pair; the default
 * client then takes the environment's, if any.
 *
 * ARGUMENT, MEMORY; for the default client also what prefop_client_new can.
 */
prefop_status prefop_client_set_credentials(
    prefop_client *client, const char *access_key, const char *secret_key, prefop_error *error);

/* Closes the client's connections and frees it.  No other thread may be using
   it; its queues may be, and keep what they need of it.  NULL does nothing; the
   default client cannot be freed. */
void prefop_client_free(prefop_client *client);

/*
 * Waiting
 * -------
 */

/*
 * Waits until a task is finished (code 0, 3 or 4), asking again and again.
 * prefop_query with PREFOP_QUERY_UNTIL_FINISHED does the same.
 *
 * The arguments are those of prefop_query.  options->timeout_ms is the time for
 * the whole wait: 0 is 24 hours, negative none.  Each time the task is asked
 * for, that is one query, with the time that the client gives to one.
 *
 * It asks at once, and then after pauses that grow with the task's age: a
 * sixth to a fifth of it, but poll_min_ms at least and poll_max_ms at most.  So
 * the end is noticed late by less than a tenth of the task's duration on
 * average, by a fifth at worst, and a short task's by poll_min_ms at most.  With
 * the defaults one hour takes up to 45 requests, six hours up to 60.  The age is
 * that of the wait, or creationDate's at the service's own Date if that is more.
 * Where the service limits the rate (429, 573) pauses double each time, up to
 * poll_max_ms; one that it asks for (Retry-After) is kept, also beyond
 * poll_max_ms, up to an hour.  A last time it asks a second before the time is
 * over.
 *
 * What may pass does not end a wait: it asks again at the next turn.  Nor does
 * NOT_FOUND in the first 10 seconds, in which a task that was just submitted may
 * not be known yet.  So it goes on when a machine that was offline is back; but
 * one for a host whose name is wrong lasts its whole time too, since nothing
 * tells the two apart: set timeout_ms, or see first what prefop_query says.  A
 * PREFOP_CODE_NOTIFY_FAILED task is finished, although the notification may still
 * get through.
 *
 * PREFOP_OK: the task is finished; look at its code and items.  Else what
 * prefop_query returns with error->retryable 0, MEMORY, or
 *   TIMEOUT      the time is over; *task is the last answer, NULL if none came
 *   INTERRUPTED  a signal was handled, and PREFOP_QUERY_INTERRUPTIBLE is set;
 *                *task likewise
 * A task handed out is to be freed with prefop_task_free, whatever the status.
 * error->attempts counts the requests of the whole wait.
 */
prefop_status prefop_wait(prefop_client *client, const char *persistent_id, const prefop_query_options *options,
    prefop_task **task, prefop_error *error);

/*
 * The queue
 * ---------
 * Many queries at once, on one thread.  Submit ids, each with a tag of your own;
 * take their completions, in the order in which they end:
 *
 *     prefop_completion done = PREFOP_COMPLETION_INIT;
 *     while (prefop_queue_pending(queue) && prefop_queue_next(queue, -1, &done, &error) == 1) {
 *       if (done.status) fprintf(stderr, "%s: %s\n", ids[done.tag], error.message);
 *       else printf("%s: %s\n", ids[done.tag], prefop_code_name(done.task->code));
 *       prefop_task_free(done.task);
 *     }
 *
 * A submission costs its id and some hundred bytes until its turn comes;
 * max_in_flight queries are under way at once.  They find their hosts, and try
 * again, as prefop_query does, and what one learns of a host or a region serves
 * all of the client's queries, blocking ones too.  HTTP/2 carries many over one
 * connection: the first query to a host goes alone, until its connection stands.
 * When a host limits the rate (429, 573), the queue leaves it alone for as long as
 * it asked, up to the time of one query, and then sends it one query after
 * another, the oldest first, at a pace that it bears.  After one refusal among
 * many answers the others go on without that pause.
 *
 * With PREFOP_QUERY_UNTIL_FINISHED a submission is a wait, see prefop_wait: its
 * completion comes when the task is finished.  Between two polls it takes memory
 * and nothing else, so that a queue can wait for very many tasks.  With
 * PREFOP_QUERY_EACH_CHANGE too, a completion with PREFOP_COMPLETION_MORE tells
 * the first answer, and each later one in which the code of the task or of an
 * item changed; the task is not asked for again before that was taken.
 *
 * A queue belongs to one thread at a time; only prefop_queue_wakeup may be
 * called by others meanwhile.  The library works on its queries while
 * prefop_queue_next runs, so call it, or have it called by an event loop that
 * watches prefop_queue_fd.  After fork() a queue is of use in the parent only;
 * in the child its calls say PREFOP_ERROR_FORKED, and freeing it frees memory.
 */

/*
 * Makes a queue.  client: NULL for the default client.  It sends nothing.
 *
 * ARGUMENT, MEMORY, SYSTEM (no descriptor is left); for the default client also
 * what prefop_client_new can.
 */
prefop_status prefop_queue_new(prefop_client *client, prefop_queue **queue, prefop_error *error);

/*
 * Adds a query.  It neither waits nor sends, and there is no limit but memory.
 *
 * persistent_id, options: as for prefop_query; copied.  timeout_ms counts from
 *     when the query is first sent, that of a wait from now.
 *     PREFOP_QUERY_INTERRUPTIBLE has no meaning.  Without keys in the options the
 *     query, or each poll of a wait, signs with those that the client has when it
 *     is first sent.
 * tag: comes back with the completion; need not be unique.
 *
 * Each query that was accepted ends in exactly one completion without
 * PREFOP_COMPLETION_MORE, unless the queue is freed before.  ARGUMENT,
 * UNSUPPORTED, MEMORY, FORKED: it was not accepted.
 */
prefop_status prefop_queue_submit(prefop_queue *queue, const char *persistent_id, uint64_t tag,
    const prefop_query_options *options, prefop_error *error);

/*
 * Works on the queries until one has ended, and hands out its completion.
 *
 * timeout_ms: how long to wait for one; 0: do what can be done at once;
 *     negative: until there is one, but not when none is pending.
 * completion: receives how it ended, all zero and NULL when none did.
 * error:      receives why the query, or the call itself, failed.
 *
 *   1         a completion: completion->status is what prefop_query, or
 *             prefop_wait, would have returned, or PREFOP_ERROR_CANCELLED
 *   0         none in time, or prefop_queue_wakeup was called, or a signal was
 *             handled
 *   negative  nothing was handed out, and nothing is lost: ARGUMENT, MEMORY,
 *             SYSTEM, FORKED
 */
int32_t prefop_queue_next(prefop_queue *queue, int64_t timeout_ms, prefop_completion *completion, prefop_error *error);

/*
 * A descriptor for poll(2), epoll and event loops: readable when
 * prefop_queue_next, with a timeout of 0, has something to do.  Call it then
 * until it does not return 1; so that the loop gets its turn, that happens after
 * some milliseconds even if the network has more, and leaves the descriptor
 * readable.  So does taking fewer.  It is level-triggered, stays the same, is
 * closed with the queue, and is only to be watched, for reading.
 *
 * Negative: ARGUMENT, MEMORY, SYSTEM (no descriptor is left), FORKED.
 */
int32_t prefop_queue_fd(prefop_queue *queue);

/* How many queries have not ended, or their last completion is still to be taken.
   NULL: 0. */
size_t prefop_queue_pending(const prefop_queue *queue);

/*
 * Ends the queries with this tag that have not ended: their completions say
 * PREFOP_ERROR_CANCELLED.  A change that was not taken becomes that completion.
 * It does not wait.  Returns how many there were.
 */
size_t prefop_queue_cancel(prefop_queue *queue, uint64_t tag);

/* Makes the prefop_queue_next that is running, or else the next one, return 0
   unless it has a completion.  May be called from any thread and from signal
   handlers, but not while the queue is being freed. */
void prefop_queue_wakeup(prefop_queue *queue);

/* Ends all queries without waiting, drops the completions that nobody took, and
   frees the queue.  NULL does nothing. */
void prefop_queue_free(prefop_queue *queue);

/*
 * JSON
 * ----
 * Strict RFC 8259.  Unknown members are skipped; of a repeated one the last
 * counts, but each must be of its type; null counts as absent, except among
 * "keys", where it is refused.  A task must have a "code", and so must each of
 * its items; an integer must be written as one and fit 64 bits; text may not
 * contain NUL.  Nesting deeper than 1024 is refused.
 */

/*
 * Reads a task.  json: `length` bytes, with or without a NUL behind them.
 * task: to be freed with prefop_task_free.
 *
 * ARGUMENT, MEMORY, TOO_LARGE (over 1 GiB), JSON (message: byte offset, member,
 * what stood there, what was expected).
 */
prefop_status prefop_task_parse(const char *json, size_t length, prefop_task **task, prefop_error *error);

/*
 * Writes a task, made by the library or filled in by the caller, as the service
 * does.  item_count and object_name_count say how many there are; a NULL text
 * counts as "".  Empty pipeline, taskFrom, creationDate, error and keys, a type
 * of 0, a NULL result and an error_index of -1 are left out.  `json` and
 * `json_length` are not read.  Reading what was written gives the same task.
 *
 * json:   receives the text, ended by NUL, to be freed with prefop_string_free.
 * length: receives its bytes, the NUL not counted; may be NULL.
 *
 * ARGUMENT (message: which member; e.g. text that is not UTF-8, a result that
 * is not one JSON value, a NULL in items), UNSUPPORTED, MEMORY.
 */
prefop_status prefop_task_to_json(const prefop_task *task, char **json, size_t *length, prefop_error *error);

/* The same for one item.  item: to be freed with prefop_task_item_free; an item
   of a task is not, it goes with its task. */
prefop_status prefop_task_item_parse(const char *json, size_t length, prefop_task_item **item, prefop_error *error);
prefop_status prefop_task_item_to_json(const prefop_task_item *item, char **json, size_t *length, prefop_error *error);
void prefop_task_item_free(prefop_task_item *item);

/* Frees text that the library handed out. */
void prefop_string_free(char *string);

/*
 * Notifications
 * -------------
 */

/*
 * Verifies that a notification comes from Qiniu, and reads the task in it.
 * Nothing of a body is read before its signature is known to be right.  A
 * notification can come several times, and verifies each time.
 *
 * client: whose credentials to verify with; NULL for the default client.
 * task:   to be freed with prefop_task_free; NULL after a failure.
 *
 * The scheme "Qiniu" covers method, host, path, query, Content-Type and
 * X-Qiniu- headers, and the body of application/json or
 * application/x-www-form-urlencoded.  The older "QBox" covers path and query,
 * and the body only of a form.
 *
 * PREFOP_OK, or
 *   UNSIGNED       there is no Authorization header, or of another scheme
 *   UNKNOWN_KEY    signed with another access key
 *   SIGNATURE      the signature is wrong: forged, or url and headers are not
 *                  those that Qiniu used (a proxy in between?)
 *   UNSIGNED_BODY  right, but the body is not covered: with
 *                  PREFOP_NOTIFICATION_ALLOW_UNSIGNED_BODY it is read all the
 *                  same; then fetch the task with prefop_query to be sure
 *   JSON           authentic, but the body is no task: e.g. empty, or that of a
 *                  workflow's own notification, which has another form
 *   CREDENTIALS    there is no key pair to verify with
 *   ARGUMENT, UNSUPPORTED, MEMORY, SYSTEM, TOO_LARGE; for the default client
 *   also what prefop_client_new can.
 */
prefop_status prefop_notification_verify(
    prefop_client *client, const prefop_notification *notification, prefop_task **task, prefop_error *error);

/* ffi: end */

#ifdef __cplusplus
}
#endif

/* Initialisers: `prefop_error error = PREFOP_ERROR_INIT;`.  Where there are no
   macros, clear the memory and set struct_size (and, in an item, error_index
   to -1). */
#define PREFOP_ERROR_INIT                                                                                              \
  { (uint32_t)sizeof(prefop_error), 0, 0, 0, 0, 0, 0, "", "", "" }
#define PREFOP_CLIENT_OPTIONS_INIT                                                                                     \
  { (uint32_t)sizeof(prefop_client_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0 }
#define PREFOP_QUERY_OPTIONS_INIT                                                                                      \
  { (uint32_t)sizeof(prefop_query_options), 0, NULL, NULL, NULL, 0, 0, 0 }
#define PREFOP_COMPLETION_INIT                                                                                         \
  { (uint32_t)sizeof(prefop_completion), 0, 0, NULL, 0, 0 }
#define PREFOP_NOTIFICATION_INIT                                                                                       \
  { (uint32_t)sizeof(prefop_notification), 0, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0 }
#define PREFOP_TASK_INIT                                                                                               \
  { (uint32_t)sizeof(prefop_task), 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, 0 }
#define PREFOP_TASK_ITEM_INIT                                                                                          \
  { (uint32_t)sizeof(prefop_task_item), 0, NULL, 0, NULL, NULL, -1, NULL, NULL, NULL, NULL, 0, 0 }

#endif /* PREFOP_H */
