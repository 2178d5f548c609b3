"""Fetch one URL, and then another against the clock: ``fetching.py FIRST URL`` prints what the second cost."""

import json
import sys
import time

import bundleimp

bundleimp.fetch(sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()
bundleimp.fetch(sys.argv[2])
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
print(json.dumps({"cpu": cpu, "wall": wall}))
