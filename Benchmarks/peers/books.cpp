// Two plain builders of full-depth books from an ITCH file, as yardsticks; both by the text-book, none tuned.
//   map   std::unordered_map from order number to order, std::map from price to level
//   flat  orders in a vector by their number, levels in a sorted vector; memory grows with the highest number, so it
//         gives up (exit status 3) where that is beyond 2^26, as on days whose numbers are sparse
// Both tell a listener of each changed level: a record of 24 bytes into a ring.
//   books map|flat FILE [BOOKS.csv]      prints JSON; the file is read into memory before the clock starts
// What is not of a live order is ignored; lengths are taken as the prefix says.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <sys/resource.h>
#include <unordered_map>
#include <vector>

static double cpuSeconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

template <class T> static T big(const unsigned char *at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); i++) value = static_cast<T>(value << 8 | at[i]);
  return value;
}

struct Record {
  uint32_t instrument, price, orders, side;
  uint64_t size;
};

struct Listener {
  static constexpr size_t room = 1 << 12;
  std::vector<Record> ring = std::vector<Record>(room);
  uint64_t told = 0;
  void level(uint32_t instrument, bool isSell, uint32_t price, uint32_t orders, uint64_t size) {
    ring[told++ & (room - 1)] = {instrument, price, orders, isSell, size};
  }
};

struct Order {
  uint32_t price = 0, shares = 0;
  uint16_t instrument = 0;
  bool isSell = false;
};

struct Level {
  uint64_t size = 0;
  uint32_t orders = 0;
};

struct MapOrders {
  std::unordered_map<uint64_t, Order> table;
  Order *find(uint64_t reference) {
    auto found = table.find(reference);
    return found == table.end() ? nullptr : &found->second;
  }
  void add(uint64_t reference, const Order &order) { table.emplace(reference, order); }
  void remove(uint64_t reference) { table.erase(reference); }
  size_t count() const { return table.size(); }
};

struct MapSide {
  std::map<uint32_t, Level> levels;
  Level change(uint32_t price, int orders, int64_t size) {
    auto &level = levels[price];
    level.orders += orders;
    level.size += size;
    Level now = level;
    if (now.orders == 0) levels.erase(price);
    return now;
  }
  template <class F> void each(bool isSell, F body) const {
    if (isSell) for (auto one = levels.begin(); one != levels.end(); ++one) body(one->first, one->second);
    else for (auto one = levels.rbegin(); one != levels.rend(); ++one) body(one->first, one->second);
  }
};

struct FlatOrders {
  std::vector<Order> table;
  size_t live = 0;
  Order *find(uint64_t reference) {
    return reference < table.size() && table[reference].shares ? &table[reference] : nullptr;
  }
  void add(uint64_t reference, const Order &order) {
    if (reference >> 26) exit(3);
    if (reference >= table.size()) table.resize(std::max<size_t>(reference + 1, table.size() * 2));
    table[reference] = order;
    live++;
  }
  void remove(uint64_t reference) {
    table[reference].shares = 0;
    live--;
  }
  size_t count() const { return live; }
};

struct FlatSide {
  // Ascending; the search begins at the end that trades: asks turn their prices over.
  struct Entry {
    uint32_t price;
    Level level;
  };
  std::vector<Entry> levels;
  bool isSell = false;
  Level change(uint32_t price, int orders, int64_t size) {
    size_t at = levels.size();
    auto better = [&](uint32_t other) { return isSell ? other < price : other > price; };
    while (at > 0 && better(levels[at - 1].price)) at--;
    if (at == 0 || levels[at - 1].price != price) {
      levels.insert(levels.begin() + at, {price, {}});
      at++;
    }
    Level &level = levels[at - 1].level;
    level.orders += orders;
    level.size += size;
    Level now = level;
    if (now.orders == 0) levels.erase(levels.begin() + (at - 1));
    return now;
  }
  template <class F> void each(bool, F body) const {
    for (auto one = levels.rbegin(); one != levels.rend(); ++one) body(one->price, one->level);
  }
};

template <class Orders, class BookSide> struct Builder {
  Orders orders;
  std::vector<BookSide> sides = std::vector<BookSide>(65536 * 2);
  std::vector<std::string> names = std::vector<std::string>(65536);
  Listener listener;
  uint64_t messages = 0;

  void change(const Order &order, int count, int64_t size) {
    Level now = sides[order.instrument * 2 + order.isSell].change(order.price, count, size);
    listener.level(order.instrument, order.isSell, order.price, now.orders, now.size);
  }
  void add(uint64_t reference, const Order &order) {
    orders.add(reference, order);
    change(order, 1, order.shares);
  }
  void reduce(uint64_t reference, uint32_t shares) {
    Order *order = orders.find(reference);
    if (!order || shares == 0) return;
    if (shares >= order->shares) return remove(reference);
    order->shares -= shares;
    change(*order, 0, -static_cast<int64_t>(shares));
  }
  void remove(uint64_t reference) {
    Order *found = orders.find(reference);
    if (!found) return;
    Order order = *found;
    orders.remove(reference);
    change(order, -1, -static_cast<int64_t>(order.shares));
  }
  void take(const unsigned char *m) {
    messages++;
    switch (m[0]) {
    case 'A':
    case 'F': {
      uint16_t locate = big<uint16_t>(m + 1);
      if (names[locate].empty()) name(locate, m + 24);
      add(big<uint64_t>(m + 11), {big<uint32_t>(m + 32), big<uint32_t>(m + 20), locate, m[19] == 'S'});
      break;
    }
    case 'E':
    case 'C': reduce(big<uint64_t>(m + 11), big<uint32_t>(m + 19)); break;
    case 'X': reduce(big<uint64_t>(m + 11), big<uint32_t>(m + 19)); break;
    case 'D': remove(big<uint64_t>(m + 11)); break;
    case 'U': {
      Order *old = orders.find(big<uint64_t>(m + 11));
      if (!old) break;
      Order order = *old;
      remove(big<uint64_t>(m + 11));
      order.shares = big<uint32_t>(m + 27);
      order.price = big<uint32_t>(m + 31);
      if (order.shares) add(big<uint64_t>(m + 19), order);
      break;
    }
    case 'R': name(big<uint16_t>(m + 1), m + 11); break;
    default: break;
    }
  }
  void name(uint16_t locate, const unsigned char *text) {
    names[locate] = std::string(reinterpret_cast<const char *>(text), 8);
    names[locate].erase(names[locate].find_last_not_of(' ') + 1);
  }
};

template <class Orders, class BookSide>
static int run(const char *design, const std::vector<unsigned char> &bytes, const char *out) {
  Builder<Orders, BookSide> builder;
  if constexpr (std::is_same_v<BookSide, FlatSide>)
    for (size_t i = 0; i < builder.sides.size(); i++) builder.sides[i].isSell = i & 1;
  double begin = cpuSeconds();
  size_t at = 0;
  while (at + 2 <= bytes.size()) {
    size_t length = big<uint16_t>(&bytes[at]);
    if (length == 0 || at + 2 + length > bytes.size()) break;
    builder.take(&bytes[at + 2]);
    at += 2 + length;
  }
  double seconds = cpuSeconds() - begin;
  if (out) {
    std::ofstream file(out);
    std::vector<size_t> order;
    for (size_t i = 0; i < builder.names.size(); i++) if (!builder.names[i].empty()) order.push_back(i);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return builder.names[a] < builder.names[b]; });
    for (size_t i : order)
      for (int side = 0; side < 2; side++)
        builder.sides[i * 2 + side].each(side, [&](uint32_t price, const Level &level) {
          file << builder.names[i] << (side ? ",S," : ",B,") << price << ',' << level.size << ',' << level.orders << '\n';
        });
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"design\": \"%s\", \"messages\": %llu, \"live_orders\": %zu, \"told\": %llu, \"cpu_seconds\": %.6f, "
         "\"ns_per_message\": %.2f, \"peak_memory_bytes\": %llu}\n",
         design, (unsigned long long)builder.messages, builder.orders.count(), (unsigned long long)builder.listener.told,
         seconds, seconds * 1e9 / std::max<uint64_t>(1, builder.messages),
         (unsigned long long)usage.ru_maxrss * 1024 - bytes.size());
  return 0;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: books map|flat FILE [BOOKS.csv]\n");
    return 64;
  }
  std::ifstream file(arguments[2], std::ios::binary | std::ios::ate);
  if (!file) {
    fprintf(stderr, "%s: can't be read\n", arguments[2]);
    return 66;
  }
  std::vector<unsigned char> bytes(static_cast<size_t>(file.tellg()));
  file.seekg(0);
  file.read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const char *out = count > 3 ? arguments[3] : nullptr;
  std::string design = arguments[1];
  if (design == "map") return run<MapOrders, MapSide>("map", bytes, out);
  if (design == "flat") return run<FlatOrders, FlatSide>("flat", bytes, out);
  fprintf(stderr, "design: \"%s\" found, wanted map or flat\n", arguments[1]);
  return 64;
}
