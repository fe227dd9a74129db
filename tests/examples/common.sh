# shellcheck shell=bash disable=SC2034
# Sourced by the tests of the example programs. Each runs in a build folder, as `make check` does, and skips (77) where it can't work.
name=$(basename "$0")
example=${1:-examples/$name}
top=$(realpath "$(dirname "$0")/../..")

skip()
{
	echo "SKIP examples/$name: $*"
	exit 77
}

fail()
{
	echo "FAIL examples/$name: $*"
	exit 1
}

# has PATTERN TEXT
has()
{
	grep -qE -- "$1" <<< "$2" || fail "no \"$1\" in: $2"
}

[ "$(id -u)" = 0 ] || skip "needs root"

needs_cgroups()
{
	local probe folder
	for folder in /sys/fs/cgroup/memory /sys/fs/cgroup; do
		probe=$folder/teu-probe-$$
		mkdir "$probe" 2> /dev/null && rmdir "$probe" && return
	done
	skip "no cgroups that can be written to"
}

# A folder of its own, in $work, with the image's tar in it.
needs_image()
{
	[ -x /bin/busybox ] || skip "busybox-static is not installed"
	work=$(mktemp -d "${TMPDIR:-/tmp}/teu-example.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	"$top/tests/support/busybox-image" "$work/busybox.tar" || fail "can't make the image"
}
