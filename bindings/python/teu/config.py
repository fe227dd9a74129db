# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python arguments as the document that Docker's POST /containers/create takes."""

from .container import environment


def _words(command):
    return [command] if isinstance(command, str) else list(command)


def _binding(value):
    """8080, "127.0.0.1:8080", ("127.0.0.1", 8080) or None (a free port) as Docker's PortBinding."""
    if value is None:
        return {"HostIp": "", "HostPort": ""}
    if isinstance(value, (tuple, list)):
        ip, port = value
    elif isinstance(value, str) and ":" in value:
        ip, _, port = value.rpartition(":")
    else:
        ip, port = "", value
    return {"HostIp": ip, "HostPort": "" if port is None else str(port)}


def _ports(ports, config, host):
    bindings = {}
    for inside, outside in ports.items():
        key = str(inside) if "/" in str(inside) else "%s/tcp" % inside
        several = outside if isinstance(outside, list) else [outside]
        bindings[key] = [_binding(o) for o in several]
    host["PortBindings"] = bindings
    config["ExposedPorts"] = {key: {} for key in bindings}


# Argument: (name in Docker's document, how to make its value)
_CONFIG = {
    "entrypoint": ("Entrypoint", _words),
    "env": ("Env", environment),
    "user": ("User", str),
    "workdir": ("WorkingDir", str),
    "hostname": ("Hostname", str),
    "labels": ("Labels", dict),
    "tty": ("Tty", bool),
    "stdin": ("OpenStdin", bool),
    "stop_signal": ("StopSignal", str),
}
_HOST = {
    "memory": ("Memory", int),
    "cpus": ("NanoCpus", lambda n: int(n * 1000000000)),
    "pids": ("PidsLimit", int),
    "network": ("NetworkMode", str),
    "binds": ("Binds", list),
    "tmpfs": ("Tmpfs", dict),
    "read_only": ("ReadonlyRootfs", bool),
    "privileged": ("Privileged", bool),
    "init": ("Init", bool),
    "cap_add": ("CapAdd", list),
    "cap_drop": ("CapDrop", list),
    "security_opt": ("SecurityOpt", list),
    "auto_remove": ("AutoRemove", bool),
}


def create_config(image, command=None, ports=None, host_config=None, config=None, **arguments):
    """The document. config and host_config, in Docker's own words, win over the arguments."""
    result, host = {}, {}
    for name, value in arguments.items():
        table, into = (_CONFIG, result) if name in _CONFIG else (_HOST, host)
        if name not in table:
            raise TypeError("create() got an unexpected keyword argument '%s'" % name)
        if value is not None:
            key, convert = table[name]
            into[key] = convert(value)
    result["Image"] = getattr(image, "id", image)
    if command is not None:
        result["Cmd"] = _words(command)
    if ports:
        _ports(ports, result, host)
    host.update(host_config or {})
    result.update(config or {})
    result["HostConfig"] = {**host, **result.get("HostConfig", {})}
    return result
