"""Processes, what they cost, and the load that is put on them."""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PROXY_CORE, LOAD_CORE = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 64


def ports():
    """Free ports, below those that the system gives to outgoing connections."""
    port = 20_000 + os.getpid() % 5_000
    while True:
        port += 1
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


# ---------------------------------------------------------------- processes

class Server:
    """A process on one core, with whatever it starts."""
    running = []

    def __init__(self, argv, core, log, env=None):
        self.log = open(log, "ab")
        self.proc = subprocess.Popen(["taskset", "-c", core, *argv], stdin=subprocess.DEVNULL, stdout=self.log,
                                     stderr=self.log, env={**os.environ, **(env or {})}, start_new_session=True)
        Server.running.append(self)

    def tree(self):
        pids = [self.proc.pid]
        for pid in pids:
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as f:
                        pids += [int(child) for child in f.read().split()]
            except OSError:
                pass
        return pids

    def cpu(self):
        """Seconds in user space and in the kernel."""
        user = system = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/stat") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
                user, system = user + int(fields[11]), system + int(fields[12])
            except OSError:
                pass
        return user / TICK, system / TICK

    def memory(self):
        """Resident MiB; what several processes share counts once."""
        kib = 0
        for pid in self.tree():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    kib += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
            except OSError:
                pass
        return kib / 1024

    def stop(self, patience=3):
        pids = self.tree()
        self.proc.send_signal(signal.SIGINT)
        try:
            self.proc.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.proc.wait()
        self.log.close()
        Server.running.remove(self)


def stop_all():
    for proc in loads:
        proc.kill()
        proc.wait()
    for server in list(Server.running):
        server.stop()


def busy():
    """CPU seconds that the whole machine has spent."""
    with open("/proc/stat") as f:
        fields = [int(field) for field in f.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICK


# ---------------------------------------------------------------- single requests

def status(port, token=None, tls=False):
    """The answer to one request; 0 if there is none."""
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Authorization": "Bearer " + token} if token else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def answers(server, port, seconds=30, tls=False):
    """Waits until it does; False if it ends before."""
    end = time.time() + seconds
    while time.time() < end and server.proc.poll() is None:
        if status(port, tls=tls):
            return True
        time.sleep(0.05)
    return False


# ---------------------------------------------------------------- load

loads = []      # those that were not waited for


def wrk(port, seconds, script, tokens=None, tls=False, connections=CONNECTIONS, body=None):
    """Starts wrk; what is returned waits for its figures."""
    argv = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
            "-s", os.path.join(HERE, "load", script), f"http{'s' if tls else ''}://127.0.0.1:{port}/", "--"]
    # Into a file: nobody reads while it runs.
    said = tempfile.TemporaryFile("w+")
    proc = subprocess.Popen(argv + ([tokens] if tokens else []) + ([str(body)] if body else []), stdout=subprocess.DEVNULL, stderr=said)
    loads.append(proc)

    def figures():
        proc.wait()
        loads.remove(proc)
        said.seek(0)
        lines = [line for line in said if line.startswith("{")]
        said.close()
        return json.loads(lines[-1]) if lines else None
    return figures


def h2load(port, seconds, token):
    """The same over cleartext HTTP/2. It tells the mean where wrk tells the median, and no 99th percentile."""
    argv = ["taskset", "-c", LOAD_CORE, "h2load", "-t1", f"-c{CONNECTIONS // 8}", "-m8", "-D", str(seconds)]
    proc = subprocess.Popen(argv + (["-H", "authorization: Bearer " + token] if token else [])
                            + [f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    loads.append(proc)

    def figures():
        out = proc.communicate()[0]
        loads.remove(proc)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
        mean = re.search(r"time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)", out)
        errors = re.search(r"(\d+) errored", out)
        if not (codes and mean and errors):
            return None
        good, other, refused, failed = (int(code) for code in codes.groups())
        return {"requests": good + other + refused + failed, "us": seconds * 1e6, "p99": 0, "refused": refused + failed,
                "p50": float(mean[1]) * {"us": 1, "ms": 1e3, "s": 1e6}[mean[2]], "errors": int(errors[1])}
    return figures
