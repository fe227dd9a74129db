// SPDX-License-Identifier: LGPL-2.1-or-later

package teu

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// open makes an engine in a temporary folder, with an image made of busybox-static.
func open(t *testing.T) *Engine {
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	if _, err := os.Stat("/bin/busybox"); err != nil {
		t.Skip("busybox-static is not installed")
	}
	folder := t.TempDir()
	name := filepath.Join(folder, "busybox.tar")
	if out, err := exec.Command("../../tests/support/busybox-image", name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	engine, err := Open(filepath.Join(folder, "state"), filepath.Join(folder, "run"))
	if err != nil {
		t.Fatal(err)
	}
	tar, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer tar.Close()
	image, err := engine.Import(tar, "busybox")
	if err != nil {
		t.Fatal(err)
	}
	if len(image.Names) != 1 || image.Names[0] != "docker.io/library/busybox:latest" {
		t.Fatalf("names %v", image.Names)
	}
	return engine
}

func sleeper(t *testing.T, engine *Engine, script string) *Container {
	box, err := engine.Create(Config{
		Image:      "busybox",
		Cmd:        []string{"sh", "-c", script},
		HostConfig: HostConfig{Memory: 64 << 20, NetworkMode: "none", Init: true},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Remove(true) })
	if err := box.Start(); err != nil {
		t.Fatal(err)
	}
	return box
}

func TestErrorsHaveCodes(t *testing.T) {
	_, err := Open("relative", "relative")
	if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
	engine := open(t)
	if _, err := engine.Image("localhost/missing"); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
	_, err = engine.Create(Config{Image: "busybox", HostConfig: HostConfig{Memory: -5}}, "")
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("%v", err)
	}
	if ErrNoCommand.Error() != "TEU_E_NO_COMMAND" {
		t.Fatal(ErrNoCommand.Error())
	}
}

func TestLife(t *testing.T) {
	engine := open(t)
	box := sleeper(t, engine, "echo one; echo two >&2; sleep 60")
	inside, err := box.Exec("sh", "-c", "echo out; echo err >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	out, problems, status, err := inside.Collect()
	inside.Close()
	if err != nil || string(out) != "out\n" || string(problems) != "err\n" || status != 3 {
		t.Fatalf("%q %q %d %v", out, problems, status, err)
	}
	if _, err := box.Exec("/no/such"); !errors.Is(err, ErrNoCommand) {
		t.Fatalf("%v", err)
	}
	var document struct {
		Effective struct{ Memory struct{ Limit int64 } }
	}
	if err := box.Inspect(&document); err != nil || document.Effective.Memory.Limit != 64<<20 {
		t.Fatalf("%v %v", document, err)
	}
	lines := 0
	if err := box.Logs(true, func(LogRecord) bool { lines++; return lines < 2 }); err != nil {
		t.Fatal(err)
	}
	if err := box.Stop(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	if status, err := box.Wait(); status != 143 || err != nil {
		t.Fatalf("%d %v", status, err)
	}
	var seen strings.Builder
	if err := box.Logs(true, func(r LogRecord) bool { seen.WriteString(r.Text); return true }); err != nil {
		t.Fatal(err)
	}
	if text := seen.String(); text != "one\ntwo\n" && text != "two\none\n" {
		t.Fatalf("%q", text)
	}
	n := 0
	if err := box.Logs(false, func(LogRecord) bool { n++; return false }); err != nil || n != 1 {
		t.Fatalf("%d %v", n, err)
	}
	if err := box.Remove(false); err != nil {
		t.Fatal(err)
	}
	if _, err := box.Running(); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
}

func TestManyGoroutinesShareAContainer(t *testing.T) {
	box := sleeper(t, open(t), "sleep 60")
	var group sync.WaitGroup
	waited := make(chan int)
	go func() {
		status, _ := box.Wait()
		waited <- status
	}()
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			inside, err := box.Exec("true")
			if err != nil {
				t.Error(err)
				return
			}
			defer inside.Close()
			if _, _, status, err := inside.Collect(); status != 0 || err != nil {
				t.Errorf("%d %v", status, err)
			}
		}()
	}
	group.Wait()
	if err := box.Kill(9); err != nil {
		t.Fatal(err)
	}
	if status := <-waited; status != 137 {
		t.Fatalf("%d", status)
	}
}

func TestAttachedFromTheFirstInstruction(t *testing.T) {
	engine := open(t)
	box, err := engine.Create(Config{
		Image: "busybox", Cmd: []string{"cat"}, OpenStdin: true, StdinOnce: true,
		HostConfig: HostConfig{NetworkMode: "none", AutoRemove: true},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := box.StartAttached()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := streams.Write([]byte("through\n")); err != nil {
		t.Fatal(err)
	}
	if err := streams.CloseStdin(); err != nil {
		t.Fatal(err)
	}
	out, _, status, err := streams.Collect()
	streams.Close()
	if string(out) != "through\n" || status != 0 || err != nil {
		t.Fatalf("%q %d %v", out, status, err)
	}
	if _, err := engine.Container(box.ID); !errors.Is(err, ErrNotFound) {
		t.Fatalf("%v", err)
	}
}
