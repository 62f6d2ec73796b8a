package filesystem

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Source: linux/fs.h and the system call tables; package syscall does not have it.
var renameat2Call = map[string]uintptr{"amd64": 316, "arm64": 276}[runtime.GOARCH]

const renameNoReplace = 1

// rename is rename(2), or renameat2(2) where nothing may be replaced: EEXIST then.
// Not os.Rename: it puts a Lstat of its own before the system call.
func rename(source, destination string, replace bool) error {
	if replace {
		return syscall.Rename(source, destination)
	}
	err := renameNew(source, destination)
	if err != syscall.EINVAL {
		return err
	}
	// Either the move is into itself, which rename says as well, or it is a
	// filesystem that does not know the flag: look first there.
	if _, err := os.Lstat(destination); err == nil {
		return syscall.EEXIST
	}
	return syscall.Rename(source, destination)
}

func renameNew(source, destination string) error {
	from, err := syscall.BytePtrFromString(source)
	if err != nil {
		return err
	}
	to, err := syscall.BytePtrFromString(destination)
	if err != nil {
		return err
	}
	// Both paths are absolute: the folders they would be relative to are not looked at.
	_, _, errno := syscall.Syscall6(renameat2Call, 0, uintptr(unsafe.Pointer(from)),
		0, uintptr(unsafe.Pointer(to)), renameNoReplace, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
