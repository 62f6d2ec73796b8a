// Package fault owns the one error type of envd: a code from a closed set, a
// message for the caller and a cause for the log. It knows no HTTP status;
// packages connect and server translate codes at the edge.
package fault

import (
	"errors"
	"fmt"
	"syscall"
)

// Code is one of the Connect protocol's error codes
// (https://connectrpc.com/docs/protocol, "Error codes").
type Code string

const (
	Canceled           Code = "canceled"
	InvalidArgument    Code = "invalid_argument"
	DeadlineExceeded   Code = "deadline_exceeded"
	NotFound           Code = "not_found"
	AlreadyExists      Code = "already_exists"
	PermissionDenied   Code = "permission_denied"
	ResourceExhausted  Code = "resource_exhausted"
	FailedPrecondition Code = "failed_precondition"
	OutOfRange         Code = "out_of_range"
	Unimplemented      Code = "unimplemented"
	Internal           Code = "internal"
	Unauthenticated    Code = "unauthenticated"
)

// Error is a refusal with a message that the caller may read.
type Error struct {
	Code    Code
	Message string
	Cause   error
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// New makes an error without a cause.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error whose message ends with that of its cause.
func Wrap(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...) + ": " + reason(cause), Cause: cause}
}

// Of returns err as an *Error; what is not one yet becomes internal.
func Of(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Code: Internal, Message: err.Error(), Cause: err}
}

// File translates a failed file operation on path.
func File(err error, path string) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return Wrap(errnoCode(err), err, "%s", path)
}

// Read is File for a path that is looked at only: below what is no folder there is
// nothing.
func Read(err error, path string) *Error {
	if errors.Is(err, syscall.ENOTDIR) {
		return Wrap(NotFound, err, "%s", path)
	}
	return File(err, path)
}

// IsDiskFull tells whether err means that the disk or a quota is full.
func IsDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func errnoCode(err error) Code {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return Internal
	}
	switch errno {
	case syscall.ENOENT:
		return NotFound
	case syscall.EEXIST, syscall.ENOTEMPTY:
		return AlreadyExists
	case syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.EBUSY:
		return PermissionDenied
	case syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL:
		return InvalidArgument
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM:
		return ResourceExhausted
	}
	return Internal
}

// reason is the errno's text where there is one: the path and operation that
// os.PathError adds are in the message already.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
