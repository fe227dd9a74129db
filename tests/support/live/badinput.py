"""badinput: one line on stderr that names the thing, docker's exit code, and nothing left."""
import json
import os
import socket


def flags(t):
    run = lambda code, pattern, *args: t.fails(" ".join(args) or "no image", code, pattern, "run", "--rm", "--network", "none", *args, "bb", "true")
    with open(t.work + "/bad.json", "w") as f:
        f.write('{"defaultAction": "SCMP_ACT_NOPE"}')
    with open(t.work + "/half.json", "w") as f:
        f.write('{"defaultAction": ')
    os.makedirs(t.work + "/folder", exist_ok=True)
    for pattern, *args in (
            ("nosuch", "--nosuch"), ("lots", "-m", "lots"), ("(?i)memory", "-m", "100k"), ("(?i)memory.?swap", "-m", "64m", "--memory-swap", "32m"),
            ("(?i)memory.?swap", "--memory-swap", "64m"), ("(?i)cpus", "--cpus", "1000"), ("abc", "--cpus", "abc"), ("(?i)cpus|conflict", "--cpus", "1", "--cpu-quota", "1000"),
            ("99", "--cpuset-cpus", "99"), ("x-y", "--cpuset-cpus", "x-y"), ("(?i)weight", "--blkio-weight", "5"), ("/dev/null", "--device-read-bps", "/dev/null:1mb"),
            ("/no/dev", "--device-read-bps", "/no/dev:1mb"), ("nofile", "--ulimit", "nofile=10:5"), ("nosuch", "--ulimit", "nosuch=1"),
            ("NOSUCH", "--cap-add", "NOSUCH"), ("NOSUCH", "--cap-drop", "NOSUCH"), ("nosuch", "--security-opt", "nosuch"),
            ("nofile.json", "--security-opt", "seccomp=" + t.work + "/nofile.json"), ("SCMP_ACT_NOPE", "--security-opt", "seccomp=" + t.work + "/bad.json"),
            ("half.json|seccomp", "--security-opt", "seccomp=" + t.work + "/half.json"), ("/dev/nosuch", "--device", "/dev/nosuch"),
            ("xyz", "--device", "/dev/null:/dev/x:xyz"), ("NOSIG", "--stop-signal", "NOSIG"), ("nosuch", "--pid", "nosuch"), ("nosuch", "--pid", "container:nosuch"),
            ("nosuch", "--ipc", "nosuch"), ("nosuch", "--uts", "nosuch"), ("nosuch", "--userns", "nosuch"), ("here", "--dns", "here"), ("there", "--add-host", "there"),
            ("kernel.hostname", "--sysctl", "kernel.hostname=x"), ("nosuch", "--sysctl", "net.nosuch=1"), ("1001", "--oom-score-adj", "1001"),
            ("sometimes", "--restart", "sometimes"), ("(?i)restart", "--restart", "always"), ("rel/folder", "--mount", "type=bind,src=rel/folder,dst=/x"),
            ("/no/folder", "--mount", "type=bind,src=/no/folder,dst=/x"), ("nosuch", "--mount", "type=nosuch,dst=/x"), ("rel", "-v", t.work + ":rel"),
            ("(?i)mode|zz", "-v", t.work + ":/x:zz"), ("(?i)duplicate|/x", "-v", t.work + ":/x", "-v", "/tmp:/x"), ("rel", "-w", "rel"), ("nobody-there", "-u", "nobody-there"),
            ("nogroup-there", "-u", "0:nogroup-there"), ("/etc/passwd", "-w", "/etc/passwd"), ("(?i)name", "--name", "a b"), ("nofile", "--env-file", t.work + "/nofile"),
            ("nofile", "--label-file", t.work + "/nofile"), ("=x", "-e", "=x"), ("nosuch", "--log-driver", "nosuch"),
            ("-1m|shm", "--shm-size", "-1m"), ("(?i)hostname", "--hostname", "x" * 100), ("(?i)cidfile|folder", "--cidfile", t.work + "/folder")):
        run(125, pattern, *args)
    for pattern, *args in (("99999", "-p", "99999:80"), ("x:80", "-p", "x:80"), ("80/xyz", "-p", "80/xyz"), ("1.2.3", "-p", "1.2.3:80:80"), ("nosuch", "--network", "nosuch"),
                           ("nosuch", "--network", "container:nosuch"), ("(?i)port|network", "--network", "container:nosuch", "-p", "80:80")):
        t.fails(" ".join(args), 125, pattern, "run", "--rm", *args, "bb", "true")
    t.fails("a mount over a file", 125, "/etc/passwd", "run", "--rm", "--network", "none", "-v", t.work + "/folder:/etc/passwd", "bb", "true")
    t.fails("a file over a folder", 125, "/tmp", "run", "--rm", "--network", "none", "-v", "/etc/passwd:/tmp", "bb", "true")
    t.fails("a mount over /", 125, '"?/"?', "run", "--rm", "--network", "none", "-v", t.work + "/folder:/", "bb", "true")


def images(t):
    for name in ("UPPER", "a/../b", "a:b:c", "", "sha256:xyz", "a@sha256:12", "x" * 300, "-bad", "a//b"):
        t.fails("image %r" % name[:20], 125, ".", "run", "--rm", "--pull", "never", "--", name, "true")
    t.fails("an image that is not there", 125, "nosuch", "run", "--rm", "--pull", "never", "nosuch", "true")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        t.fails("a registry that does not answer", 125, r"127\.0\.0\.1:%d" % s.getsockname()[1], "run", "--rm", "127.0.0.1:%d/x" % s.getsockname()[1], "true")


def commands(t):
    for command in ("start", "stop", "kill", "restart", "wait", "pause", "unpause", "rm", "logs", "attach", "top", "port"):
        t.fails(command + " of nothing", 1, "nosuch", command, "nosuch")
    t.fails("exec in nothing", 1, "nosuch", "exec", "nosuch", "true")
    r = t.teu("inspect", "nosuch")
    t.ok("inspect of nothing", r.code == 1 and r.out == "[]\n" and "nosuch" in r.err, r)
    t.need("create", "--name", "idle", "--network", "none", "bb", "true")
    for command, pattern in (("kill", "not running"), ("pause", "not running"), ("unpause", "not running|not paused"), ("top", "not running"), ("attach", ".")):
        t.fails(command + " of one that does not run", 1, pattern, command, "idle")
    t.fails("exec in one that does not run", 1, "not running", "exec", "idle", "true")
    t.start("runs")
    t.fails("unpause of one that runs", 1, "not paused", "unpause", "runs")
    t.same("an unknown command", (lambda r: (r.code, "nosuch" in r.err, r.err.count("\n")))(t.teu("nosuch")), (1, True, 1))
    for args in (("logs", "--since", "never", "runs"), ("stop", "-t", "x", "runs"), ("ps", "--filter", "nosuch=1"), ("kill", "-s", "99", "runs")):
        r = t.teu(*args)
        t.ok(" ".join(args), r.code in (1, 125) and r.err.count("\n") == 1, r)
    t.same("it still runs", t.look("runs", "State.Running"), True)


def failures_leave_nothing(t):
    """Launches that fail at a late step: with a port, a volume, a cgroup made before."""
    port = t.free_port()
    volumes = t.need("volume", "ls", "-q")
    for args, code in ((("bb", "nosuch"), 127), (("bb", "/etc/passwd"), 126), (("-u", "nosuch", "bb", "true"), 125), (("--sysctl", "net.ipv4.nosuch=1", "bb", "true"), 125),
                       (("-v", t.work + ":/etc/passwd", "bb", "true"), 125)):
        t.fails("fails late: " + " ".join(args)[-40:], code, ".", "run", "--rm", "-p", "%d:80" % port, "-m", "64m", "-v", "/anonymous", *args)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        t.same("the port is free", s.bind(("0.0.0.0", port)), None)
    t.same("no volume is left", t.need("volume", "ls", "-q"), volumes)
    r = t.teu("run", "-d", "--name", "stays", "--network", "none", "bb", "nosuch")
    t.same("without --rm it stays, created, with docker's code", (r.code, t.look("stays", "State.Status"), t.look("stays", "State.ExitCode")), (127, "created", 127))
    t.match("and says why", t.look("stays", "State.Error"), "nosuch")
    r = t.teu("start", "stays")
    t.ok("start of it", r.code == 1 and r.err.count("\n") == 1 and "nosuch" in r.err, r)


def documents(t):
    """What a broken record does: the others go on."""
    t.need("create", "--name", "good", "--network", "none", "bb", "true")
    cid = t.need("create", "--name", "broken", "--network", "none", "bb", "true")
    path = "%s/containers/%s/container.json" % (t.root, cid)
    text = open(path).read()
    for name, content in (("empty", ""), ("cut off", text[:100]), ("no object", "[]"), ("of other types", json.dumps({"Id": 5, "Config": []}))):
        with open(path, "w") as f:
            f.write(content)
        r = t.teu("start", "broken")
        t.ok("a record that is %s: one line" % name, r.code == 1 and r.err.count("\n") == 1, r)
        t.ok("ps shows the others", "good" in t.teu("ps", "-a").out, t.teu("ps", "-a"))
    with open(path, "w") as f:
        f.write(text)
    t.same("put right, it runs", t.teu("start", "-a", "broken").code, 0)


CASES = [flags, images, commands, failures_leave_nothing, documents]
