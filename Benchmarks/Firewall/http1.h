/* An HTTP/1.1 message read from pieces as they arrive: enough to know where it ends. Shared by httpclient.c and
 * backend.c; the other side is trusted to speak properly, and what it says wrongly counts as an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_LIMIT = 1 << 16 };
enum part { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER, UNTIL_CLOSE, WHOLE, WRONG };

struct message {
  enum part part;
  uint64_t left;    /* bytes of the body or the chunk that are to come */
  uint32_t fill;    /* of the head */
  int status, closes, is_response, line;
  char head[HEAD_LIMIT];
};

static inline void message_begin(struct message *m, int is_response) {
  m->part = HEAD;
  m->left = 0;
  m->fill = 0;
  m->status = 0;
  m->closes = 0;
  m->is_response = is_response;
  m->line = 0;
}

static inline const char *message_field(const struct message *m, const char *name) {
  size_t size = strlen(name);
  const char *at = m->head;
  while ((at = strstr(at, "\r\n"))) {
    at += 2;
    if (!strncasecmp(at, name, size) && at[size] == ':') {
      at += size + 1;
      while (*at == ' ') ++at;
      return at;
    }
  }
  return NULL;
}

static inline void message_headed(struct message *m) {
  const char *found;
  if (m->is_response) {
    if (m->fill < 12 || strncmp(m->head, "HTTP/1.", 7)) { m->part = WRONG; return; }
    m->status = atoi(m->head + 9);
    if (m->status >= 100 && m->status < 200) { message_begin(m, 1); return; }
  }
  if ((found = message_field(m, "connection")) && !strncasecmp(found, "close", 5)) m->closes = 1;
  if (m->is_response && (m->status == 204 || m->status == 304)) m->part = WHOLE;
  else if ((found = message_field(m, "transfer-encoding")) && !strncasecmp(found, "chunked", 7)) m->part = CHUNK_SIZE;
  else if ((found = message_field(m, "content-length"))) m->left = strtoull(found, NULL, 10), m->part = m->left ? BODY : WHOLE;
  else m->part = m->is_response ? UNTIL_CLOSE : WHOLE;
}

/* Takes of `bytes` what belongs to the message; how many those are. */
static inline size_t message_take(struct message *m, const char *bytes, size_t count) {
  size_t at = 0;
  while (m->part != WHOLE && m->part != WRONG && at < count) {
    if (m->part == HEAD) {
      if (m->fill + 1 >= HEAD_LIMIT) { m->part = WRONG; break; }
      char c = m->head[m->fill++] = bytes[at++];
      if (c == '\n' && m->fill >= 4 && !memcmp(m->head + m->fill - 4, "\r\n\r\n", 4)) {
        m->head[m->fill] = 0;
        message_headed(m);
      }
    } else if (m->part == BODY || m->part == CHUNK || m->part == UNTIL_CLOSE) {
      size_t some = count - at;
      if (m->part != UNTIL_CLOSE && some > m->left) some = m->left;
      at += some;
      if (m->part != UNTIL_CLOSE && (m->left -= some) == 0) m->part = m->part == BODY ? WHOLE : CHUNK_END;
    } else if (m->part == CHUNK_SIZE) {
      char c = bytes[at++];
      if (c == '\n') m->part = m->left ? CHUNK : TRAILER, m->line = 0;
      else if (c >= '0' && c <= '9') m->left = m->left * 16 + (uint64_t)(c - '0');
      else if ((c | 32) >= 'a' && (c | 32) <= 'f') m->left = m->left * 16 + (uint64_t)((c | 32) - 'a' + 10);
      else if (c != '\r') m->part = WRONG;
    } else if (m->part == CHUNK_END) {
      if (bytes[at++] == '\n') m->part = CHUNK_SIZE;
    } else {
      char c = bytes[at++];
      if (c == '\n' && m->line == 0) m->part = WHOLE;
      else if (c == '\n') m->line = 0;
      else if (c != '\r') ++m->line;
    }
  }
  return at;
}
