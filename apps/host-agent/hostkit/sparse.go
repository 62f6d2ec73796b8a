package main

import (
	"errors"
	"os"
	"syscall"
)

type extent struct{ offset, length int64 }

// Source: lseek(2).
const (
	seekData = 3
	seekHole = 4
)

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
