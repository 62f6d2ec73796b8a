package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Sources: memfd_create(2), fcntl(2). System call numbers: the kernel's syscall tables.
const (
	mfdCloexec      = 0x1
	mfdAllowSealing = 0x2
	addSeals        = 1033
	sealSeal        = 0x1
	sealShrink      = 0x2
	sealGrow        = 0x4
	sealWrite       = 0x8
)

var memfdCreateCall = map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]

const blockSize = 64 << 10

// sealedCopy returns a memfd with the content of the file at path, write-sealed. Blocks of zeros take no memory in it.
func sealedCopy(path string) (*os.File, error) {
	source, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return nil, err
	}
	memory, err := memfd("wrenn-golden")
	if err != nil {
		return nil, err
	}
	if err := memory.Truncate(info.Size()); err != nil {
		return nil, err
	}
	if err := copyNonZero(memory, source); err != nil {
		return nil, err
	}
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, memory.Fd(), addSeals, sealSeal|sealShrink|sealGrow|sealWrite)
	if errno != 0 {
		return nil, fmt.Errorf("seal: %w", errno)
	}
	return memory, nil
}

func memfd(name string) (*os.File, error) {
	bytesOfName, err := syscall.BytePtrFromString(name)
	if err != nil {
		return nil, err
	}
	fd, _, errno := syscall.Syscall(memfdCreateCall, uintptr(unsafe.Pointer(bytesOfName)), mfdCloexec|mfdAllowSealing, 0)
	if errno != 0 {
		return nil, fmt.Errorf("memfd_create: %w", errno)
	}
	return os.NewFile(fd, name), nil
}

func copyNonZero(target, source *os.File) error {
	all, err := extents(source)
	if err != nil {
		return err
	}
	block, zeros := make([]byte, blockSize), make([]byte, blockSize)
	for _, part := range all {
		for offset := part.offset; offset < part.offset+part.length; {
			want := part.offset + part.length - offset
			if want > blockSize {
				want = blockSize
			}
			n, err := source.ReadAt(block[:want], offset)
			if err != nil && err != io.EOF {
				return err
			}
			if n == 0 {
				return io.ErrUnexpectedEOF
			}
			if !bytes.Equal(block[:n], zeros[:n]) {
				if _, err := target.WriteAt(block[:n], offset); err != nil {
					return err
				}
			}
			offset += int64(n)
		}
	}
	return nil
}
