/* libmodsecurity as a filter: requests in, the rules that matched and logged out. C++ only because the log callback's
 * rule message (id, phase, variable) is a C++ object; all else is the C API, called in the order of its nginx connector.
 *
 *   modsecurity [options] RULES…          frames on standard input, a JSON line each on standard output
 *
 *   --details        each match with phase, message and data instead of its id alone
 *   --all-phases     go on after a disruption (the connector doesn't; phase 5 always runs)
 *   --time N         no lines for matches: every request N times, CPU ns of one (median), by id
 *   --reload N       no requests: loads the rules N times more, each time letting go of the ones before; resident bytes
 *   --load           no requests: CPU and resident bytes of loading the rules
 *
 * A frame is a little-endian u32 length and as many bytes: strings id, client, method, uri, version (each u32 length,
 * bytes); u32 number of headers, each two strings; string body; u8 1 if a response follows: u32 status, headers, string
 * body. Without a response phases 3 and 4 see status 200, no headers, no body. corpora.py makes frames of JSON lines. */
#include <modsecurity/modsecurity.h>
#include <modsecurity/rule_message.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/transaction.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace modsecurity;
using Text = std::string_view;
using Headers = std::vector<std::pair<Text, Text>>;

struct Request {
  std::string bytes;
  Text id, client, method, uri, version, body, responseBody;
  Headers headers, responseHeaders;
  bool response = false;
  uint32_t status = 200;
};

struct Match {
  int id, phase;
  std::string message, data;
};

struct Outcome {
  std::vector<Match> matches;
  int status = 200;
};

static bool details, allPhases, counting;

[[noreturn]] static void fail(const char *text, const char *more = "") {
  fprintf(stderr, "modsecurity: %s%s\n", text, more);
  exit(2);
}

struct Reader {
  const char *at, *end;
  uint32_t number() {
    if (end - at < 4) fail("a frame ends within a number");
    uint32_t n;
    memcpy(&n, at, 4);
    at += 4;
    return n;
  }
  Text text() {
    uint32_t size = number();
    if (size_t(end - at) < size) fail("a frame ends within a string");
    Text found(at, size);
    at += size;
    return found;
  }
  Headers headers() {
    Headers found;
    for (uint32_t left = number(); left > 0; --left) {
      Text name = text();
      found.emplace_back(name, text());
    }
    return found;
  }
};

static bool read(Request &into) {
  uint32_t size;
  if (fread(&size, 1, 4, stdin) != 4) return false;
  into.bytes.resize(size);
  if (fread(into.bytes.data(), 1, size, stdin) != size) fail("standard input ends within a frame");
  Reader reader{into.bytes.data(), into.bytes.data() + size};
  into.id = reader.text();
  into.client = reader.text();
  into.method = reader.text();
  into.uri = reader.text();
  into.version = reader.text();
  into.headers = reader.headers();
  into.body = reader.text();
  into.response = reader.at < reader.end && *reader.at++ == 1;
  into.status = 200;
  into.responseHeaders.clear();
  into.responseBody = {};
  if (into.response) {
    into.status = reader.number();
    into.responseHeaders = reader.headers();
    into.responseBody = reader.text();
  }
  return true;
}

static void logged(void *to, const void *what) {
  auto *message = static_cast<const RuleMessage *>(what);
  auto *outcome = static_cast<Outcome *>(to);
  if (!counting) return;
  outcome->matches.push_back({message->m_ruleId, message->m_phase, details ? message->m_message : std::string(),
                              details ? message->m_match : std::string()});
}

/* What disrupts stops the phases that are left. Its rule isn't given to the log callback: it is in the intervention's text. */
static bool stopped(Transaction *transaction, Outcome &outcome) {
  ModSecurityIntervention found{};
  found.status = 200;
  bool is = msc_intervention(transaction, &found) != 0;
  if (is) {
    outcome.status = found.status;
    const char *id = found.log ? strstr(found.log, "[id \"") : nullptr;
    if (id && counting) outcome.matches.push_back({atoi(id + 5), 0, details ? found.log : "", ""});
  }
  free(found.url);
  free(found.log);
  return is && !allPhases;
}

static const unsigned char *bytes(Text text) { return reinterpret_cast<const unsigned char *>(text.data()); }

static void phases(Transaction *transaction, const Request &request, Outcome &outcome) {
  std::string client(request.client), uri(request.uri), method(request.method), version(request.version);
  if (version.compare(0, 5, "HTTP/") == 0) version.erase(0, 5);
  msc_process_connection(transaction, client.c_str(), 40000, "127.0.0.1", 80);
  if (stopped(transaction, outcome)) return;
  msc_process_uri(transaction, uri.c_str(), method.c_str(), version.c_str());
  if (stopped(transaction, outcome)) return;
  for (auto &[name, value] : request.headers)
    msc_add_n_request_header(transaction, bytes(name), name.size(), bytes(value), value.size());
  msc_process_request_headers(transaction);
  if (stopped(transaction, outcome)) return;
  if (!request.body.empty()) {
    msc_append_request_body(transaction, bytes(request.body), request.body.size());
    if (stopped(transaction, outcome)) return;
  }
  msc_process_request_body(transaction);
  if (stopped(transaction, outcome)) return;
  for (auto &[name, value] : request.responseHeaders)
    msc_add_n_response_header(transaction, bytes(name), name.size(), bytes(value), value.size());
  msc_process_response_headers(transaction, int(request.status), "HTTP/1.1");
  if (stopped(transaction, outcome)) return;
  if (!request.responseBody.empty()) {
    msc_append_response_body(transaction, bytes(request.responseBody), request.responseBody.size());
    if (stopped(transaction, outcome)) return;
  }
  msc_process_response_body(transaction);
  stopped(transaction, outcome);
}

static Outcome run(ModSecurity *engine, RulesSet *rules, const Request &request) {
  Outcome outcome;
  Transaction *transaction = msc_new_transaction(engine, rules, &outcome);
  phases(transaction, request, outcome);
  msc_process_logging(transaction);
  msc_transaction_cleanup(transaction);
  return outcome;
}

static RulesSet *load(const std::vector<const char *> &files) {
  RulesSet *rules = msc_create_rules_set();
  for (auto *file : files) {
    const char *error = nullptr;
    if (msc_rules_add_file(rules, file, &error) < 0) fail("", error ? error : file);
  }
  return rules;
}

static void quoted(std::string &out, Text text) {
  out += '"';
  for (unsigned char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\') (out += '\\') += char(c);
    else if (c >= 0x20 && c < 0x7f) out += char(c);
    else snprintf(escaped, sizeof escaped, "\\u%04x", c), out += escaped;
  }
  out += '"';
}

static uint64_t cpu() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return uint64_t(t.tv_sec) * 1000000000 + uint64_t(t.tv_nsec);
}

static long resident() {
  long size = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2) fail("/proc/self/statm can't be read");
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

int main(int count, char **words) {
  std::vector<const char *> files;
  long repeat = 0, reloads = 0;
  bool loadOnly = false;
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    if (word == "--details") details = true;
    else if (word == "--all-phases") allPhases = true;
    else if (word == "--load") loadOnly = true;
    else if (word == "--time" && i + 1 < count) repeat = atol(words[++i]);
    else if (word == "--reload" && i + 1 < count) reloads = atol(words[++i]);
    else if (word.compare(0, 2, "--") == 0) fail("unknown option ", words[i]);
    else files.push_back(words[i]);
  }
  if (files.empty()) fail("no rules given");
  ModSecurity *engine = msc_init();
  engine->setServerLogCb(logged, RuleMessageLogProperty);
  long before = resident();
  uint64_t begun = cpu();
  RulesSet *rules = load(files);
  if (loadOnly || reloads > 0)
    printf("{\"loads\": 1, \"resident_bytes\": %ld, \"rules_bytes\": %ld, \"cpu_ns\": %" PRIu64 "}\n", resident(),
           resident() - before, cpu() - begun);
  for (long done = 1; done <= reloads; ++done) {
    msc_rules_cleanup(rules);
    rules = load(files);
    if (done % std::max(1L, reloads / 20) == 0) {
      printf("{\"loads\": %ld, \"resident_bytes\": %ld}\n", done + 1, resident());
      fflush(stdout);
    }
  }
  if (loadOnly || reloads > 0) return 0;

  if (repeat > 0) {
    std::deque<Request> requests; /* in place: the views point into the bytes beside them */
    do requests.emplace_back();
    while (read(requests.back()));
    requests.pop_back();
    for (auto &request : requests) {
      std::vector<uint64_t> spans;
      for (long i = 0; i < repeat; ++i) {
        uint64_t from = cpu();
        run(engine, rules, request);
        spans.push_back(cpu() - from);
      }
      std::nth_element(spans.begin(), spans.begin() + repeat / 2, spans.end());
      std::string out = "{\"id\": ";
      quoted(out, request.id);
      printf("%s, \"cpu_ns\": %" PRIu64 ", \"least_ns\": %" PRIu64 "}\n", out.c_str(), spans[size_t(repeat / 2)],
             *std::min_element(spans.begin(), spans.end()));
    }
    return 0;
  }

  counting = true;
  for (Request request; read(request);) {
    Outcome outcome = run(engine, rules, request);
    std::string out = "{\"id\": ";
    quoted(out, request.id);
    out += ", \"status\": " + std::to_string(outcome.status) + ", \"matches\": [";
    for (size_t i = 0; i < outcome.matches.size(); ++i) {
      auto &match = outcome.matches[i];
      if (i > 0) out += ", ";
      if (!details) {
        out += std::to_string(match.id);
        continue;
      }
      out += "{\"id\": " + std::to_string(match.id) + ", \"phase\": " + std::to_string(match.phase) + ", \"message\": ";
      quoted(out, match.message);
      out += ", \"match\": ";
      quoted(out, match.data);
      out += '}';
    }
    out += "]}\n";
    fwrite(out.data(), 1, out.size(), stdout);
  }
  msc_rules_cleanup(rules);
  msc_cleanup(engine);
  return 0;
}
