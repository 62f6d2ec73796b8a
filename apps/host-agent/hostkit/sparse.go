package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

type extent struct{ offset, length int64 }

// Source: lseek(2).
const (
	seekData = 3
	seekHole = 4
)

// openRegular opens a file that a VMM may own: it must not lead us to another one, or make us wait.
func openRegular(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// extents lists the parts of a sparse file that hold data, in order.
func extents(file *os.File) ([]extent, error) {
	var all []extent
	var end int64
	for {
		start, err := file.Seek(end, seekData)
		if errors.Is(err, syscall.ENXIO) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if end, err = file.Seek(start, seekHole); err != nil {
			return nil, err
		}
		all = append(all, extent{start, end - start})
	}
}
