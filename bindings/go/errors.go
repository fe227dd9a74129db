// SPDX-License-Identifier: LGPL-2.1-or-later

package teu

/*
#include <stdlib.h>
#include <teu/error.h>
*/
import "C"

import "syscall"

// A Code says what a caller can do about an error. Each is an error itself, for errors.Is.
type Code int

// The codes of include/teu/error.h.
const (
	ErrInvalid       Code = C.TEU_E_INVALID
	ErrNotFound      Code = C.TEU_E_NOT_FOUND
	ErrConflict      Code = C.TEU_E_CONFLICT
	ErrAuth          Code = C.TEU_E_AUTH
	ErrNetwork       Code = C.TEU_E_NETWORK
	ErrTimeout       Code = C.TEU_E_TIMEOUT
	ErrCorrupt       Code = C.TEU_E_CORRUPT
	ErrCancelled     Code = C.TEU_E_CANCELLED
	ErrUnsupported   Code = C.TEU_E_UNSUPPORTED
	ErrPermission    Code = C.TEU_E_PERMISSION
	ErrNoSpace       Code = C.TEU_E_NO_SPACE
	ErrNoMemory      Code = C.TEU_E_NO_MEMORY
	ErrLimit         Code = C.TEU_E_LIMIT
	ErrSystem        Code = C.TEU_E_SYSTEM
	ErrLaunch        Code = C.TEU_E_LAUNCH
	ErrNotExecutable Code = C.TEU_E_NOT_EXECUTABLE
	ErrNoCommand     Code = C.TEU_E_NO_COMMAND
	ErrForked        Code = C.TEU_E_FORKED
)

func (c Code) Error() string { return C.GoString(C.teu_error_name(C.int(c))) }

// An Error is what a failed call handed out.
type Error struct {
	Code    Code
	Message string
	Errno   syscall.Errno // of the system call that failed, or 0
	Step    string        // of the launch, or ""
	Field   string        // place in the document, or ""
}

func (e *Error) Error() string { return e.Message }

// Is tells whether target is this error's code, or the same errno.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return e.Code == t
	case syscall.Errno:
		return e.Errno != 0 && e.Errno == t
	}
	return false
}

func detail(cerr *C.teu_error, name string) string {
	cname := C.CString(name)
	defer free(cname)
	value := C.teu_error_detail(cerr, cname)
	if value == nil {
		return ""
	}
	return C.GoString(value)
}

// take makes an *Error of the library's, which it gives back.
func take(cerr *C.teu_error) error {
	defer C.teu_error_unref(cerr)
	return &Error{
		Code:    Code(C.teu_error_code(cerr)),
		Message: C.GoString(C.teu_error_message(cerr)),
		Errno:   syscall.Errno(C.teu_error_errno(cerr)),
		Step:    detail(cerr, "step"),
		Field:   detail(cerr, "field"),
	}
}
