#!/usr/bin/env python3
"""lying_registry: a registry on loopback whose repositories each break the protocol in a way of their own.

    lying_registry.py DIR [--tls CERT KEY]

Writes DIR/address (host:port) when it listens, and DIR/access, one line a request: "METHOD path range=… auth=…".
The name of the repository is the lie: "good/x" tells none, "wrong-digest/x" sends other bytes than it named, and so on
(see LIES below; what stands behind the slash keeps the blobs of two tests apart). The image has two gzip layers, the
second of about 1 MB that does not deflate. Ends when its standard input does. Source: distribution-spec, "Pull".
"""
import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import random
import socket
import ssl
import sys
import tarfile
import threading
import time
import urllib.parse

OCI = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG, LAYER = OCI + "manifest.v1+json", OCI + "index.v1+json", OCI + "config.v1+json", OCI + "layer.v1.tar+gzip"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)

DIR = sys.argv[1]
LOG = open(os.path.join(DIR, "access"), "w", buffering=1)
STOP = threading.Event()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer(name, size, seed):
    tar_bytes = io.BytesIO()
    with tarfile.open(fileobj=tar_bytes, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = size
        tar.addfile(info, io.BytesIO(random.Random(seed).randbytes(size)))
    plain = tar_bytes.getvalue()
    return gzip.compress(plain, 1, mtime=0), digest(plain)


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data)}


class Image:
    """Blobs by digest and the manifest that names them; @seed keeps one test's blobs apart from another's."""

    def __init__(self, seed):
        self.layers = [make_layer("etc/hello", 100, seed + "a"), make_layer("data/big", 1 << 20, seed + "b")]
        self.config = json.dumps({"architecture": ARCH, "os": "linux", "config": {"Cmd": ["/hello"]}, "rootfs": {
            "type": "layers", "diff_ids": [diff_id for _, diff_id in self.layers]}}).encode()
        self.blobs = {digest(data): data for data in [self.config] + [data for data, _ in self.layers]}
        self.manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, self.config),
                         "layers": [descriptor(LAYER, data) for data, _ in self.layers]}
        self.big = digest(self.layers[1][0])


IMAGES = {}
IMAGES_LOCK = threading.Lock()


def image_of(repository):
    with IMAGES_LOCK:
        if repository not in IMAGES:
            IMAGES[repository] = Image(repository)
        return IMAGES[repository]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def handle(self):
        # A TLS hello on the plain port: hang up, as servers do that look at what they get.
        if not isinstance(self.connection, ssl.SSLSocket) and self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return
        try:
            super().handle()
        except OSError:
            pass

    # Answers.

    def send(self, body, status=200, media_type="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if not any(name.lower() in ("content_length", "transfer_encoding") for name in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, message, **headers):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.send(body, status, "application/json", **headers)

    def send_blob(self, data):
        """With ranges, as honest registries do."""
        wanted = self.headers.get("Range")
        start = int(wanted[6:].split("-")[0]) if wanted else 0
        if start:
            self.send(data[start:], 206, Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send(data)

    def endless(self, media_type):
        self.send(b"", media_type=media_type, Transfer_Encoding="chunked")
        while not STOP.is_set():
            self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")

    def cut(self, data, start, count):
        """@count bytes from @start on, then the connection breaks."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:start + count])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    # What is asked for.

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        self.note()
        if form.get("refresh_token") == ["identity"]:
            self.send(json.dumps({"access_token": "let-me-in"}).encode(), 200, "application/json")
        else:
            self.error(401, "UNAUTHORIZED", "wrong token")

    def note(self):
        authorization = self.headers.get("Authorization", "-").split(" ")[0]
        LOG.write(f"{self.command} {self.path} range={self.headers.get('Range', '-')} auth={authorization}\n")

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if url.path == "/v2/":
            self.send(b"{}", media_type="application/json")
        elif parts[0] == "token":
            self.token(urllib.parse.parse_qs(url.query))
        elif parts[0] == "elsewhere":
            # Where redirects lead to: another host's storage.
            image = image_of("/".join(parts[1:-1]))
            self.send_blob(image.blobs[parts[-1]])
        elif len(parts) >= 4 and parts[0] == "v2" and parts[-2] in ("manifests", "blobs"):
            repository = "/".join(parts[1:-2])
            lie = LIES.get(parts[1], {})
            answer = lie.get(parts[-2]) or getattr(Handler, parts[-2])
            if "guard" not in lie or lie["guard"](self):
                answer(self, image_of(repository), repository, parts[-1])
        else:
            self.error(404, "NAME_UNKNOWN", "no such repository")

    def token(self, query):
        expected = "Basic " + base64.b64encode(b"ada:secret").decode()
        if self.headers.get("Authorization") == expected or "anonymous" in query.get("service", []):
            self.send(json.dumps({"token": "let-me-in"}).encode(), media_type="application/json")
        else:
            self.error(401, "UNAUTHORIZED", "wrong password")

    def manifests(self, image, repository, name, document=None, media_type=MANIFEST, **headers):
        body = json.dumps(document or image.manifest).encode()
        if name != "latest" and name != digest(body):
            self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        else:
            self.send(body, media_type=media_type, **{"Docker_Content_Digest": digest(body), **headers})

    def blobs(self, image, repository, name):
        if name in image.blobs:
            self.send_blob(image.blobs[name])
        else:
            self.error(404, "BLOB_UNKNOWN", "blob unknown")

    def big_or_good(self, image, repository, name, lie):
        """Only the large layer is lied about."""
        if name == image.big:
            lie(image.blobs[name])
        else:
            self.blobs(image, repository, name)


def lie_about_big(tell):
    return {"blobs": lambda h, image, repository, name: h.big_or_good(
        image, repository, name, lambda data: tell(h, data, repository))}


def document(change, media_type=MANIFEST, **headers):
    def answer(handler, image, repository, name):
        changed = json.loads(json.dumps(image.manifest))
        changed = change(changed, image) or changed
        handler.manifests(image, repository, name, changed, media_type, **headers)
    return {"manifests": answer}


def body(data, media_type=MANIFEST, status=200):
    return {"manifests": lambda h, image, repository, name: h.send(data, status, media_type)}


def drip(handler, data, repository):
    handler.send(b"", Content_Length=str(len(data)))
    for byte in data:
        if STOP.wait(3):
            return
        handler.wfile.write(bytes([byte]))


def drip_head(handler, image, repository, name):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not STOP.wait(3):
        handler.wfile.write(b"X-More: x\r\n")


def endless_head(handler, image, repository, name):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not STOP.is_set():
        handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def break_off(handler, data, repository):
    wanted = handler.headers.get("Range")
    handler.cut(data, int(wanted[6:].split("-")[0]) if wanted else 0, 300000)


SEEN = set()


def stall_once(handler, data, repository):
    """The first time it stops in the middle; honest from then on."""
    if repository in SEEN:
        return handler.send_blob(data)
    SEEN.add(repository)
    handler.send(data[:300000], Content_Length=str(len(data)))
    return STOP.wait(300)


def redirect_to(where):
    def answer(handler, data, repository):
        port = handler.server.server_address[1]
        target = where.format(port=port, repository=repository, digest=digest(data), plain=PLAIN_PORT)
        handler.send(b"moved", 307, Location=target)
    return lie_about_big(answer)


def guard_bearer(service, scheme="Bearer", once=False):
    def guard(handler):
        if not once and handler.headers.get("Authorization") == "Bearer let-me-in":
            return True
        host = handler.headers["Host"]
        proto = "https" if isinstance(handler.connection, ssl.SSLSocket) else "http"
        handler.error(401, "UNAUTHORIZED", "authentication required", WWW_Authenticate=
                      f'{scheme} realm="{proto}://{host}/token",service="{service}",scope="repository:x:pull"')
        return False
    return guard


def other_config(handler, image, repository, name):
    """The config names other diffIDs than the layers have; all digests are right."""
    config = json.loads(image.config)
    config["rootfs"]["diff_ids"][1] = digest(b"something else")
    data = json.dumps(config).encode()
    image.blobs[digest(data)] = data
    handler.manifests(image, repository, name, dict(image.manifest, config=descriptor(CONFIG, data)))


def index_for(platforms):
    def answer(handler, image, repository, name):
        data = json.dumps(image.manifest).encode()
        if name == digest(data):
            return handler.manifests(image, repository, name)
        entries = [dict(descriptor(MANIFEST, data), platform=dict(zip(("os", "architecture"), p.split("/"))))
                   for p in platforms]
        return handler.manifests(image, repository, name, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries},
                                 INDEX)
    return {"manifests": answer}


def set_layer(**fields):
    return document(lambda m, image: m["layers"][1].update(fields))


LIES = {
    "good": {},
    "wrong-digest": lie_about_big(lambda h, data, _: h.send(data[:-9] + bytes(9))),
    "garbage-layer": lie_about_big(lambda h, data, _: h.send(b"garbage!" * (len(data) // 8) + bytes(len(data) % 8))),
    "too-short": lie_about_big(lambda h, data, _: h.send(data[:-1000])),
    "too-long": lie_about_big(lambda h, data, _: h.send(data + bytes(1000))),
    "chunked-short": lie_about_big(lambda h, data, _: h.send(
        b"%x\r\n" % (len(data) // 2) + data[:len(data) // 2] + b"\r\n0\r\n\r\n", Transfer_Encoding="chunked")),
    "endless": lie_about_big(lambda h, data, _: h.endless("application/octet-stream")),
    "endless-manifest": {"manifests": lambda h, *_: h.endless(MANIFEST)},
    "endless-head": {"manifests": endless_head},
    "endless-config": {"blobs": lambda h, *_: h.endless("application/octet-stream")},
    "slow": lie_about_big(drip),
    "slow-head": {"manifests": drip_head},
    "stalled": lie_about_big(lambda h, data, _: (h.send(data[:5000], Content_Length=str(len(data))), STOP.wait(300))),
    "stall-once": lie_about_big(stall_once),
    "breaks": lie_about_big(break_off),
    "breaks-at-half": lie_about_big(lambda h, data, _: h.cut(data, 0, len(data) // 2)),
    "no-range": lie_about_big(lambda h, data, _: h.send(data)),
    "wrong-range": lie_about_big(lambda h, data, _: h.send(data[7:], 206, Content_Range=f"bytes 7-{len(data)}/*")
                                 if h.headers.get("Range") else h.cut(data, 0, len(data) // 2)),
    "redirect": redirect_to("http://localhost:{port}/elsewhere/{repository}/{digest}"),
    "redirect-here": redirect_to("/elsewhere/{repository}/{digest}"),
    "redirect-file": redirect_to("file:///etc/passwd"),
    "redirect-down": redirect_to("http://127.0.0.1:{plain}/elsewhere/{repository}/{digest}"),
    "redirect-plain": redirect_to("http://192.0.2.1/blob"),
    "redirect-loop": redirect_to("/v2/{repository}/blobs/{digest}"),
    "redirect-nowhere": lie_about_big(lambda h, data, _: h.send(b"", 307)),
    "redirect-guarded": dict(redirect_to("http://localhost:{port}/elsewhere/{repository}/{digest}"),
                             guard=guard_bearer("anonymous")),
    "token": {"guard": guard_bearer("strict")},
    "anonymous": {"guard": guard_bearer("anonymous")},
    "loop-401": {"guard": guard_bearer("anonymous", once=True)},
    "loop-basic": {"guard": guard_bearer("anonymous", scheme="Basic", once=True)},
    "no-challenge": {"guard": lambda h: h.error(401, "UNAUTHORIZED", "no")},
    "strange-challenge": {"guard": guard_bearer("anonymous", scheme="Quantum")},
    "denied": {"guard": lambda h: h.error(403, "DENIED", "requested access is denied")},
    "busy": {"guard": lambda h: h.error(429, "TOOMANYREQUESTS", "slow down")},
    "broken": {"guard": lambda h: h.error(500, "UNKNOWN", "line one\nline two\x1b[31m")},
    "garbage": body(b"\x00\xff this is no JSON"),
    "empty": body(b""),
    "not-object": body(b"[1, 2]"),
    "deep": body(b"[" * 100000),
    "html": body(b"<html>hello</html>", "text/html"),
    "large-manifest": document(lambda m, image: m.update(annotations={"x": "x" * (5 << 20)})),
    "both": document(lambda m, image: m.update(manifests=[])),
    "neither": document(lambda m, image: {"schemaVersion": 2}),
    "schema-1": body(json.dumps({"schemaVersion": 1, "name": "x", "fsLayers": [], "history": []}).encode(),
                     "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    "called-index": document(lambda m, image: None, INDEX),
    "calls-itself-index": document(lambda m, image: m.update(mediaType=INDEX)),
    "wrong-header": document(lambda m, image: None, Docker_Content_Digest=digest(b"other")),
    "path-header": document(lambda m, image: None, Docker_Content_Digest="sha256:../../../etc/passwd"),
    "other-manifest": {"manifests": lambda h, image, repository, name: h.send(json.dumps(image.manifest).encode(),
                                                                               media_type=MANIFEST)},
    "path-digest": set_layer(digest="sha256:../../../../etc/passwd"),
    "sha512": set_layer(digest="sha512:" + "0" * 128),
    "negative-size": set_layer(size=-1),
    "huge-size": set_layer(size=1 << 52),
    "no-layers": document(lambda m, image: m.pop("layers") and None),
    "one-layer": document(lambda m, image: m.update(layers=m["layers"][:1])),
    "foreign": set_layer(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", urls=["http://x/"]),
    "artifact": document(lambda m, image: m["config"].update(mediaType="application/vnd.cncf.helm.config.v1+json")),
    "other-diffid": {"manifests": other_config},
    "lost-blob": lie_about_big(lambda h, data, _: h.error(404, "BLOB_UNKNOWN", "blob unknown")),
    "index": index_for(["linux/s390x", "linux/" + ARCH]),
    "other-platforms": index_for(["linux/s390x", "windows/amd64"]),
}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


PLAIN_PORT = 0


def main():
    global PLAIN_PORT
    plain = Server(("127.0.0.1", 0), Handler)
    PLAIN_PORT = plain.server_address[1]
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    address = plain.server_address
    if "--tls" in sys.argv:
        secure = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*sys.argv[sys.argv.index("--tls") + 1:][:2])
        secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        with open(os.path.join(DIR, "secure-address"), "w") as file:
            file.write("127.0.0.1:%d\n" % secure.server_address[1])
    with open(os.path.join(DIR, "address.new"), "w") as file:
        file.write("%s:%d\n" % address[:2])
    os.rename(os.path.join(DIR, "address.new"), os.path.join(DIR, "address"))
    sys.stdin.read()
    STOP.set()


main()
