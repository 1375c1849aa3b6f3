"""itchfeed (PyPI, plain Python) as a decoder alone, without books: itchfeed_decode.py FILE
The timed part is its parser over the file's bytes in memory; each message becomes an object."""
import gc
import json
import resource
import sys
import time

from itch.parser import MessageParser

data = open(sys.argv[1], "rb").read()
gc.disable()
count = 0
begin = time.process_time()
for _ in MessageParser().parse_stream(data):
    count += 1
spent = time.process_time() - begin
print(json.dumps({
    "design": "decoder only", "messages": count, "cpu_seconds": spent, "ns_per_message": spent * 1e9 / max(1, count),
    "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
