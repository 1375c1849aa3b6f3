"""nchan as a peer: Debian's nginx with libnginx-mod-nchan, one worker, a channel an instrument, each client's
WebSocket multiplexing those it wants. The publisher (post.c) keeps connections open and pipelines its POSTs; its CPU
isn't counted. Messages aren't kept: nothing but the fan-out is asked for."""
import os
import shutil
import subprocess
import time

import bench

MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"
CONFIGURATION = """
load_module {module};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
worker_rlimit_nofile 20000;
{user}
events {{ worker_connections 16384; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  large_client_header_buffers 4 16k;
  nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    tcp_nodelay on;
    location = /pub {{
      nchan_publisher;
      nchan_channel_id $arg_id;
      nchan_message_buffer_length 0;
      nchan_store_messages off;
    }}
    location ~ ^/sub/(.*)$ {{
      nchan_subscriber websocket;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_subscriber_first_message newest;
      nchan_websocket_ping_interval 0;
    }}
  }}
}}
"""


def available():
    return shutil.which("nginx") is not None and os.path.exists(MODULE)


class Nchan:
    def __init__(self, port, folder, instruments):
        self.port, self.instruments = port, instruments
        self.folder = os.path.join(folder, f"nchan-{port}")
        os.makedirs(self.folder)
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(self.folder, "nginx.conf"), "w") as out:
            out.write(CONFIGURATION.format(module=MODULE, folder=self.folder, port=port, user=user))
        self.master = bench.start(
            [shutil.which("nginx"), "-p", self.folder, "-c", os.path.join(self.folder, "nginx.conf"),
             "-e", os.path.join(self.folder, "error.log")], stderr=subprocess.DEVNULL)
        self.publisher = None
        for _ in range(200):
            time.sleep(0.05)
            try:
                children = open(f"/proc/{self.master.pid}/task/{self.master.pid}/children").read().split()
            except OSError:
                break
            workers = [int(pid) for pid in children if "worker" in open(f"/proc/{pid}/cmdline").read()]
            if workers:
                self.worker = workers[0]
                return
        raise SystemExit("nginx with nchan did not start: " + open(os.path.join(self.folder, "error.log")).read())

    def publish(self, rate, size, lead):
        self.publisher = bench.start(
            [bench.tool("peers/post.c"), str(self.port), str(self.instruments), str(rate), str(size), str(lead)],
            stdout=subprocess.DEVNULL)

    def end(self):
        if self.publisher:
            bench.end(self.publisher)
        bench.end(self.master)
