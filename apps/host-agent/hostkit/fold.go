package main

// hostkit fold: brings a memory file up to date with a delta, in place. Whatever happens half-way, folding again makes it
// right, so the delta must stay until a fold has succeeded. No VM may map the file meanwhile.

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Source: fallocate(2).
const (
	fallocKeepSize  = 0x1
	fallocPunchHole = 0x2
)

func fold(args []string) error {
	flags := flag.NewFlagSet("fold", flag.ContinueOnError)
	delta := flags.String("delta", "", "delta to fold")
	memory := flags.String("memory", "", "memory file to change")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *delta == "" || *memory == "" || flags.NArg() > 0 {
		return fmt.Errorf("usage: hostkit fold -delta FILE -memory FILE")
	}
	return foldDelta(*delta, *memory)
}

// foldDelta changes nothing before all of the delta is known to be whole and to fit.
func foldDelta(delta, memory string) (err error) {
	target, err := openRegular(memory, os.O_WRONLY)
	if err != nil {
		return err
	}
	defer func() {
		if closed := target.Close(); err == nil {
			err = closed
		}
	}()
	info, err := target.Stat()
	if err != nil {
		return err
	}
	source, runs, err := openDelta(delta, uint64(info.Size()))
	if err != nil {
		return err
	}
	defer source.Close()
	buffer := make([]byte, deltaBufBytes)
	data := io.NewSectionReader(source, headerBytes, 1<<62)
	for _, r := range runs {
		if r.zero {
			err = zeroRange(target, r.span)
		} else {
			at := &offsetWriter{target, int64(r.offset)}
			_, err = io.CopyBuffer(at, io.LimitReader(data, int64(r.length)), buffer)
		}
		if err != nil {
			return err
		}
	}
	return target.Sync()
}

// zeroRange frees the blocks where the filesystem can, and writes zeros where not.
func zeroRange(file *os.File, part span) error {
	err := syscall.Fallocate(int(file.Fd()), fallocPunchHole|fallocKeepSize, int64(part.offset), int64(part.length))
	if !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	for ; part.length > 0; part.length -= deltaUnit {
		if _, err := file.WriteAt(zeroUnit, int64(part.offset)); err != nil {
			return err
		}
		part.offset += deltaUnit
	}
	return nil
}

// offsetWriter is Go 1.20's io.OffsetWriter.
type offsetWriter struct {
	file   *os.File
	offset int64
}

func (w *offsetWriter) Write(bytes []byte) (int, error) {
	n, err := w.file.WriteAt(bytes, w.offset)
	w.offset += int64(n)
	return n, err
}
