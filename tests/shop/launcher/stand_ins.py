"""Runs the supervisor with trivial commands instead of the shop's own. usage: stand_ins.py DATA_DIR PORT [--engines]"""

import sys
from pathlib import Path

from shop.core.settings import Settings
from shop.launcher.errors import CannotStart
from shop.launcher.processes import Part, Plan, up

API = """
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer((os.environ["SHOP_HOST"], int(os.environ["SHOP_PORT"])), Ready).serve_forever()
"""
#: Like a worker: has a child of its own, and both note their process ids.
WORKER = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
print("ids", os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def plan() -> Plan:
    return Plan(
        every_time=[Part("migrate", python("print('migrated')"))],
        first_time=[Part("seed", python("print('seeded')"))],
        api=Part("api", python(API)),
        others=[Part("worker", python(WORKER))],
    )


def main(data_dir: str, port: str, *options: str) -> None:
    servers = {} if options else {"database_url": "postgresql://none", "redis_url": "redis://none"}
    try:
        up(
            Settings(data_dir=Path(data_dir), host="127.0.0.1", port=int(port), **servers),
            plan(),
            lambda line: print(line, flush=True),
        )
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
