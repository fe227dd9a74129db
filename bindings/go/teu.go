// SPDX-License-Identifier: LGPL-2.1-or-later

// Package teu runs containers by libteu, without a daemon. It needs the installed library (pkg-config teu) and nothing but Go's own packages.
//
// An Engine, an Image and a Container may be used by any number of goroutines at once; an Attach by one. What fails is an *Error, whose
// code errors.Is compares: errors.Is(err, teu.ErrNotFound).
package teu

/*
#cgo pkg-config: teu
#include <stdlib.h>
#define TEU_NO_MACROS
#include <teu/teu.h>
*/
import "C"

import (
	"encoding/json"
	"os"
	"runtime"
	"unsafe"
)

// Version is the release of the library that was loaded.
func Version() string { return C.GoString(C.teu_version()) }

// An Engine is a state root and a run root, and everything that hangs off them.
type Engine struct{ c *C.teu_engine }

// Open opens an engine; "" means the system's roots, /var/lib/teu and /run/teu.
func Open(stateRoot, runRoot string) (*Engine, error) {
	var opts C.teu_engine_options
	var e Engine
	var cerr *C.teu_error

	C.teu_engine_options_init(&opts, C.sizeof_teu_engine_options)
	opts.state_root, opts.run_root = optional(stateRoot), optional(runRoot)
	defer free(opts.state_root, opts.run_root)
	if C.teu_engine_open(&opts, &e.c, &cerr) < 0 {
		return nil, take(cerr)
	}
	runtime.SetFinalizer(&e, func(e *Engine) { C.teu_engine_unref(e.c) })
	return &e, nil
}

// Import makes an image from the tar of a root filesystem; name "" gives it none.
func (e *Engine) Import(tar *os.File, name string) (*Image, error) {
	defer runtime.KeepAlive(e)
	defer runtime.KeepAlive(tar)
	reference := optional(name)
	defer free(reference)
	var image *C.teu_image
	var cerr *C.teu_error
	if C.teu_image_import(e.c, C.int(tar.Fd()), reference, nil, &image, &cerr) < 0 {
		return nil, take(cerr)
	}
	return newImage(image), nil
}

// Pull fetches an image from its registry.
func (e *Engine) Pull(name string) (*Image, error) {
	return e.image(name, func(reference *C.char, image **C.teu_image, cerr **C.teu_error) C.int {
		return C.teu_image_pull(e.c, reference, nil, image, cerr)
	})
}

// Image finds one by its name, its id, or a prefix of the id.
func (e *Engine) Image(name string) (*Image, error) {
	return e.image(name, func(reference *C.char, image **C.teu_image, cerr **C.teu_error) C.int {
		return C.teu_image_find(e.c, reference, image, cerr)
	})
}

func (e *Engine) image(name string, get func(*C.char, **C.teu_image, **C.teu_error) C.int) (*Image, error) {
	defer runtime.KeepAlive(e)
	reference := C.CString(name)
	defer free(reference)
	var image *C.teu_image
	var cerr *C.teu_error
	if get(reference, &image, &cerr) < 0 {
		return nil, take(cerr)
	}
	return newImage(image), nil
}

// RemoveImage takes a name away; with its last name the image goes.
func (e *Engine) RemoveImage(name string) error {
	defer runtime.KeepAlive(e)
	reference := C.CString(name)
	defer free(reference)
	var cerr *C.teu_error
	if C.teu_image_remove(e.c, reference, nil, nil, &cerr) < 0 {
		return take(cerr)
	}
	return nil
}

// NetworkDown takes the bridge and the packet rules out of the kernel.
func (e *Engine) NetworkDown() error {
	defer runtime.KeepAlive(e)
	var cerr *C.teu_error
	if C.teu_network_down(e.c, &cerr) < 0 {
		return take(cerr)
	}
	return nil
}

// An Image is a snapshot of what the store has under a name.
type Image struct {
	ID    string
	Names []string
	Size  uint64 // bytes of its layers, unpacked
	c     *C.teu_image
}

func newImage(c *C.teu_image) *Image {
	i := &Image{ID: C.GoString(C.teu_image_id(c)), Size: uint64(C.teu_image_size(c)), c: c}
	for n := C.size_t(0); n < C.teu_image_name_count(c); n++ {
		i.Names = append(i.Names, C.GoString(C.teu_image_name(c, n)))
	}
	runtime.SetFinalizer(i, func(i *Image) { C.teu_image_unref(i.c) })
	return i
}

// Inspect decodes Docker's image inspect document into v.
func (i *Image) Inspect(v any) error {
	defer runtime.KeepAlive(i)
	var text *C.char
	var cerr *C.teu_error
	if C.teu_image_inspect(i.c, &text, &cerr) < 0 {
		return take(cerr)
	}
	return decode(text, v)
}

func optional(s string) *C.char {
	if s == "" {
		return nil
	}
	return C.CString(s)
}

func free(texts ...*C.char) {
	for _, text := range texts {
		C.free(unsafe.Pointer(text))
	}
}

// decode gives the text back to the library.
func decode(text *C.char, v any) error {
	defer C.teu_free(unsafe.Pointer(text))
	return json.Unmarshal([]byte(C.GoString(text)), v)
}
