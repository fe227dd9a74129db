// SPDX-License-Identifier: LGPL-2.1-or-later

package teu

/*
#include <stdint.h>
#include <stdlib.h>
#define TEU_NO_MACROS
#include <teu/teu.h>

int teu_go_logs(teu_container *container, const teu_logs_options *opts, uintptr_t handle, teu_error **err);
*/
import "C"

import (
	"encoding/json"
	"runtime"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// A Container is one, by its id. Each call has a handle of its own, so that goroutines may share it.
type Container struct {
	ID, Name string
	engine   *Engine
	mutex    sync.Mutex
	free     []*C.teu_container // handles that nobody uses
}

// Config is the body of Docker's POST /containers/create, as far as most need it; a map[string]any has room for the rest.
type Config struct {
	Image      string
	Cmd        []string          `json:",omitempty"`
	Entrypoint []string          `json:",omitempty"`
	Env        []string          `json:",omitempty"`
	User       string            `json:",omitempty"`
	WorkingDir string            `json:",omitempty"`
	Labels     map[string]string `json:",omitempty"`
	Tty        bool              `json:",omitempty"`
	OpenStdin  bool              `json:",omitempty"`
	StdinOnce  bool              `json:",omitempty"` // closed when the first attached stream is
	HostConfig HostConfig
}

// HostConfig has limits and isolation.
type HostConfig struct {
	Memory         int64    `json:",omitempty"` // bytes
	NanoCpus       int64    `json:",omitempty"`
	PidsLimit      int64    `json:",omitempty"`
	NetworkMode    string   `json:",omitempty"` // "bridge", "none", "host", "container:NAME"
	Binds          []string `json:",omitempty"`
	CapAdd         []string `json:",omitempty"`
	CapDrop        []string `json:",omitempty"`
	SecurityOpt    []string `json:",omitempty"`
	ReadonlyRootfs bool     `json:",omitempty"`
	AutoRemove     bool     `json:",omitempty"`
	Init           bool     `json:",omitempty"`

	PortBindings map[string][]PortBinding `json:",omitempty"` // by "80/tcp"
}

// PortBinding is a port of the host; an empty HostPort means a free one.
type PortBinding struct{ HostIp, HostPort string }

// Create makes a container; nothing runs yet. config: a Config, or anything else that becomes such JSON. name "" means a made-up one.
func (e *Engine) Create(config any, name string) (*Container, error) {
	defer runtime.KeepAlive(e)
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	var opts C.teu_create_options
	var c *C.teu_container
	var cerr *C.teu_error
	C.teu_create_options_init(&opts, C.sizeof_teu_create_options)
	opts.name = optional(name)
	document := C.CString(string(text))
	defer free(opts.name, document)
	if C.teu_container_create(e.c, document, &opts, &c, &cerr) < 0 {
		return nil, take(cerr)
	}
	return e.newContainer(c), nil
}

// Container finds one by its name, its id, or a prefix of the id.
func (e *Engine) Container(name string) (*Container, error) {
	c, err := e.find(name)
	if err != nil {
		return nil, err
	}
	return e.newContainer(c), nil
}

func (e *Engine) find(name string) (*C.teu_container, error) {
	defer runtime.KeepAlive(e)
	text := C.CString(name)
	defer free(text)
	var c *C.teu_container
	var cerr *C.teu_error
	if C.teu_container_find(e.c, text, &c, &cerr) < 0 {
		return nil, take(cerr)
	}
	return c, nil
}

func (e *Engine) newContainer(c *C.teu_container) *Container {
	container := &Container{
		ID:     C.GoString(C.teu_container_id(c)),
		Name:   C.GoString(C.teu_container_name(c)),
		engine: e,
		free:   []*C.teu_container{c},
	}
	runtime.SetFinalizer(container, func(c *Container) {
		for _, handle := range c.free {
			C.teu_container_unref(handle)
		}
	})
	return container
}

// call runs function with a handle that no other goroutine has.
func (c *Container) call(function func(handle *C.teu_container, cerr **C.teu_error) C.int) error {
	var handle *C.teu_container
	var cerr *C.teu_error
	c.mutex.Lock()
	if n := len(c.free); n > 0 {
		handle, c.free = c.free[n-1], c.free[:n-1]
	}
	c.mutex.Unlock()
	if handle == nil {
		found, err := c.engine.find(c.ID)
		if err != nil {
			return err
		}
		handle = found
	}
	r := function(handle, &cerr)
	c.mutex.Lock()
	c.free = append(c.free, handle)
	c.mutex.Unlock()
	if r < 0 {
		return take(cerr)
	}
	return nil
}

// Start starts it detached.
func (c *Container) Start() error {
	return c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_start(h, nil, nil, cerr) })
}

// StartAttached starts it; its streams were joined before its first instruction.
func (c *Container) StartAttached() (*Attach, error) {
	var a *C.teu_attach
	err := c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_start(h, nil, &a, cerr) })
	return newAttach(a, err)
}

// Exec runs a further command inside and returns its streams.
func (c *Container) Exec(command ...string) (*Attach, error) {
	config, err := json.Marshal(map[string]any{"Cmd": command, "AttachStdout": true, "AttachStderr": true})
	if err != nil {
		return nil, err
	}
	document := C.CString(string(config))
	defer free(document)
	var a *C.teu_attach
	err = c.call(func(h *C.teu_container, cerr **C.teu_error) C.int {
		return C.teu_container_exec(h, document, nil, &a, cerr)
	})
	return newAttach(a, err)
}

// Running tells whether it has processes.
func (c *Container) Running() (bool, error) {
	var state C.int
	err := c.call(func(h *C.teu_container, cerr **C.teu_error) C.int {
		state = C.teu_container_state(h, cerr)
		return state
	})
	return state == C.TEU_STATE_RUNNING || state == C.TEU_STATE_PAUSED, err
}

// Stop sends the stop signal, waits so long, then kills; a negative timeout means the container's own.
func (c *Container) Stop(timeout time.Duration) error {
	ms := C.int64_t(timeout.Milliseconds())
	if timeout < 0 {
		ms = -1
	}
	return c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_stop(h, ms, cerr) })
}

// Kill sends a signal to its first process.
func (c *Container) Kill(signal int) error {
	return c.call(func(h *C.teu_container, cerr **C.teu_error) C.int {
		return C.teu_container_kill(h, C.int32_t(signal), cerr)
	})
}

// Wait blocks until it does not run; 0..255, 128 + n when signal n ended it.
func (c *Container) Wait() (int, error) {
	var status C.int32_t
	err := c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_wait(h, nil, &status, cerr) })
	return int(status), err
}

// Remove removes it; force kills it first.
func (c *Container) Remove(force bool) error {
	var opts C.teu_remove_options
	C.teu_remove_options_init(&opts, C.sizeof_teu_remove_options)
	if force {
		opts.force = 1
	}
	return c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_remove(h, &opts, cerr) })
}

// Inspect decodes Docker's GET /containers/{id}/json document into v.
func (c *Container) Inspect(v any) error {
	var text *C.char
	err := c.call(func(h *C.teu_container, cerr **C.teu_error) C.int { return C.teu_container_inspect(h, &text, cerr) })
	if err != nil {
		return err
	}
	return decode(text, v)
}

// A LogRecord is what was read from the container at once, or a line of it.
type LogRecord struct {
	Stderr bool
	Time   time.Time
	Text   string
}

// Logs hands each record to f until f returns false. follow: goes on until the container ends.
func (c *Container) Logs(follow bool, f func(LogRecord) bool) error {
	var opts C.teu_logs_options
	stopped := false
	handle := cgo.NewHandle(func(r LogRecord) bool {
		stopped = !f(r)
		return !stopped
	})
	defer handle.Delete()
	C.teu_logs_options_init(&opts, C.sizeof_teu_logs_options)
	if follow {
		opts.follow = 1
	}
	err := c.call(func(h *C.teu_container, cerr **C.teu_error) C.int {
		return C.teu_go_logs(h, &opts, C.uintptr_t(handle), cerr)
	})
	if stopped {
		return nil
	}
	return err
}

//export teuGoLogRecord
func teuGoLogRecord(record *C.teu_log_record, data C.uintptr_t) C.int {
	f := cgo.Handle(data).Value().(func(LogRecord) bool)
	more := f(LogRecord{
		Stderr: record.stream == C.TEU_STDERR,
		Time:   time.Unix(0, int64(record.time_ns)),
		Text:   C.GoStringN((*C.char)(unsafe.Pointer(record.text)), C.int(record.len)),
	})
	if more {
		return 0
	}
	return 1
}
