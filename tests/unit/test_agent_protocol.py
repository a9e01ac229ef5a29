# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's agent, compiled for this machine, over standard input and output.

It runs with the address and undefined-behaviour sanitizers, on a kernel that
test_agent_protocol_kernel.c plays: what is tested here is what the agent makes
of requests, not what our drivers do.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import queue
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dmabed.pattern import sha256_of

ROOT = Path(__file__).parents[2]
LINE_LIMIT = 1 << 20
JOB_STUCK, JOB_FAILED = 99, 98  # of the played kernel
ANSWER_SECONDS = 15
SANITIZERS = "-fsanitize=address,undefined"

Json = dict[str, Any]


class AgentProcess:
    """An agent and the two ends of its pipes."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._number = 0
        self._lines: queue.Queue[bytes] = queue.Queue()
        # beside the writing, so that full pipes do not make both sides wait for ever
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self) -> Json:
        line = self._lines.get(timeout=ANSWER_SECONDS)
        assert line, f"the agent ended with {self.process.wait()}"
        answer: Json = json.loads(line)
        return answer

    def send(self, op: str, **arguments: Any) -> int:
        self._number += 1
        request = {"id": self._number, "op": op} | {k.replace("_", "-"): v for k, v in arguments.items()}
        self.write(json.dumps(request).encode() + b"\n")
        return self._number

    def ask(self, op: str, **arguments: Any) -> Json:
        number = self.send(op, **arguments)
        answer = self.read()
        assert answer.pop("id") == number
        return answer

    def result(self, op: str, **arguments: Any) -> Json:
        answer = self.ask(op, **arguments)
        assert answer["ok"] is True, answer
        result: Json = answer["result"]
        return result

    def errno(self, op: str, **arguments: Any) -> str:
        answer = self.ask(op, **arguments)
        assert answer["ok"] is False
        assert answer["call"]
        return str(answer["errno"])

    def refusal(self, op: str, **arguments: Any) -> str:
        answer = self.ask(op, **arguments)
        assert answer.keys() == {"ok", "protocol"}, answer
        return str(answer["protocol"])

    def finish(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(timeout=15)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent for this machine. Needs libjansson-dev and libmd-dev."""
    return compiled(tmp_path_factory.getbasetemp())


@functools.cache
def compiled(folder: Path) -> Path:
    """Once, though each module that takes the fixture from here has one of its own."""
    out = folder / "dmabed-agent"
    for_the_image = ("-static", "-s")
    flags = [flag for flag in (ROOT / "rootfs/cflags.txt").read_text().split() if flag not in for_the_image]
    command = [
        # Debian's headers of the kernel have DRM's only for other machines
        *("gcc", "-idirafter", "/usr/aarch64-linux-gnu/include", *flags),
        *("-O1", "-g", SANITIZERS, "-fno-sanitize-recover"),
        *(f"-I{ROOT}/guest-kernel/include/uapi", f"-I{ROOT}/guest-kernel/include"),
        *sorted((ROOT / "rootfs/agent").glob("*.c")),
        Path(__file__).with_name("test_agent_protocol_kernel.c"),
        *("-Wl,--wrap=open,--wrap=ioctl", "-ljansson", "-lmd", "-lpthread", "-o", out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture
def agent(program: Path) -> Iterator[AgentProcess]:
    """An agent that must still be alive, and clean, when the test is over."""
    running = AgentProcess(program)
    yield running
    assert running.finish() == 0


def decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- requests that are none ----


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"id": 1, "op": "hello", "op": "hello"}', "duplicate"),
        (b'{"id": 1, "op": "hello\x00"}', "no JSON"),
        (b"[" * 5000, "no JSON"),
        (b'{"id": 99999999999999999999, "op": "hello"}', "no JSON"),
        (b"[]", "object"),
        (b'"hello"', "no JSON"),
        (b'{"op": "hello"}', "'id'"),
        (b'{"id": null, "op": "hello"}', "'id'"),
        (b'{"id": {}, "op": "hello"}', "'id'"),
        (b'{"id": 1.5, "op": "hello"}', "'id'"),
        (b" " * LINE_LIMIT, "more than 1048576 bytes"),
        (b'{"id": 1, "op": "read", "path": "' + b"x" * (3 * LINE_LIMIT), "more than 1048576 bytes"),
    ],
)
def test_a_line_that_is_no_request_is_answered_without_id(agent: AgentProcess, line: bytes, why: str) -> None:
    agent.write(line + b"\n")
    answer = agent.read()
    assert (answer["id"], answer["ok"]) == (None, False)
    assert why in answer["protocol"]
    assert agent.result("hello")["protocol"] == 1


@pytest.mark.parametrize(
    ("op", "arguments", "why"),
    [
        ("nope", {}, "unknown op 'nope'"),
        ("nöpe\n", {}, "unknown op 'n??pe?'"),
        ("hello", {"x": 1}, "unknown key 'x'"),
        ("hello", {"thread": 1}, "'thread' must be a name"),
        ("hello", {"thread": ""}, "'thread' must be a name"),
        ("export", {"buffer": "a"}, "needs 'length'"),
        ("export", {"length": 1}, "needs 'buffer'"),
        ("export", {"buffer": "a", "length": -1}, "'length' must be"),
        ("export", {"buffer": "a", "length": "4096"}, "'length' must be"),
        ("export", {"buffer": "a", "length": "0x"}, "'length' must be"),
        ("export", {"buffer": "a", "length": "0x1g"}, "'length' must be"),
        ("export", {"buffer": "a", "length": "0x-1"}, "'length' must be"),
        ("export", {"buffer": "a", "length": "0x10000000000000000"}, "'length' must be"),
        ("export", {"buffer": "a", "length": 1.5}, "'length' must be"),
        ("export", {"buffer": "a", "length": None}, "'length' must be"),
        ("export", {"buffer": "a", "length": 1, "storage": "tape"}, "'storage' must be one of"),
        ("export", {"buffer": "a", "length": 1, "storage": ["auto"]}, "'storage' must be one of"),
        ("export", {"buffer": "a", "length": 1, "flags": "high"}, "'flags' must be a list"),
        ("export", {"buffer": "a", "length": 1, "flags": ["low"]}, "'flags' must be a list"),
        ("export", {"buffer": "../a", "length": 1}, "'buffer' must be a name"),
        ("export", {"buffer": "a" * 65, "length": 1}, "'buffer' must be a name"),
        ("attach", {"device": "../null", "buffer": "a"}, "'device' must be a name"),
        ("attach", {"device": "codec", "buffer": "a"}, "unknown buffer 'a'"),
        ("attach", {"device": "codec", "buffer": "a", "dynamic": 1}, "'dynamic' must be true or false"),
        ("heap", {"buffer": "a", "length": 1, "heap": "../null"}, "'heap' must be a name"),
        ("map", {"device": "codec", "buffer": "a"}, "not attached"),
        ("map", {"device": "codec", "buffer": "a", "direction": "up"}, "'direction' must be one of"),
        ("unmap", {"device": "codec", "buffer": "a"}, "not attached"),
        ("detach", {"device": "codec", "buffer": "a"}, "not attached"),
        ("submit", {"device": "codec", "operation": "fill", "dst": "a"}, "not attached"),
        ("submit", {"device": "codec", "operation": "paint"}, "'operation' must be one of"),
        ("wait", {"device": "codec"}, "needs 'job'"),
        ("wait", {"device": "codec", "job": 1, "timeout-ms": 1 << 40}, "'timeout-ms' must be"),
        ("cpu-write", {"buffer": "a"}, "unknown buffer"),
        ("cpu-write", {"buffer": "a", "offset": 4}, "multiple of 8"),
        ("close", {"buffer": "a"}, "unknown buffer"),
        ("buffer", {"buffer": "a"}, "unknown buffer"),
        ("sync", {"threads": [1]}, "'threads' must be"),
        ("read", {"path": 1}, "'path' must be"),
        ("read", {"path": "/", "limit": 1 << 20}, "at most 524288"),
        ("run", {"argv": []}, "'argv' is empty"),
        ("run", {"argv": "ls"}, "'argv' must be"),
        ("run", {"argv": ["ls"], "env": ["A=1"]}, "'env' must be"),
        ("run", {"argv": ["ls"], "env": {"A": 1}}, "'env' must be"),
        ("run", {"argv": ["cat"], "stdin": "a"}, "'stdin' must be base64"),
        ("run", {"argv": ["cat"], "stdin": "===="}, "'stdin' must be base64"),
        ("run", {"argv": ["cat"], "stdin": "ab=c"}, "'stdin' must be base64"),
    ],
)
def test_what_the_agent_cannot_take_is_a_protocol_error(
    agent: AgentProcess, op: str, arguments: Json, why: str
) -> None:
    assert why in agent.refusal(op, **arguments)
    assert agent.result("hello")["protocol"] == 1


def test_empty_lines_mean_nothing(agent: AgentProcess) -> None:
    agent.write(b"\n\n\n")
    assert agent.result("hello")["pid"] == agent.process.pid


def test_an_id_comes_back_as_it_was(agent: AgentProcess) -> None:
    for number in (0, -1, 2**63 - 1, "", "käse"):
        agent.write(json.dumps({"id": number, "op": "hello"}).encode() + b"\n")
        assert agent.read()["id"] == number


def test_requests_may_come_in_pieces_and_many_at_once(agent: AgentProcess) -> None:
    for byte in b'{"id": 5, "op": "hello"}\n':
        agent.write(bytes([byte]))
    assert agent.read()["id"] == 5
    agent.write(b"".join(b'{"id": %d, "op": "sync"}\n' % number for number in range(500)))
    assert [agent.read()["id"] for _ in range(500)] == list(range(500))


def test_noise_gets_an_answer_per_line_and_no_more(agent: AgentProcess) -> None:
    dice = random.Random(1)
    valid = [
        b'{"id": 1, "op": "export", "buffer": "b", "length": "0x2000", "storage": "auto", "flags": ["high"]}',
        b'{"id": 1, "op": "submit", "device": "codec", "operation": "copy", "src": "b", "seed": "0x1"}',
        b'{"id": 1, "op": "cpu-write", "buffer": "b", "seed": 7, "offset": 8, "sync": false}',
        b'{"id": 1, "op": "wait", "device": "codec", "job": 1, "timeout-ms": 0, "thread": "t"}',
    ]
    lines = []
    for _ in range(3000):
        line = bytearray(dice.choice(valid))
        for _ in range(dice.randrange(1, 4)):
            line[dice.randrange(len(line))] = dice.choice(b'{}[]":,0x9-\\ \xc3a\x01')
        lines.append(bytes(line))
    agent.write(b"\n".join(lines) + b"\n")
    answers = [agent.read() for _ in lines]
    assert all(("errno" in answer) + ("result" in answer) + ("protocol" in answer) == 1 for answer in answers)
    assert agent.result("hello")["protocol"] == 1


# ---- connections ----


def test_hello_tells_who_answers(agent: AgentProcess) -> None:
    hello = agent.result("hello")
    assert hello.keys() == {"protocol", "pid", "uptime-ns", "kernel", "devices"}
    assert hello["pid"] == agent.process.pid
    assert hello["kernel"] == os.uname().release


def test_the_end_of_input_waits_for_answers(program: Path) -> None:
    agent = AgentProcess(program)
    agent.send("run", argv=["sleep", "0.3"])
    assert agent.finish() == 0
    assert agent.read()["result"]["status"] == 0


def test_an_agent_that_nobody_hears_ends(program: Path) -> None:
    deaf = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert deaf.stdin
    assert deaf.stdout
    deaf.stdout.close()
    deaf.stdin.write(b'{"id": 1, "op": "hello"}\n')
    deaf.stdin.flush()
    assert deaf.wait(timeout=10) == 1


def test_cancel_begins_a_connection(agent: AgentProcess) -> None:
    agent.result("export", buffer="kept", length=4096)
    agent.send("run", argv=["sleep", "0.2"], thread="old")
    agent.write(b'{"id": "half a li\x18')
    assert agent.ask("hello")["ok"]  # neither an error for the half line ...
    assert agent.result("sync") == {"busy": []}  # ... nor the old request's answer
    assert agent.result("close", buffer="kept") == {}


def test_wrong_arguments_of_the_program(program: Path) -> None:
    for words in ([], ["--stdio", "x"], ["--port"], ["--help"]):
        done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "usage" in done.stderr


# ---- threads ----


def threads_when_busy(agent: AgentProcess, name: str) -> dict[str, Any]:
    """The answer to ``threads`` as soon as that thread has begun its request: it may be just starting."""
    end = time.monotonic() + 10
    while True:
        threads = agent.result("threads")
        if threads[name]["op"] is not None:
            return dict(threads)
        assert time.monotonic() < end, f"thread {name} never began"
        time.sleep(0.01)


def test_a_blocked_thread_blocks_nobody_else(agent: AgentProcess) -> None:
    slow = agent.send("wait", device="codec", job=JOB_STUCK, timeout_ms=1200, thread="slow")
    behind = agent.send("hello", thread="slow")
    assert agent.result("reset") == {}
    threads = threads_when_busy(agent, "slow")
    assert (threads["slow"]["busy"], threads["slow"]["op"], threads["slow"]["id"]) == (True, "wait", slow)
    assert threads["slow"]["queued"] == 1
    assert threads["slow"]["tid"] > 0
    first, second = agent.read(), agent.read()
    assert (first["id"], first["errno"]) == (slow, "ETIMEDOUT")
    assert (second["id"], second["ok"]) == (behind, True)


def test_the_reader_answers_when_main_hangs(agent: AgentProcess) -> None:
    stuck = agent.send("wait", device="codec", job=JOB_STUCK, timeout_ms=1200)
    assert agent.result("hello")["protocol"] == 1
    assert threads_when_busy(agent, "main")["main"]["id"] == stuck
    assert agent.read()["id"] == stuck


def test_sync_waits_for_the_named_threads(agent: AgentProcess) -> None:
    agent.send("wait", device="codec", job=JOB_STUCK, timeout_ms=1500, thread="slow")
    assert agent.result("sync", threads=["other"]) == {"busy": []}
    assert agent.result("sync", timeout_ms=20) == {"busy": ["slow"]}
    waiting = agent.send("sync", threads=["slow"])
    assert agent.read()["errno"] == "ETIMEDOUT"
    assert agent.read() == {"id": waiting, "ok": True, "result": {"busy": []}}


def test_reset_ends_idle_threads_and_frees_names(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    agent.result("attach", device="codec", buffer="a")
    agent.result("sync", thread="idle")
    agent.result("sync", threads=["idle"])  # it answers a moment before it is idle
    agent.send("wait", device="capture", job=JOB_STUCK, timeout_ms=1500, thread="busy")
    assert agent.result("reset") == {}
    assert set(agent.result("threads")) == {"main", "busy"}
    assert agent.result("export", buffer="a", length=4096)["length"] == "0x1000"
    assert agent.read()["errno"] == "ETIMEDOUT"


def test_threads_are_limited_and_can_be_had_again(agent: AgentProcess) -> None:
    for number in range(63):
        agent.result("sync", thread=f"t{number}", threads=[])
    agent.result("sync", thread="main", threads=[])
    assert agent.refusal("sync", thread="one-more") == "no more threads"
    agent.result("reset")
    assert agent.result("sync", thread="one-more") == {"busy": []}


def test_a_queue_is_limited(agent: AgentProcess) -> None:
    stuck = agent.send("wait", device="codec", job=JOB_STUCK, timeout_ms=4000)
    threads_when_busy(agent, "main")
    for _ in range(1024):
        agent.send("reset")
    assert agent.refusal("reset") == "too many requests wait for this thread"
    assert agent.read()["id"] == stuck
    assert all(agent.read()["ok"] for _ in range(1024))


# ---- programs and files ----


def test_run_passes_everything_through(agent: AgentProcess) -> None:
    script = 'cat; echo "$A-$HOME" >&2; pwd >&2; exit 3'
    done = agent.result(
        "run", argv=["sh", "-c", script], env={"A": "1", "HOME": "x=y"}, cwd="/", stdin=encoded(b"\0\xffhi")
    )
    assert (done["status"], done["signal"], done["truncated"], done["timed-out"]) == (3, None, False, False)
    assert decoded(done["stdout"]) == b"\0\xffhi"
    assert decoded(done["stderr"]) == b"1-x=y\n/\n"


def test_run_reports_a_signal(agent: AgentProcess) -> None:
    done = agent.result("run", argv=["sh", "-c", "kill -SEGV $$"])
    assert (done["status"], done["signal"]) == (None, 11)


def test_run_gives_programs_their_usual_sigpipe(agent: AgentProcess) -> None:
    done = agent.result("run", argv=["sh", "-c", "(yes; echo $? >&2) | head -1"])
    assert decoded(done["stderr"]) != b"1\n"  # what yes says when SIGPIPE is ignored


def test_run_keeps_the_beginning_of_much_output(agent: AgentProcess) -> None:
    done = agent.result("run", argv=["sh", "-c", "echo begin; head -c 5000000 /dev/zero; echo e >&2; exit 0"])
    out = decoded(done["stdout"])
    assert (done["status"], done["truncated"], len(out)) == (0, True, 256 << 10)
    assert out.startswith(b"begin\n\0")
    assert decoded(done["stderr"]) == b"e\n"


def test_run_feeds_more_than_a_pipe_holds(agent: AgentProcess) -> None:
    data = random.Random(2).randbytes(250_000)
    done = agent.result("run", argv=["cat"], stdin=encoded(data))
    assert decoded(done["stdout"]) == data
    ignored = agent.result("run", argv=["true"], stdin=encoded(data))
    assert ignored["status"] == 0


def test_run_kills_the_whole_group_in_time(agent: AgentProcess) -> None:
    started = time.monotonic()
    done = agent.result("run", argv=["sh", "-c", "sleep 60 & echo $!; wait"], timeout_ms=200)
    assert time.monotonic() - started < 10
    assert (done["status"], done["signal"], done["timed-out"]) == (None, 9, True)
    assert is_gone(int(decoded(done["stdout"])))


def is_gone(pid: int) -> bool:
    """Whether the process has ended; nobody may have reaped it yet."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_run_does_not_wait_for_what_a_program_leaves_behind(agent: AgentProcess) -> None:
    started = time.monotonic()
    done = agent.result("run", argv=["sh", "-c", "sleep 4 & echo out"])
    assert time.monotonic() - started < 3
    assert (done["status"], decoded(done["stdout"])) == (0, b"out\n")


def test_run_says_why_a_program_does_not_start(agent: AgentProcess) -> None:
    assert agent.errno("run", argv=["/nonexistent"]) == "ENOENT"
    assert agent.errno("run", argv=["/etc/passwd"]) == "EACCES"
    assert agent.errno("run", argv=["true"], cwd="/nonexistent") == "ENOENT"


def test_many_programs_leave_no_fd_behind(agent: AgentProcess) -> None:
    def fds() -> int:
        return len(os.listdir(f"/proc/{agent.process.pid}/fd"))  # noqa: PTH208 - a count

    agent.result("run", argv=["true"])
    before = fds()
    for _ in range(20):
        agent.result("run", argv=["true"])
        agent.errno("run", argv=["/nonexistent"])
    assert fds() == before


def test_read_cuts_and_says_so(agent: AgentProcess, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    for limit, data, truncated in ((4, b"0123", True), (10, b"0123456789", False), (0, b"", True)):
        found = agent.result("read", path=str(file), limit=limit)
        assert (decoded(found["data"]), found["truncated"]) == (data, truncated)


def test_read_of_odd_files(agent: AgentProcess, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert agent.result("read", path=str(fifo)) == {"data": "", "truncated": False}
    assert agent.errno("read", path="/") == "EISDIR"
    assert agent.errno("read", path=str(tmp_path / "none")) == "ENOENT"
    assert len(decoded(agent.result("read", path="/dev/zero", limit=512 << 10)["data"])) == 512 << 10


# ---- buffers, devices and jobs, on the played kernel ----


def test_the_kernel_says_how_long_a_buffer_is(agent: AgentProcess) -> None:
    assert agent.result("export", buffer="a", length="0x1801") == {"length": "0x2000"}
    assert agent.result("heap", buffer="h", length=1, heap="system") == {"length": "0x1000"}
    assert agent.errno("export", buffer="b", length=0) == "EINVAL"
    assert agent.errno("export", buffer="b", length=1, storage="fixed", address="0x80000001") == "EINVAL"
    assert agent.errno("heap", buffer="b", length=1, heap="none") == "ENOENT"
    assert agent.errno("info", device="gone") == "ENOENT"


@pytest.mark.parametrize("scattered", [False, True])
def test_udmabuf(agent: AgentProcess, scattered: bool) -> None:
    made = agent.result("udmabuf", buffer="u", length=16 * 4096, scattered=scattered)
    assert made == {"length": "0x10000"}
    written = agent.result("cpu-write", buffer="u", seed=5)["sha256"]
    assert written == sha256_of(5, 0, 16 * 4096)
    assert "is there already" in agent.ask("udmabuf", buffer="u", length=4096)["protocol"]
    assert agent.errno("udmabuf", buffer="v", length=0, scattered=scattered) == "EINVAL"


def test_info_of_a_device(agent: AgentProcess) -> None:
    info = agent.result("info", device="codec")
    assert info["name"] == "x" * 31
    assert info["dma-mask"] == "0xffffffffffffffff"
    assert (info["max-seg-size"], info["addr-bits"]) == (2**32 - 1, 32)


def test_long_segment_lists_arrive_whole(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    agent.result("attach", device="codec", buffer="a")
    expected = [[hex(0x880000000 + i * 0x2000), "0x1000"] for i in range(1000)]
    assert agent.result("map", device="codec", buffer="a")["segments"] == expected
    buffer = agent.result("buffer", buffer="a")
    assert buffer.pop("segments") == expected
    assert buffer == {
        "storage": "low-pages",
        "length": "0xfffffffffffff000",
        "migrations": 2,
        "attachments": 0,
        "mappings": 0,
    }


def test_an_attachment_belongs_to_device_and_buffer(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    first = agent.result("attach", device="codec", buffer="a")["attachment"]
    assert "already" in agent.refusal("attach", device="codec", buffer="a")
    assert agent.result("attach", device="capture", buffer="a")["attachment"] == first + 1
    assert agent.errno("map", device="codec", buffer="a", direction="to-device") == "EINVAL"
    assert agent.result("detach", device="codec", buffer="a") == {}
    assert "not attached" in agent.refusal("map", device="codec", buffer="a")
    assert agent.result("unmap", device="capture", buffer="a") == {}


def test_a_refused_attach_leaves_nothing_behind(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    assert agent.errno("attach", device="codec", buffer="a", dynamic=True) == "EOPNOTSUPP"
    assert "not attached" in agent.refusal("detach", device="codec", buffer="a")
    assert agent.result("attach", device="codec", buffer="a")["attachment"] > 0


def test_an_attachment_outlives_the_close_of_its_buffer(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    agent.result("attach", device="codec", buffer="a")
    agent.result("close", buffer="a")
    assert "unknown buffer" in agent.refusal("cpu-digest", buffer="a")
    assert "there already" in agent.refusal("export", buffer="a", length=4096)
    assert agent.result("submit", device="codec", operation="digest", src="a")["job"] == 4096 + 2
    agent.result("detach", device="codec", buffer="a")
    assert agent.result("export", buffer="a", length=4096)["length"] == "0x1000"


def test_submit_takes_the_rest_of_the_buffer(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=0x3000)
    agent.result("export", buffer="b", length=0x1000)
    for buffer in "ab":
        agent.result("attach", device="codec", buffer=buffer)

    def job(**arguments: Any) -> int:
        return int(agent.result("submit", device="codec", **arguments)["job"])

    # the played kernel's job number is length + seed * 16 + operation
    assert job(operation="fill", dst="a", seed="0x3", dst_offset="0x1000") == 0x2000 + 0x30 + 1
    assert job(operation="copy", src="b", dst="a", dst_offset=8) == 0x1000 + 3
    assert job(operation="compare", src="a", dst="b", length=16) == 16 + 4
    assert job(operation="digest", src="a", src_offset="0x4000") == 2
    assert agent.errno("submit", device="codec", operation="digest") == "EINVAL"


def test_wait_tells_status_and_fence_error(agent: AgentProcess) -> None:
    good = agent.result("wait", device="codec", job=1)
    assert good == {
        "status": "ok", "error": None, "bytes": "0x100000000", "mismatch": None, "sha256": "ab" * 32,
    }  # fmt: skip
    failed = agent.result("wait", device="codec", job=hex(JOB_FAILED))
    assert (failed["status"], failed["error"], failed["mismatch"]) == ("seg-count", "EIO", "0x0")
    assert agent.errno("wait", device="codec", job=JOB_STUCK, timeout_ms=1) == "ETIMEDOUT"


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_the_cpu_writes_the_engines_pattern(agent: AgentProcess, seed: int) -> None:
    length = 0x21000  # more than one chunk
    agent.result("export", buffer="a", length=length)
    assert agent.result("cpu-write", buffer="a", seed=hex(seed))["sha256"] == sha256_of(seed, 0, length)
    assert agent.result("cpu-digest", buffer="a")["sha256"] == sha256_of(seed, 0, length)
    part = agent.result("cpu-digest", buffer="a", offset=24, length=70_001, sync=False)
    assert part["sha256"] == sha256_of(seed, 24, 70_001)


def test_a_part_is_written_as_part_of_the_whole(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    for offset in (2048, 0):
        agent.result("cpu-write", buffer="a", seed=9, offset=offset, length=2048)
    assert agent.result("cpu-digest", buffer="a")["sha256"] == sha256_of(9, 0, 4096)
    agent.result("cpu-write", buffer="a", seed=8, offset=8, length=5)
    assert agent.result("cpu-digest", buffer="a", offset=8, length=5)["sha256"] == sha256_of(8, 8, 5)
    assert agent.result("cpu-digest", buffer="a", offset=13, length=3)["sha256"] != sha256_of(8, 13 - 5, 3)


def test_an_access_beyond_the_storage_is_an_answer(agent: AgentProcess) -> None:
    agent.result("export", buffer="a", length=4096)
    assert agent.errno("cpu-digest", buffer="a", length=8192) == "EFAULT"
    assert agent.errno("cpu-write", buffer="a", offset=4096, length=8) == "EFAULT"
    assert agent.errno("cpu-digest", buffer="a", length=0) == "EINVAL"
    assert agent.errno("cpu-digest", buffer="a", length="0x7fffffffffff0000") == "ENOMEM"
    beyond = agent.refusal("cpu-digest", buffer="a", offset=8, length="0xfffffffffffffff8")
    assert "beyond any buffer" in beyond
    assert agent.result("cpu-digest", buffer="a", length=1)["sha256"]


def test_the_longest_output_fits_into_a_line(agent: AgentProcess) -> None:
    data = bytes(256 << 10)
    script = "head -c 262144 /dev/zero; head -c 262144 /dev/zero >&2"
    both = agent.result("run", argv=["sh", "-c", script])
    assert decoded(both["stdout"]) == data == decoded(both["stderr"])  # the largest that run can say
