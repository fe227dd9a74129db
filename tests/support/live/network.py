"""network: the default bridge, published ports from everywhere, shared and missing networks, the files about names."""
import os
import re
import socket
import subprocess


def address(t, name):
    return t.look(name, "NetworkSettings.IPAddress")


def tcp(port, ip="127.0.0.1"):
    with socket.create_connection((ip, port), 20) as s:
        return s.makefile().read()


def udp(port, ip="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.connect((ip, port))
        s.send(b"?")
        return s.recv(64).decode()


def answers(question):
    try:
        return question() != ""
    except OSError:
        return False


def server(t, name, *flags, protocol="tcp", port="80"):
    cid = t.start(name, *flags, "--", "probe", "serve", protocol, port, network="bridge")
    t.wait_for(lambda: not t.teu("exec", name, "probe", "ask", protocol, "127.0.0.1", port).code)
    return cid


def bridge(t):
    server(t, "one")
    t.start("two", network="bridge")
    one, two = address(t, "one"), address(t, "two")
    gateway = t.look("one", "NetworkSettings.Gateway")
    t.ok("two containers, two addresses", one and two and one != two, (one, two))
    t.match("eth0 has it", t.sh("two", "ip -o -4 addr show eth0"), r"inet %s/16 " % re.escape(two))
    t.match("the default route", t.sh("two", "ip route"), r"^default via %s dev eth0" % re.escape(gateway))
    t.same("from another container, by its address", t.need("exec", "two", "probe", "ask", "tcp", one, "80"), two)
    t.same("from the host, by its address", tcp(80, one), gateway + "\n")
    t.match("ping to the gateway", t.sh("two", "ping -c 1 -W 20 %s | grep received" % gateway), "1 packets received")
    mac = t.look("one", "NetworkSettings.MacAddress")
    t.same("the MAC address of inspect is eth0's", t.sh("one", "cat /sys/class/net/eth0/address"), mac)
    t.same("inspect: Networks", t.look("one", "NetworkSettings.Networks.bridge.IPAddress"), one)
    t.same("eth0's counters begin at zero for a new one", t.inside("cat /sys/class/net/eth0/mtu", network="bridge"), "1500")
    t.need("stop", "-t", "0", "two")
    t.same("no address when it has ended", address(t, "two"), "")


def published(t):
    port, port2 = t.free_port(), t.free_port()
    server(t, "tcp", "-p", "%d:80" % port, "-p", "127.0.0.1:%d:80" % port2)
    t.same("tcp from 127.0.0.1", answers(lambda: tcp(port)), True)
    gateway = t.look("tcp", "NetworkSettings.Gateway")
    t.same("from the host's other addresses", answers(lambda: tcp(port, gateway)), True)
    t.same("a binding to 127.0.0.1 answers there", answers(lambda: tcp(port2)), True)
    t.same("and nowhere else", answers(lambda: tcp(port2, gateway)), False)
    t.start("client", network="bridge")
    # The answer has to come back through the host, or the bridge would carry it past the translation: docker's proxy does so, too.
    t.same("from another container, by the host's address", t.need("exec", "client", "probe", "ask", "tcp", gateway, str(port)), gateway)
    t.match("from itself, by the host's address", t.need("exec", "tcp", "probe", "ask", "tcp", gateway, str(port)), r"^\d+\.\d+\.\d+\.\d+$")
    t.same("port", sorted(t.need("port", "tcp").splitlines()), ["80/tcp -> 0.0.0.0:%d" % port, "80/tcp -> 127.0.0.1:%d" % port2])
    t.match("ps", t.need("ps", "--format", "{{.Ports}}", "--filter", "name=tcp"), r"0\.0\.0\.0:%d->80/tcp" % port)
    uport = t.free_port()
    server(t, "udp", "-p", "%d:53/udp" % uport, protocol="udp", port="53")
    t.same("udp from 127.0.0.1", answers(lambda: udp(uport)), True)
    t.same("udp from the host's other addresses", answers(lambda: udp(uport, gateway)), True)
    t.match("udp from another container", t.need("exec", "client", "probe", "ask", "udp", gateway, str(uport)), "^%s$" % re.escape(gateway))
    t.same("a udp port is not open for tcp", answers(lambda: tcp(uport)), False)
    t.need("stop", "-t", "0", "tcp")
    t.same("closed when it has ended", answers(lambda: tcp(port)), False)
    t.need("start", "tcp")
    t.ok("open again when it is started", t.wait_for(lambda: answers(lambda: tcp(port))))
    t.need("pause", "tcp")
    t.need("unpause", "tcp")
    t.same("many connections", all(answers(lambda: tcp(port)) for _ in range(50)), True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        ask = lambda: (client.send(b"?"), client.recv(64))
        client.settimeout(20)
        client.connect(("127.0.0.1", uport))
        first, old = answers(ask), address(t, "udp")
        t.need("stop", "-t", "0", "udp")
        client.settimeout(0.3)
        stopped = answers(ask)
        t.need("start", "udp")
        t.same("a udp client goes on after a restart with another address",
               (first, stopped, t.wait_for(lambda: answers(ask)), address(t, "udp") != old), (True, False, True, True))
    t.need("rm", "-f", "tcp", "udp")
    t.same("closed when it is removed", (answers(lambda: tcp(port)), answers(lambda: udp(uport))), (False, False))


def chosen_ports(t):
    server(t, "any", "-p", "80")
    shown = t.need("port", "any", "80")
    port = int(shown.rsplit(":", 1)[1])
    t.ok("-p 80: a port of the engine's choice", port > 1023 and answers(lambda: tcp(port)), shown)
    t.image("exposing", t.tree, "EXPOSE 80/tcp 53/udp")
    t.start("all", "-P", "--", "probe", "serve", "tcp", "80", network="bridge", image="exposing")
    port = int(t.need("port", "all", "80").rsplit(":", 1)[1])
    t.ok("-P", t.wait_for(lambda: answers(lambda: tcp(port))))
    t.match("-P: udp, too", t.need("port", "all", "53/udp"), r"^0\.0\.0\.0:\d+")
    t.need("rm", "-f", "all")
    t.need("rmi", "exposing")
    first = [t.free_port() for _ in range(3)][0]
    t.start("range", "-p", "%d-%d:8000-8002" % (first, first + 2), network="bridge")
    t.same("a range", len(t.need("port", "range").splitlines()), 3)


def conflicts(t):
    port = t.free_port()
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", port))
        taken.listen()
        t.fails("a port of a program of the host", 125, str(port), "run", "--rm", "-p", "%d:80" % port, "bb", "true")
    server(t, "holder", "-p", "%d:80" % port)
    t.fails("a port of another container", 125, str(port), "run", "--rm", "-p", "%d:80" % port, "bb", "true")
    t.same("the holder is not disturbed", answers(lambda: tcp(port)), True)
    t.same("the same number for udp is another port", t.teu("run", "--rm", "-p", "%d:80/udp" % port, "bb", "true").code, 0)
    t.need("create", "--name", "later", "-p", "%d:80" % port, "bb", "true")
    r = t.teu("start", "later")
    t.ok("start with a taken port", r.code == 1 and str(port) in r.err and r.err.count("\n") == 1, r)
    t.need("rm", "-f", "holder")
    t.same("free again", t.teu("run", "--rm", "-p", "%d:80" % port, "bb", "true").code, 0)
    t.need("rm", "later")


def outside(t):
    """A machine beside ours: another namespace, a link to it, and packets that are routed through us."""
    port, uport = t.free_port(), t.free_port()
    server(t, "tcp", "-p", "%d:80" % port)
    server(t, "udp", "-p", "%d:53/udp" % uport, protocol="udp", port="53")
    holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
    try:
        t.wait_for(lambda: os.readlink("/proc/%d/ns/net" % holder.pid) != os.readlink("/proc/self/ns/net"))
        there = lambda *a: subprocess.run(["nsenter", "-t", str(holder.pid), "-n", *a], check=True, stdout=subprocess.PIPE, text=True).stdout
        subprocess.run(["ip", "link", "add", "here0", "type", "veth", "peer", "name", "there0", "netns", str(holder.pid)], check=True)
        subprocess.run(["ip", "addr", "add", "203.0.113.1/24", "dev", "here0"], check=True)
        subprocess.run(["ip", "link", "set", "here0", "up"], check=True)
        there("ip", "addr", "add", "203.0.113.9/24", "dev", "there0")
        there("ip", "link", "set", "there0", "up")
        there("ip", "link", "set", "lo", "up")
        probe = t.work + "/probe"
        t.same("tcp from outside, with the real source address", there(probe, "ask", "tcp", "203.0.113.1", str(port)), "203.0.113.9\n")
        t.same("udp from outside, with the real source address", there(probe, "ask", "udp", "203.0.113.1", str(uport)), "203.0.113.9\n")
        outer = subprocess.Popen(["nsenter", "-t", str(holder.pid), "-n", probe, "serve", "tcp", "7000"])
        try:
            t.start("client", network="bridge")
            t.wait_for(lambda: not t.teu("exec", "client", "probe", "ask", "tcp", "203.0.113.9", "7000").code)
            t.same("to the outside with the host's address", t.need("exec", "client", "probe", "ask", "tcp", "203.0.113.9", "7000"), "203.0.113.1")
        finally:
            outer.kill()
            outer.wait()
    finally:
        holder.kill()
        holder.wait()
        subprocess.run(["ip", "link", "del", "here0"], stderr=subprocess.DEVNULL)


def other_modes(t):
    t.same("none: lo only", t.inside("ls /sys/class/net; ip route"), "lo")
    links = lambda text: sorted(name for name in re.findall(r"^\d+: ([^:@]+)", text, re.M) if not name.startswith("veth"))
    t.same("host: the host's links", links(t.inside("ip link", network="host")), links(subprocess.check_output(["ip", "-o", "link"], text=True)))
    t.same("host: the host's name", t.inside("hostname", network="host"), os.uname().nodename)
    t.start("hosted", "--", "probe", "serve", "tcp", "7777", network="host")
    t.ok("host: a server is the host's", t.wait_for(lambda: answers(lambda: tcp(7777))))
    t.same("host: no abstract socket of ours can be reached", t.inside("probe abstract", network="host"), "")
    server(t, "donor")
    join = lambda script: t.inside(script, network="container:donor")
    t.same("container: its address", join("ip -o -4 addr show eth0 | awk '{print $4}'"), address(t, "donor") + "/16")
    t.same("container: its servers on 127.0.0.1", join("probe ask tcp 127.0.0.1 80"), "127.0.0.1")
    t.same("container: its host name and files", join("hostname; cat /etc/hosts | tail -1 | awk '{print $1}'"), t.sh("donor", "hostname") + "\n" + address(t, "donor"))
    t.start("joined", network="container:donor")
    t.same("container: exec", t.sh("joined", "probe ask tcp 127.0.0.1 80"), "127.0.0.1")
    t.need("stop", "-t", "0", "donor")
    t.need("stop", "-t", "0", "joined")
    r = t.teu("start", "joined")
    t.ok("container: one that does not run", r.code == 1 and "not running" in r.err and r.err.count("\n") == 1, r)


def files(t):
    cid = t.start("files", network="bridge")
    hosts = t.sh("files", "cat /etc/hosts")
    t.match("/etc/hosts: localhost", hosts, r"^127\.0\.0\.1\s+localhost$")
    t.match("/etc/hosts: itself", hosts, r"^%s\s+%s$" % (re.escape(address(t, "files")), cid[:12]))
    with open("/etc/resolv.conf") as f:
        servers = [line.strip() for line in f if line.startswith("nameserver") and not re.search(r"\s(127\.|::1)", line)]
    if servers:
        t.same("/etc/resolv.conf: the host's servers", [line for line in t.sh("files", "cat /etc/resolv.conf").splitlines() if "nameserver" in line], servers)
    t.same("they can be written to",
           t.sh("files", "echo 192.0.2.9 mine >>/etc/hosts && tail -1 /etc/hosts"), "192.0.2.9 mine")
    t.ok("inspect names them", all(os.path.isfile(t.look("files", k)) for k in ("HostsPath", "HostnamePath", "ResolvConfPath")))
    t.match("host-gateway", t.inside("cat /etc/hosts", "--add-host", "up:host-gateway", network="bridge"),
            r"^%s\s+up$" % re.escape(t.look("files", "NetworkSettings.Gateway")))


def isolation(t):
    t.start("low", network="bridge")
    t.same("rules can't be changed from inside", t.sh("low", "ip addr add 10.9.9.9/32 dev eth0 2>/dev/null || echo refused"), "refused")
    t.start("victim", network="bridge")
    t.start("spoof", "--cap-add", "NET_ADMIN", network="bridge")
    t.same("NET_ADMIN is for its own namespace", t.sh("spoof", "ip link set eth0 down && echo down"), "down")
    gateway = t.look("victim", "NetworkSettings.Gateway")
    t.match("the others go on", t.sh("victim", "ping -c 1 -W 20 %s | grep received" % gateway), "1 packets received")


CASES = [bridge, published, chosen_ports, conflicts, outside, other_modes, files, isolation]
