"""The results as a table and as JSON, and what was to be reached."""
import json
import os
import statistics

# row, contestant, reference (None: an absolute limit), largest value of contestant / reference, in words
TARGETS = [
    ("run-none", "teu", "floor", 2.5, "at most 2.5 times the floor"),
    ("run-none", "teu", "podman", 1 / 25, "at most 1/25 of podman"),
    ("run-none", "teu", "docker", 1 / 25, "at most 1/25 of docker"),
    ("run-port", "teu", "podman", 1 / 25, "at most 1/25 of podman"),
    ("run-port", "teu", "docker", 1 / 25, "at most 1/25 of docker"),
    ("exec", "teu", "docker", 1 / 10, "at most 1/10 of docker"),
    ("many-200", "teu", "podman", 1 / 15, "at most 1/15 of podman"),
    ("many-200", "teu", "docker", 1 / 15, "at most 1/15 of docker"),
    ("many-200-ps", "teu", "podman", 1 / 10, "at most 1/10 of podman"),
    ("idle-memory", "teu", None, 250e3, "at most 250 kB"),
    ("loading", "libteu", "empty", 1.5, "at most 1.5 times an empty program"),
    ("loading-heavy", "libteu", None, 0, "no heavy library"),
    ("embed", "1 GiB", "empty program", 1.2, "at most 1.2 times: 1 GiB to empty"),
    ("embed", "1 GiB, 8 threads", "empty program", 1.2, "at most 1.2 times: with 8 threads to empty"),
    ("embed", "1 GiB, 8 threads", "empty beside load", 1.2, "at most 1.2 times: threads inside to beside"),
    ("embed-cpu", "1 GiB", "empty program", 1.2, "at most 1.2 times: 1 GiB to empty"),
    ("embed-cpu", "1 GiB, 8 threads", "empty program", 1.2, "at most 1.2 times: with 8 threads to empty"),
    ("oci-run", "teu-oci", "floor", 1.5, "at most 1.5 times the floor"),
    ("oci-run", "teu-oci", "crun", 0.15, "at most 0.15 of crun"),
    ("oci-run-plain", "teu-oci", "crun", 0.4, "at most 0.4 of crun"),
    ("oci-create", "teu-oci", "crun", 0.2, "at most 0.2 of crun"),
    ("oci-start", "teu-oci", "crun", 0.6, "at most 0.6 of crun"),
    ("oci-delete", "teu-oci", "crun", 0.6, "at most 0.6 of crun"),
    ("oci-exec", "teu-oci", "crun", 0.4, "at most 0.4 of crun"),
    ("oci-memory", "teu-oci", "crun", 0.5, "at most half of crun"),
    ("oci-200", "teu-oci", "crun", 0.25, "at most a quarter of crun"),
    ("pull", "teu", "podman", 1 / 5, "at most 1/5 of podman"),
    ("pull", "teu", "docker", 1 / 3, "at most 1/3 of docker"),
    ("pull-memory", "teu", None, 64 << 20, "at most 64 MiB"),
]

TITLES = {
    "run-none": "run --rm --network none IMAGE true",
    "run-port": "run --rm -p 18080:80 IMAGE true",
    "exec": "exec CONTAINER true",
    "many-200": "200 x run -d by four callers, all of it",
    "many-200-at-10": "one of these starts, among the first (median of 20)",
    "many-200-at-200": "one of these starts, among the last (median of 20)",
    "many-200-ps": "ps with 200",
    "many-200-rm": "rm -f of 200, ten a call",
    "embed": "start through the library, from a small and a large program",
    "embed-cpu": "processor time of that: caller, monitor and container",
    "idle-memory": "PSS for one idle detached container",
    "idle-memory-10": "PSS for each of ten idle detached containers",
    "loading": "a program that calls nothing",
    "loading-heavy": "heavy libraries mapped by it",
    "oci-run": "run of a bundle with the default filter",
    "oci-run-plain": "the same without a filter",
    "oci-create": "create",
    "oci-start": "start",
    "oci-delete": "delete of a stopped one",
    "oci-exec": "exec of true",
    "oci-memory": "peak memory of all of a run",
    "oci-200": "200 creates by four callers",
    "pull": "pull of 470 MB in four layers into an empty store",
    "pull-memory": "peak memory of that",
}


def form(value, unit):
    if unit == "ns":
        return f"{value / 1e9:.2f} s" if value >= 1e9 else f"{value / 1e6:.2f} ms"
    if unit == "bytes":
        return f"{value / 1e6:.1f} MB" if value >= 1e7 else f"{value / 1e3:.0f} kB"
    return f"{value:g} {unit}"


def targets(bench):
    """Every target whose row was measured, with what was got; the slope of many-200 compares teu with itself."""
    found = []
    for row, name, reference, limit, words in TARGETS:
        value, base = bench.median(row, name), bench.median(row, reference) if reference else 1
        if value is not None and base:
            found.append({"row": row, "contestant": name, "target": words, "limit": limit,
                          "value": value / base, "met": value / base <= limit})
    first, last = bench.median("many-200-at-10", "teu"), bench.median("many-200-at-200", "teu")
    if first and last:
        found.append({"row": "many-200", "contestant": "teu", "target": "at 200 no slower than at 10", "limit": 1.05,
                      "value": last / first, "met": last / first <= 1.05})
    return found


def ratios(bench, row, name, value):
    """This one's multiple of each reference that a target of the row names."""
    references = dict.fromkeys(t[2] for t in TARGETS if t[0] == row and t[2] and t[2] != name)
    known = [(r, bench.median(row, r)) for r in references]
    return "  ".join(multiple(value / base, r) for r, base in known if base)


def multiple(ratio, reference):
    return f"1/{1 / ratio:.1f} of {reference}" if ratio < 0.5 else f"{ratio:.2f} x {reference}"


def show(bench):
    print(f"\n{'':18}{'median':>12}{'minimum':>12}{'n':>5}  ratios")
    for row in [row for row in TITLES if row in bench.results]:
        print(f"\n{row}: {TITLES[row]}")
        for name, result in bench.results[row].items():
            if "skipped" in result:
                print(f"  {name:16}  skipped: {result['skipped']}")
                continue
            samples, unit = result["samples"], result["unit"]
            median = statistics.median(samples)
            print(f"  {name:16}{form(median, unit):>12}{form(min(samples), unit):>12}{len(samples):>5}  "
                  f"{ratios(bench, row, name, median)}")
    for name, result in bench.results.get("all", {}).items():
        print(f"\n{name} skipped: {result['skipped']}")
    found = targets(bench)
    if found:
        print("\ntargets")
    for target in found:
        got = f"{target['value']:.3f}" if target["limit"] < 100 else form(target["value"], "bytes")
        print(f"  {'met   ' if target['met'] else 'MISSED'}  {target['row']:14}{target['target']:44} {got}")


def write(bench, path):
    machine = os.uname()
    with open(path, "w") as file:
        json.dump({"machine": {"kernel": machine.release, "processors": os.cpu_count(), "load": os.getloadavg()},
                   "rows": bench.results, "targets": targets(bench)}, file, indent=1)
        file.write("\n")
