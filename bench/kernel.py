#!/usr/bin/env python3
"""kernel.py LOG RUNS LINKER...: times the last link of vmlinux that LOG (of tests/programs/kernel.sh) has.

The linkers take turns, so that what else the machine does meets all of them; each run writes a new file. Shows the median
and the fastest wall time, the median of the CPU time, the size of the output, and the ratio to the first linker.
"""
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time


def final_link(log):
    """The arguments of the last link whose output is vmlinux, and the directory that they are for."""
    for line in reversed(open(log).read().splitlines()):
        words = shlex.split(line)
        if "-o" in words and words[words.index("-o") + 1] == "vmlinux":
            return words[words.index("&&") + 2:], words[1]
    sys.exit(f"{log} has no link of vmlinux")


def run(linker, args, cwd, output):
    args = list(args)
    args[args.index("-o") + 1] = output
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run([linker, *args], cwd=cwd, check=True, stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = os.stat(output).st_size
    os.remove(output)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size


def main():
    log, runs, linkers = sys.argv[1], int(sys.argv[2]), [os.path.abspath(x) if "/" in x else x for x in sys.argv[3:]]
    args, cwd = final_link(log)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(log))) as scratch:
        output = os.path.join(scratch, "vmlinux")
        results = {linker: [] for linker in linkers}
        for linker in linkers:
            run(linker, args, cwd, output)
        for _ in range(runs):
            for linker in linkers:
                results[linker].append(run(linker, args, cwd, output))
    first = None
    for linker in linkers:
        walls = [r[0] for r in results[linker]]
        median = statistics.median(walls)
        first = first or median
        print(f"{os.path.basename(linker):12} {median * 1000:8.1f} ms (fastest {min(walls) * 1000:.1f})  "
              f"CPU {statistics.median(r[1] for r in results[linker]) * 1000:8.1f} ms  "
              f"{results[linker][0][2] / 1e6:7.2f} MB  {median / first:5.2f} x")


main()
