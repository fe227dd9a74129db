// SPDX-License-Identifier: LGPL-2.1-or-later

package teu

/*
#include <stdlib.h>
#define TEU_NO_MACROS
#include <teu/teu.h>
*/
import "C"

import (
	"bytes"
	"runtime"
	"unsafe"
)

// An Attach is a connection to the standard streams of a container or of a command inside, for one goroutine at a time.
type Attach struct{ c *C.teu_attach }

func newAttach(c *C.teu_attach, err error) (*Attach, error) {
	if err != nil {
		return nil, err
	}
	a := &Attach{c}
	runtime.SetFinalizer(a, (*Attach).Close)
	return a, nil
}

// Close lets go of the streams; the process goes on. A container with AutoRemove that has ended goes with it.
func (a *Attach) Close() {
	C.teu_attach_unref(a.c)
	a.c = nil
	runtime.SetFinalizer(a, nil)
}

// Read reads what came; n = 0 at the end. stderr tells where it was written.
func (a *Attach) Read(buffer []byte) (n int, stderr bool, err error) {
	var stream C.int32_t
	var length C.size_t
	var cerr *C.teu_error
	defer runtime.KeepAlive(a)
	if len(buffer) == 0 {
		return 0, false, &Error{Code: ErrInvalid, Message: "no room to read into"}
	}
	if C.teu_attach_read(a.c, &stream, unsafe.Pointer(&buffer[0]), C.size_t(len(buffer)), &length, &cerr) < 0 {
		return 0, false, take(cerr)
	}
	return int(length), stream == C.TEU_STDERR, nil
}

// Write writes to the standard input of the process, all of it.
func (a *Attach) Write(data []byte) (int, error) {
	var cerr *C.teu_error
	defer runtime.KeepAlive(a)
	if len(data) > 0 && C.teu_attach_write(a.c, unsafe.Pointer(&data[0]), C.size_t(len(data)), &cerr) < 0 {
		return 0, take(cerr)
	}
	return len(data), nil
}

// CloseStdin closes the standard input of the process.
func (a *Attach) CloseStdin() error {
	var cerr *C.teu_error
	defer runtime.KeepAlive(a)
	if C.teu_attach_close_stdin(a.c, &cerr) < 0 {
		return take(cerr)
	}
	return nil
}

// Collect reads to the end: all that was written, and the exit status.
func (a *Attach) Collect() (stdout, stderr []byte, status int, err error) {
	var out, errors bytes.Buffer
	buffer := make([]byte, 1<<16)
	for {
		n, isError, err := a.Read(buffer)
		if err != nil {
			return out.Bytes(), errors.Bytes(), -1, err
		}
		if n == 0 {
			return out.Bytes(), errors.Bytes(), int(C.teu_attach_exit_status(a.c)), nil
		}
		if isError {
			errors.Write(buffer[:n])
		} else {
			out.Write(buffer[:n])
		}
	}
}
