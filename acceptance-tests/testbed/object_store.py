"""An object store: OpenStack's Swift with its S3 API, one of each of its servers on one disk.

`object_store.py FOLDER ADDRESS ACCESS_KEY` runs in a PID namespace of its own, which ends with it, until one
of the servers ends. The secret key is in FOLDER/password. Its PID and start time, as the machine knows them, go to
FOLDER/process.
"""

import os
import sys

folder, address, access_key = sys.argv[1:]
account, user = access_key.split(":")
with open(f"{folder}/password") as file:
    secret_key = file.read().strip()

with open("/proc/self/stat") as file:
    pid, stat = file.read().split(" ", 1)
with open(f"{folder}/process", "w") as file:
    file.write(f"{pid} {stat.rpartition(') ')[2].split()[19]}\n")

# Swift reads the settings of the whole cluster while it is imported, from a file of the machine's own if it isn't told.
with open(f"{folder}/swift.conf", "w") as file:
    file.write("[swift-hash]\nswift_hash_path_suffix = testbed\n")
import swift.common.utils

swift.common.utils.SWIFT_CONF_FILE = f"{folder}/swift.conf"
from swift.common.ring import RingBuilder
from swift.common.wsgi import run_wsgi

PORTS = {"object": 6200, "container": 6201, "account": 6202}
FILTERS = "catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo"

COMMON = f"""
[DEFAULT]
bind_ip = {address}
swift_dir = {folder}
user = root
workers = 0
log_level = WARNING
"""

BACKEND = """
bind_port = {port}
devices = {folder}/devices
mount_check = false
disable_fallocate = true

[pipeline:main]
pipeline = {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY = f"""
bind_port = 8080

[pipeline:main]
pipeline = {FILTERS} proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A busy machine is slow, and its one server is not to be left out for it.
conn_timeout = 20
node_timeout = 60
recoverable_node_timeout = 60
error_suppression_limit = 1000000

[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret_key} .admin

[filter:cache]
use = egg:swift#memcache
memcache_servers = {address}:11211
""" + "".join(
    f"\n[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS.split() if name not in ("tempauth", "cache")
)


def write_ring(kind, port):
    """Where objects, containers and accounts are: all on the one disk of this one server."""
    server = dict(ip=address, port=port, replication_ip=address, replication_port=port)
    ring = RingBuilder(part_power=1, replicas=1, min_part_hours=1)
    ring.add_dev(dict(server, region=1, zone=1, device="disk", weight=1.0, meta=""))
    ring.rebalance()
    ring.get_ring().save(f"{folder}/{kind}.ring.gz")


def start(kind, settings):
    path = f"{folder}/{kind}-server.conf"
    with open(path, "w") as file:
        file.write(COMMON + settings)
    if os.fork() == 0:
        os._exit(run_wsgi(path, f"{kind}-server", verbose=True, capture_stdout=False, capture_stderr=False) or 0)


os.makedirs(f"{folder}/devices/disk", exist_ok=True)
for kind, port in PORTS.items():
    write_ring(kind, port)
for kind, port in PORTS.items():
    start(kind, BACKEND.format(kind=kind, port=port, folder=folder))
start("proxy", PROXY)
if os.fork() == 0:
    # It keeps the tokens of Swift's own API.
    os.execvp("memcached", ["memcached", "-u", "root", "-l", address, "-p", "11211", "-m", "16", "-t", "1"])
sys.exit(f"a server ended: {os.wait()}")
