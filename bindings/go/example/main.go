// SPDX-License-Identifier: LGPL-2.1-or-later

// Example leads a container through its life: example ROOTFS.tar [FOLDER]. Needs root.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"teu"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: example ROOTFS.tar [FOLDER]")
	}
	folder := "/tmp/teu-go"
	if len(os.Args) > 2 {
		folder = os.Args[2]
	}
	engine := must(teu.Open(folder+"/state", folder+"/run"))
	tar := must(os.Open(os.Args[1]))
	image := must(engine.Import(tar, "example"))
	fmt.Println("imported", image.Names[0], image.Size, "bytes")

	box := must(engine.Create(teu.Config{
		Image:      image.ID,
		Cmd:        []string{"sh", "-c", "echo started; sleep 60"},
		HostConfig: teu.HostConfig{Memory: 64 << 20, NetworkMode: "none", Init: true},
	}, ""))
	if err := box.Start(); err != nil {
		log.Fatal(err)
	}
	inside := must(box.Exec("hostname"))
	out, _, status, err := inside.Collect()
	fmt.Printf("exec: %q, status %d, error %v\n", out, status, err)
	inside.Close()

	if err := box.Stop(5 * time.Second); err != nil {
		log.Fatal(err)
	}
	fmt.Println("it ended with", must(box.Wait()))
	if err := box.Logs(false, func(r teu.LogRecord) bool {
		fmt.Printf("log: %q\n", r.Text)
		return true
	}); err != nil {
		log.Fatal(err)
	}
	if err := box.Remove(false); err != nil {
		log.Fatal(err)
	}
	if err := engine.RemoveImage("example"); err != nil {
		log.Fatal(err)
	}
}
