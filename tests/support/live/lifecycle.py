"""lifecycle: from create to rm, what each command prints and the exit codes of docker's."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time


def exit_codes(t):
    run = lambda *a: t.teu("run", "--rm", "--network", "none", *a).code
    t.same("the command's own", [run("bb", "sh", "-c", "exit %d" % n) for n in (0, 1, 42, 255)], [0, 1, 42, 255])
    t.same("128 + signal", [run("--init", "bb", "sh", "-c", "kill -%d $$" % n) for n in (2, 9, 11, 15)], [130, 137, 139, 143])
    t.same("127: not found", [run("bb", "nosuch"), run("bb", "/no/such"), run("bb", "./nosuch")], [127] * 3)
    t.same("126: can't be executed", [run("bb", "/etc/passwd"), run("bb", "/etc")], [126] * 2)
    t.same("125: teu's own", [run("--nosuch", "bb"), run("--memory", "x", "bb", "true"), run("--pull", "never", "nosuch:tag")], [125] * 3)
    t.image("script", lambda folder: (t.tree(folder), script(folder + "/bad", "#!/no/interpreter\n"), script(folder + "/plain", "echo hi\n")))
    t.same("127: a script whose interpreter is missing", t.teu("run", "--rm", "--network", "none", "script", "/bad").code, 127)
    t.same("126: a text without an interpreter line", t.teu("run", "--rm", "--network", "none", "script", "/plain").code, 126)
    t.need("rmi", "script")


def script(path, text):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)


def from_create_to_rm(t):
    cid = t.need("create", "--name", "life", "--network", "none", "bb", "sh", "-c", "trap 'exit 7' TERM; echo out; echo err >&2; while :; do sleep 0.05; done")
    t.ids.add(cid)
    t.match("create prints the id", cid, "^[0-9a-f]{64}$")
    t.same("created", (t.look("life", "State.Status"), t.look("life", "State.Pid")), ("created", 0))
    t.same("ps shows it with -a only", (t.need("ps", "-q"), t.need("ps", "-aq", "--no-trunc")), ("", cid))
    t.same("start prints the name", t.need("start", "life"), "life")
    t.same("running", (t.look("life", "State.Status"), t.look("life", "State.Running")), ("running", True))
    pid = t.look("life", "State.Pid")
    t.ok("State.Pid is its process on the host", os.path.exists("/proc/%d" % pid) and b"trap" in open("/proc/%d/cmdline" % pid, "rb").read())
    t.same("start again is no error", t.need("start", "life"), "life")
    t.wait_for(lambda: t.logs("life").err and t.logs("life").out)
    t.same("logs: both streams apart", (t.logs("life").out, t.logs("life").err), ("out\n", "err\n"))
    t.match("ps", t.need("ps", "--format", "{{.Names}}|{{.Status}}|{{.Command}}|{{.Image}}"), r'^life\|Up .*\|"sh -c .*\|bb$')
    t.same("pause", (t.need("pause", "life"), t.look("life", "State.Status"), t.look("life", "State.Paused")), ("life", "paused", True))
    before = cpu_time(pid)
    time.sleep(0.3)
    t.same("paused: it does not run", cpu_time(pid), before)
    t.match("paused in ps", t.need("ps", "--format", "{{.Status}}"), r"\(Paused\)")
    t.fails("exec in a paused one", 1, "paused", "exec", "life", "true")
    t.same("unpause", (t.need("unpause", "life"), t.look("life", "State.Status")), ("life", "running"))
    t.fails("rm of a running one", 1, "running", "rm", "life")
    t.same("stop", (t.need("stop", "life"), t.look("life", "State.Status"), t.look("life", "State.ExitCode")), ("life", "exited", 7))
    t.match("ps -a", t.need("ps", "-a", "--format", "{{.Status}}"), r"^Exited \(7\) ")
    t.same("stop again is no error", t.need("stop", "life"), "life")
    t.same("wait tells the code", t.need("wait", "life"), "7")
    started = t.look("life", "State.StartedAt")
    t.need("start", "life")
    t.wait_for(lambda: t.logs("life").err.count("err") == 2 and t.logs("life").out.count("out") == 2)
    t.same("started again: the log goes on", t.logs("life").out, "out\nout\n")
    t.ok("a later StartedAt", t.look("life", "State.StartedAt") > started)
    old = t.look("life", "State.Pid")
    t.same("restart", t.need("restart", "life"), "life")
    t.ok("another process", t.look("life", "State.Pid") not in (0, old))
    t.same("its files are kept", (t.sh("life", "echo x >/kept"), t.need("restart", "-t", "0", "life"), t.sh("life", "cat /kept"))[2], "x")
    t.same("kill", (t.need("kill", "life"), t.need("wait", "life")), ("life", "137"))
    t.same("rm", (t.need("rm", "life"), t.need("ps", "-aq")), ("life", ""))
    t.ok("its files are gone", not os.path.exists(t.root + "/containers/" + cid))
    t.start("forced")
    t.same("rm -f of a running one", (t.need("rm", "-f", "forced"), t.need("ps", "-aq")), ("forced", ""))


def cpu_time(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[11:15]


def signals(t):
    t.start("sig", "--", "sh", "-c", "for s in HUP USR1 USR2; do trap \"echo $s\" $s; done; echo up; while :; do sleep 0.05; done")
    t.wait_for(lambda: "up" in t.logs("sig").out)
    for name, said in ("HUP", "HUP\n"), ("SIGUSR1", "USR1\n"), ("12", "USR2\n"):
        t.need("kill", "-s", name, "sig")
        t.wait_for(lambda: t.logs("sig").out.endswith(said))
    t.same("kill -s", t.logs("sig").out, "up\nHUP\nUSR1\nUSR2\n")
    t.same("a signal does not end it", t.look("sig", "State.Running"), True)
    t.fails("kill with a signal that is none", 1, "NOSUCH", "kill", "-s", "NOSUCH", "sig")
    run = subprocess.Popen(t.command("run", "--rm", "--name", "proxied", "--network", "none", "bb", "sh", "-c",
                                     "trap 'echo got; exit 3' TERM; echo up; while :; do sleep 0.05; done"), stdout=subprocess.PIPE, text=True)
    run.stdout.readline()
    run.send_signal(signal.SIGTERM)
    t.same("run passes signals on", (run.communicate(timeout=60)[0], run.returncode), ("got\n", 3))


def restart_policies(t):
    count = lambda name: t.look(name, "RestartCount")
    t.start("thrice", "--restart", "on-failure:3", "--", "sh", "-c", "echo run; exit 5")
    t.ok("on-failure:3 gives up", t.wait_for(lambda: t.look("thrice", "State.Status") == "exited" and count("thrice") == 3), t.need("inspect", "thrice"))
    time.sleep(0.5)
    t.same("after four runs", (t.logs("thrice").out.count("run"), count("thrice"), t.look("thrice", "State.ExitCode")), (4, 3, 5))
    t.start("good", "--restart", "on-failure", "--", "sh", "-c", "echo run")
    t.need("wait", "good")
    time.sleep(0.4)
    t.same("on-failure leaves a success alone", (t.logs("good").out, t.look("good", "State.Status")), ("run\n", "exited"))
    for policy in ("always", "unless-stopped"):
        name = "p-" + policy
        t.start(name, "--restart", policy, "--", "sh", "-c", "echo run; sleep 0.1")
        t.ok(policy + " brings a success back", t.wait_for(lambda: t.logs(name).out.count("run") >= 3), t.logs(name))
        t.need("stop", "-t", "1", name)
        runs = t.logs(name).out.count("run")
        time.sleep(1)
        t.same(policy + ": stop is the end", (t.look(name, "State.Status"), t.logs(name).out.count("run")), ("exited", runs))
        t.need("start", name)
        t.ok(policy + ": start makes it live again", t.wait_for(lambda: t.logs(name).out.count("run") >= runs + 2), t.logs(name))
        t.need("rm", "-f", name)
    t.start("killed", "--restart", "always")
    pid = t.look("killed", "State.Pid")
    os.kill(pid, signal.SIGKILL)
    t.ok("always: a process that was killed from outside comes back", t.wait_for(
        lambda: t.look("killed", "State.Running") and t.look("killed", "State.Pid") not in (0, pid)), t.need("inspect", "killed"))
    t.need("rm", "-f", "killed")
    time.sleep(0.5)
    t.same("and is gone after rm -f", t.need("ps", "-aq", "--filter", "name=killed"), "")
    t.start("back", "--restart", "always", "--", "sh", "-c", "exit 1")
    t.ok("restarting is a state of its own", t.wait_for(lambda: t.look("back", "State.Status") == "restarting"))
    t.need("stop", "back")
    t.same("stop while it waits", t.look("back", "State.Status"), "exited")


def between_lives(t):
    runs = lambda name: t.logs(name).out.count("run")
    gate = t.work + "/lives"
    os.mkdir(gate)

    def end_one():
        """Each life takes the file away and ends."""
        open(gate + "/end", "w").close()
        t.wait_for(lambda: not os.path.exists(gate + "/end"))
    t.start("again", "--restart", "always", "-v", gate + ":/gate", "--", "sh", "-c", "echo run; until rm /gate/end 2>/dev/null; do sleep 0.02; done; exit 3")
    seen = set()
    for life in range(1, 4):
        t.wait_for(lambda: runs("again") == life)
        end_one()
        t.wait_for(lambda: seen.add(t.look("again", "State.Status")) or runs("again") > life)
    t.ok("it is never taken for ended", seen <= {"running", "restarting"}, seen)
    end_one()
    t.wait_for(lambda: t.look("again", "State.Status") == "restarting" or runs("again") == 5)
    waits = subprocess.Popen(t.command("wait", "again"), stdout=subprocess.PIPE, text=True)
    t.wait_for(lambda: runs("again") == 5)
    t.same("wait is not for a life that is over", waits.poll(), None)
    end_one()
    t.same("wait is for the end of the next life", waits.communicate(timeout=60)[0], "3\n")
    t.need("stop", "-t", "1", "again")
    t.start("fails", "--restart", "always", "--", "sh", "-c", "exit 3")
    t.wait_for(lambda: t.look("fails", "RestartCount") >= 4 and t.look("fails", "State.Status") == "restarting")
    waits = subprocess.Popen(t.command("wait", "fails"), stdout=subprocess.PIPE, text=True)
    t.need("stop", "fails")
    t.same("or for a stop", waits.communicate(timeout=60)[0], "3\n")
    names = ["quick%d" % n for n in range(12)]
    for n, name in enumerate(names):
        t.start(name, "--restart", "always", "--", "sh", "-c", "echo run; sleep 0.0%d" % n)
        t.need("stop", "-t", "1", name)
    before = [runs(name) for name in names]
    time.sleep(0.5)
    t.same("no stop is lost", [(t.look(name, "State.Status"), runs(name)) for name in names], [("exited", n) for n in before])


def logs(t):
    lines = "".join("line %d\n" % n for n in range(1, 21))
    t.start("log", "--", "sh", "-c", "for i in $(seq 20); do echo line $i; done; while [ ! -e /more ]; do sleep 0.05; done; echo late; sleep 0.2; printf unfinished")
    t.wait_for(lambda: t.logs("log").out == lines)
    t.same("logs", t.logs("log").out, lines)
    t.same("--tail", t.need("logs", "--tail", "2", "log"), "line 19\nline 20")
    t.same("-n all", t.need("logs", "-n", "all", "log") + "\n", lines)
    stamped = t.need("logs", "-t", "log").splitlines()
    t.match("-t", stamped[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 1$")
    follow = subprocess.Popen(t.command("logs", "-f", "--tail", "1", "log"), stdout=subprocess.PIPE, text=True)
    t.same("-f begins with the tail", follow.stdout.readline(), "line 20\n")
    between = time.time()
    t.sh("log", "touch /more")
    t.same("-f shows what comes, and ends with the container", (follow.communicate(timeout=60)[0], follow.returncode), ("late\nunfinished", 0))
    t.same("--since", t.need("logs", "--since", "%.6f" % between, "log"), "late\nunfinished")
    t.same("--until", t.need("logs", "--until", "%.6f" % between, "log") + "\n", lines)
    t.same("--since as a span", t.need("logs", "--since", "1h", "--tail", "1", "log"), "unfinished")
    t.fails("of no container", 1, "nosuch", "logs", "nosuch")
    file = t.look("log", "LogPath")
    with open(file) as f:
        first = json.loads(f.readline())
    t.same("LogPath is docker's json-file", (sorted(first), first["log"], first["stream"]), (["log", "stream", "time"], "line 1\n", "stdout"))
    t.need("run", "--name", "quiet", "--network", "none", "--log-driver", "none", "bb", "echo", "x")
    t.ok("--log-driver none: no logs", t.teu("logs", "quiet").code == 1, t.teu("logs", "quiet"))
    out = t.need("run", "--rm", "--network", "none", "bb", "sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done")
    t.same("much output arrives whole and in order", out, "\n".join(["0123456789"] * 20000))
    t.need("run", "--name", "long", "--network", "none", "bb", "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo")
    t.same("a long line is whole in the log", len(t.logs("long").out), 100001)
    t.need("run", "--name", "zeros", "--network", "none", "bb", "printf", r"a\0b\n\001\177\n")
    t.same("zero bytes in the log", t.logs("zeros").out, "a\0b\n\1\x7f\n")
    t.need("run", "--name", "bytes", "--network", "none", "bb", "printf", r'a\033[1m"\\\t\303\244b\n')
    t.same("control characters and UTF-8 in the log", t.logs("bytes").out, 'a\033[1m"\\\täb\n')


def exec_(t):
    t.start("box", "-e", "A=1", "-w", "/tmp", "-u", "33", "--hostname", "box")
    t.same("environment, folder and user of the container", t.sh("box", "echo $A $(pwd) $(id -u) $(hostname)"), "1 /tmp 33 box")
    t.same("-e -w -u", t.sh("box", "echo $A $B $(pwd) $(id -u):$(id -g)", "-e", "A=2", "-e", "B=3", "-w", "/", "-u", "1:2"), "2 3 / 1:2")
    t.same("it is in the container's namespaces", t.sh("box", "cat /proc/1/cmdline | tr '\\0' ' '"), "sleep 1000 ")
    t.same("-i", t.teu("exec", "-i", "box", "cat", stdin="hello\n").out, "hello\n")
    t.same("without -i there is no input", t.teu("exec", "box", "cat", stdin="hello\n").out, "")
    t.same("streams are apart", (lambda r: (r.out, r.err))(t.teu("exec", "box", "sh", "-c", "echo o; echo e >&2")), ("o\n", "e\n"))
    t.match("-t: a terminal", t.need("exec", "-t", "box", "sh", "-c", "tty; echo $TERM"), r"(?s)/dev/pts/0.*xterm")
    t.same("-d", (t.need("exec", "-d", "box", "sh", "-c", "echo done >/tmp/mark"), t.wait_for(lambda: t.teu("exec", "box", "cat", "/tmp/mark").out)), ("", "done\n"))
    t.same("status", [t.teu("exec", "box", "sh", "-c", "exit %d" % n).code for n in (0, 9, 255)], [0, 9, 255])
    t.same("status 128 + signal", t.teu("exec", "box", "sh", "-c", "kill -9 $$").code, 137)
    t.same("127 and 126", [t.teu("exec", "box", "nosuch").code, t.teu("exec", "box", "/etc/passwd").code], [127, 126])
    r = t.teu("exec", "-w", "/missing", "box", "true")
    t.ok("-w a missing folder", r.code == 126 and r.err.count("\n") == 1 and "/missing" in r.err, r)
    t.same("it is not made", t.sh("box", "ls -d /missing 2>/dev/null; :"), "")
    r = t.teu("exec", "-u", "nosuch", "box", "true")
    t.ok("-u nobody knows", r.code == 126 and r.err.count("\n") == 1 and "nosuch" in r.err, r)
    t.fails("in no container", 1, "nosuch", "exec", "nosuch", "true")
    t.need("kill", "box")
    t.need("wait", "box")
    t.fails("in one that has ended", 1, "not running", "exec", "box", "true")
    t.start("mem", "-m", "32m", "--memory-swap", "32m")
    t.same("it counts for the container's limit", t.teu("exec", "mem", "probe", "touch", "100").code, 137)
    t.start("ends")
    background = subprocess.Popen(t.command("exec", "ends", "sleep", "1000"), stderr=subprocess.DEVNULL)
    t.wait_for(lambda: t.need("top", "ends").count("sleep 1000") == 2)
    t.need("kill", "ends")
    t.same("the end of the container ends it", background.wait(60), 137)


def exec_in_divided_cgroup(t):
    """On v2 who hands controllers down, as a systemd in the container does, may have no processes itself any more."""
    if not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return t.skip("the cgroup is divided", "no cgroup v2 here")
    t.start("divided")
    pid = t.look("divided", "State.Pid")
    with open("/proc/%d/cgroup" % pid) as file:
        group = "/sys/fs/cgroup" + file.read().strip().split(":", 2)[2]
    os.mkdir(group + "/init")
    for file, text in (("/init/cgroup.procs", str(pid)), ("/cgroup.subtree_control", "+memory")):
        with open(group + file, "w") as to:
            to.write(text)
    t.match("the cgroup is divided: exec goes where the first process is", t.sh("divided", "cat /proc/self/cgroup"), "/init$")


def streams(t):
    t.same("run -i", t.teu("run", "-i", "--rm", "--network", "none", "bb", "cat", stdin="a\nb\n").out, "a\nb\n")
    big = "x" * 70 + "\n"
    t.same("run -i: a megabyte through it", len(t.teu("run", "-i", "--rm", "--network", "none", "bb", "cat", stdin=big * 15000).out), 15000 * 71)
    r = t.teu("run", "--rm", "--network", "none", "bb", "sh", "-c", "echo o; echo e >&2")
    t.same("streams are apart", (r.out, r.err), ("o\n", "e\n"))
    t.same("-t: one stream", t.teu("run", "-t", "--rm", "--network", "none", "bb", "sh", "-c", "echo o; echo e >&2").out, "o\r\ne\r\n")
    done = subprocess.run(" ".join(t.command("run", "--rm", "--network", "none", "bb", "yes")) + " | head -1", shell=True, stdout=subprocess.PIPE, timeout=60)
    t.same("a closed pipe ends the caller", done.stdout, b"y\n")
    t.need("rm", "-f", *t.need("ps", "-q").split())
    t.same("run -d prints the id and comes back", len(t.need("run", "-d", "--rm", "--network", "none", "bb", "sleep", "0.1")), 64)
    t.ok("run -d --rm removes itself", t.wait_for(lambda: t.need("ps", "-aq") == ""), t.need("ps", "-a"))
    t.need("create", "-i", "--name", "in", "--network", "none", "bb", "cat")
    t.same("start -ai", t.teu("start", "-ai", "in", stdin="hello\n").out, "hello\n")
    t.need("run", "-d", "-i", "--name", "open", "--network", "none", "bb", "cat")
    attached = subprocess.Popen(t.command("attach", "open"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    attached.stdin.write("typed\n")
    attached.stdin.flush()
    t.same("attach", attached.stdout.readline(), "typed\n")
    attached.stdin.close()
    time.sleep(0.2)
    t.same("the end of one writer is not the end of its input", t.look("open", "State.Running"), True)
    t.need("kill", "open")
    t.same("attach ends as the container ends", attached.wait(60), 137)


def terminal(t, args, script):
    """Runs teu on a terminal; @script: pairs of what to wait for and what to type then. All that was shown, and the status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(t.command()[0], t.command(*args))
    shown, end, script = b"", time.monotonic() + 60, list(script)
    while time.monotonic() < end:
        if script and script[0][0] in shown:
            os.write(fd, script.pop(0)[1])
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 4096)
        except OSError:
            piece = b""
        if not piece:
            break
        shown += piece
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(fd)
    return shown.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def terminals(t):
    shown, status = terminal(t, ["run", "-it", "--rm", "--network", "none", "bb"], [(b"# ", b"tty; echo $((6*7))\r"), (b"42", b"exit 4\r")])
    t.same("run -it: a shell", ("/dev/pts/0" in shown, status), (True, 4))
    shown, status = terminal(t, ["run", "-it", "--name", "det", "--network", "none", "bb"], [(b"# ", b"\x10\x11")])
    t.same("ctrl-p ctrl-q detaches", (status, t.look("det", "State.Running")), (0, True))
    shown, status = terminal(t, ["attach", "det"], [(b"", b"echo b$((1+1))ck\r"), (b"b2ck", b"exit 6\r")])
    t.same("attach joins its terminal again", (status, t.look("det", "State.ExitCode")), (6, 6))
    shown, status = terminal(t, ["run", "-it", "--rm", "--network", "none", "bb", "sh", "-c", "trap 'exit 8' INT; echo up; while :; do sleep 0.05; done"],
                             [(b"up", b"\x03")])
    t.same("ctrl-c is the container's", status, 8)
    t.start("ex")
    shown, status = terminal(t, ["exec", "-it", "ex", "sh"], [(b"# ", b"exit 5\r")])
    t.same("exec -it", status, 5)
    shown, status = terminal(t, ["run", "-it", "--rm", "--network", "none", "--init", "bb", "sh", "-c", "sleep 1000 & jobs; exit 3"], [])
    t.same("--init -it", status, 3)


def lists(t):
    t.start("top", "--", "sh", "-c", "sleep 1000 & wait")
    rows = t.need("top", "top").splitlines()
    t.match("top: docker's columns", rows[0], r"^UID +PID +PPID +C +STIME +TTY +TIME +CMD$")
    t.ok("top: both processes", t.wait_for(lambda: len(t.need("top", "top").splitlines()) == 3), rows)
    t.ok("top: pids of the host", str(t.look("top", "State.Pid")) in t.need("top", "top").split())
    doc = json.loads(t.need("inspect", "top"))[0]
    for key, kind in (("Id", str), ("Created", str), ("Path", str), ("Args", list), ("State", dict), ("Image", str), ("ResolvConfPath", str),
                      ("HostnamePath", str), ("HostsPath", str), ("LogPath", str), ("Name", str), ("RestartCount", int), ("Driver", str),
                      ("Mounts", list), ("Config", dict), ("HostConfig", dict), ("NetworkSettings", dict)):
        t.ok("inspect: " + key, isinstance(doc.get(key), kind), doc.get(key))
    t.same("inspect: Path and Args", (doc["Path"], doc["Args"]), ("sh", ["-c", "sleep 1000 & wait"]))
    t.same("by a prefix of the id", t.look(doc["Id"][:6], "Name"), "/top")


def survival(t):
    """The monitor holds everything: the program that started it may be killed, with its whole session."""
    caller = subprocess.Popen(t.command("run", "--name", "orphan", "--network", "none", "bb", "sh", "-c",
                                        "trap 'exit 4' TERM; echo up; while :; do sleep 0.05; done"), stdout=subprocess.PIPE, start_new_session=True)
    caller.stdout.readline()
    os.killpg(caller.pid, signal.SIGKILL)
    caller.wait()
    time.sleep(0.2)
    t.same("it outlives a killed caller and its session", t.look("orphan", "State.Running"), True)
    t.same("its log is there", t.logs("orphan").out, "up\n")
    t.same("exec works", t.sh("orphan", "echo yes"), "yes")
    t.same("stop works, its status is kept", (t.need("stop", "orphan"), t.look("orphan", "State.ExitCode")), ("orphan", 4))
    cid = t.start("unheld")
    pid = t.look("unheld", "State.Pid")
    with open("/proc/%d/status" % pid) as f:
        monitor = int(re.search(r"^PPid:\t(\d+)", f.read(), re.M)[1])
    with open("/proc/%d/comm" % monitor) as f:
        t.same("the parent is the monitor", f.read(), "teu-monitor\n")
    os.kill(monitor, signal.SIGKILL)
    t.ok("a killed monitor takes its container with it", t.wait_for(lambda: has_ended(pid)))
    t.same("ps tells the truth", t.need("ps", "-q"), "")
    t.match("inspect: exited", t.look("unheld", "State.Status"), "exited")
    t.same("it can be started again", (t.need("start", "unheld"), t.look("unheld", "State.Running")), ("unheld", True))
    t.need("rm", "-f", cid)


def has_ended(pid):
    """Who is to reap it may take its time."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def many_at_once(t):
    many = [subprocess.Popen(t.command("run", "--rm", "--network", "none", "bb", "sh", "-c", "exit %d" % n)) for n in range(12)]
    t.same("twelve at once, each with its own status", [p.wait(60) for p in many], list(range(12)))
    same = [subprocess.Popen(t.command("run", "-d", "--name", "one", "--network", "none", "bb", "sleep", "1000"), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) for _ in range(4)]
    t.same("four of one name: one has it", sorted(p.wait(60) for p in same), [0, 125, 125, 125])


CASES = [exit_codes, from_create_to_rm, signals, restart_policies, between_lives, logs, exec_, exec_in_divided_cgroup, streams, terminals, lists, survival, many_at_once]
