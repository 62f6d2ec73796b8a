"""The program that soaks in a guest: it goes on changing its memory and its files, step by step.

Everything it holds after step n is a function of its seed and n (model.ts has the same function), and before it changes a
block it hashes what it finds there into a chain. So whoever knows the seed can tell from a report whether every block,
in memory and on disk, was what it had to be, at every step and now.

`soak.py SEED BIG_MIB` starts it in the background and returns when its socket listens. A request is a line of JSON, as is
its answer: {"count": …} is its own second process's, {"fill": version}, {"wrong": true}, or {} for a report.
"""
import hashlib
import json
import mmap
import os
import random
import socket
import struct
import sys
import threading
import time
import traceback

PORT = 7007
FOLDER = "/root/soak"
BLOCK = 4096
MIB = 1 << 20
BLOCKS = {"memory": 1024, "disk": 512, "held": 128, "deleted": 128}
STEP_PAUSE_SEC = 0.01
SYNC_EVERY = 20
ZEROS = bytes(BLOCK)


def content(seed, region, index, version):
    """Every eighth version is zeros: a page that became zero is as dirty as any."""
    if version % 8 == 0:
        return ZEROS
    return hashlib.sha512(f"{seed}:{region}:{index}:{version}".encode()).digest() * (BLOCK // 64)


class MemoryBlocks:
    def __init__(self, count):
        self.pages = mmap.mmap(-1, count * BLOCK)

    def read(self, index):
        return self.pages[index * BLOCK : (index + 1) * BLOCK]

    def write(self, index, data):
        self.pages[index * BLOCK : (index + 1) * BLOCK] = data

    def sync(self):
        pass

    def all_from_origin(self):
        yield from (self.read(index) for index in range(len(self.pages) // BLOCK))


class FileBlocks:
    """Through one descriptor that stays open all along."""

    def __init__(self, name, count):
        self.path = f"{FOLDER}/{name}"
        self.count = count
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self.file, count * BLOCK)

    def read(self, index):
        return os.pread(self.file, BLOCK, index * BLOCK)

    def write(self, index, data):
        if os.pwrite(self.file, data, index * BLOCK) != BLOCK:
            raise OSError("a short write")

    def sync(self):
        os.fdatasync(self.file)

    def all_from_origin(self):
        """From the disk, not from what the kernel remembers of it."""
        os.fdatasync(self.file)
        os.posix_fadvise(self.file, 0, 0, os.POSIX_FADV_DONTNEED)
        yield from (self.read(index) for index in range(self.count))


class Big:
    """Many pages that are all written at once, when asked to, each with a content of its own. Version 0 is zeros."""

    def __init__(self, seed, mib):
        self.mib, self.version = mib, 0
        self.pages = mmap.mmap(-1, max(1, mib) * MIB)
        self.noise = random.Random(seed).randbytes(2 * MIB)

    def chunk(self, number):
        if self.version == 0:
            return bytes(MIB)
        start = (number * 64 + self.version * self.mib * 64) % MIB
        return self.noise[start : start + MIB]

    def fill(self, version):
        self.version = version
        for number in range(self.mib):
            self.pages[number * MIB : (number + 1) * MIB] = self.chunk(number)

    def wrong_pages(self):
        wrong = []
        for number in range(self.mib):
            expected, found = self.chunk(number), self.pages[number * MIB : (number + 1) * MIB]
            if expected == found:
                continue
            for page in range(0, MIB, BLOCK):
                if expected[page : page + BLOCK] != found[page : page + BLOCK]:
                    wrong.append((number * MIB + page) // BLOCK)
        return wrong


class Soak:
    def __init__(self, seed, big_mib):
        self.seed = seed
        self.lock = threading.Lock()
        self.n = 0
        self.broken = None
        self.regions = {
            name: MemoryBlocks(count) if name == "memory" else FileBlocks(name, count)
            for name, count in BLOCKS.items()
        }
        os.unlink(self.regions["deleted"].path)
        self.versions = {name: [0] * count for name, count in BLOCKS.items()}
        self.chains = {name: b"" for name in BLOCKS}
        self.journal = os.open(f"{FOLDER}/journal", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self.big = Big(seed, big_mib)
        self.counted = {"value": 0, "localPort": 0, "connections": 0}

    def run(self):
        try:
            while True:
                with self.lock:
                    self.step()
                time.sleep(STEP_PAUSE_SEC)
        except BaseException:
            self.broken = traceback.format_exc()

    def step(self):
        n = self.n + 1
        picks = struct.unpack("<4I", hashlib.sha256(f"{self.seed}:{n}".encode()).digest()[:16])
        for (name, region), pick in zip(self.regions.items(), picks):
            index = pick % BLOCKS[name]
            self.chains[name] = hashlib.sha256(self.chains[name] + region.read(index)).digest()
            self.versions[name][index] += 1
            region.write(index, content(self.seed, name, index, self.versions[name][index]))
            if n % SYNC_EVERY == 0:
                region.sync()
        # Where it is written is the descriptor's position, which no one sets.
        os.write(self.journal, struct.pack("<Q", n))
        self.n = n

    def report(self):
        with self.lock:
            found = {name: list(region.all_from_origin()) for name, region in self.regions.items()}
            return {
                "n": self.n,
                "broken": self.broken,
                "chains": {name: chain.hex() for name, chain in self.chains.items()},
                "digests": {name: digest(blocks) for name, blocks in found.items()},
                "journal": digest([read_whole(f"{FOLDER}/journal")]),
                "journalPosition": os.lseek(self.journal, 0, os.SEEK_CUR),
                "heldByName": digest([read_whole(f"{FOLDER}/held")]),
                "deletedLink": os.readlink(f"/proc/self/fd/{self.regions['deleted'].file}"),
                "big": {"version": self.big.version, "wrong": self.big.wrong_pages()},
                "process": process(os.getpid()),
                "counter": {**self.counted, **process(self.counter)},
            }

    def wrong(self):
        """For whoever has to find out what happened."""
        with self.lock:
            return [
                f"{name} {index} version {self.versions[name][index]}: {block[:8].hex()}"
                for name, region in self.regions.items()
                for index, block in enumerate(region.all_from_origin())
                if block != content(self.seed, name, index, self.versions[name][index])
            ]

    def serve(self, connection):
        """One of them is the counter's, and lasts for ever."""
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                request = json.loads(line)
                if "count" in request:
                    self.counted["value"] = request["count"]
                    self.counted["localPort"] = connection.getpeername()[1]
                    self.counted["connections"] += request["count"] == 1
                    answer = request
                elif "fill" in request:
                    with self.lock:
                        self.big.fill(request["fill"])
                    answer = {}
                elif "wrong" in request:
                    answer = self.wrong()
                else:
                    answer = self.report()
                lines.write(json.dumps(answer) + "\n")
                lines.flush()


def count():
    """The second process: one connection from its start to its end; any answer but its own number ends it."""
    with socket.create_connection(("127.0.0.1", PORT)) as connection, connection.makefile("rw") as lines:
        value = 0
        while True:
            value += 1
            lines.write(json.dumps({"count": value}) + "\n")
            lines.flush()
            if json.loads(lines.readline())["count"] != value:
                raise ValueError("another number came back")
            time.sleep(0.02)


def digest(blocks):
    total = hashlib.sha256()
    for block in blocks:
        total.update(block)
    return total.hexdigest()


def read_whole(path):
    with open(path, "rb") as file:
        return file.read()


def process(pid):
    """proc_pid_stat(5): field 3 is the state, field 22 the start time."""
    fields = read_whole(f"/proc/{pid}/stat").decode().rsplit(")", 1)[1].split()
    return {"pid": pid, "state": fields[0], "startTime": fields[19]}


def serve(seed, big_mib):
    os.makedirs(FOLDER, exist_ok=True)
    listening = socket.create_server(("0.0.0.0", PORT), backlog=64)
    if os.fork() > 0:
        os._exit(0)
    os.setsid()
    log = os.open(f"{FOLDER}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (0, 1, 2):
        os.dup2(log, descriptor)
    counter = os.fork()
    if counter == 0:
        listening.close()
        count()
    soak = Soak(seed, big_mib)
    soak.counter = counter
    threading.Thread(target=soak.run, daemon=True).start()
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=soak.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
