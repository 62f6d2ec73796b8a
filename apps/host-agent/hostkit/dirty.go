package main

// hostkit dirty: saves what a stopped VM has written to its memory since it was resumed.

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
)

// saved is what `dirty` prints: pages of memory that the delta replaces, bytes of its file.
type saved struct {
	Pages uint64 `json:"pages"`
	Bytes int64  `json:"bytes"`
}

func dirty(args []string) error {
	flags := flag.NewFlagSet("dirty", flag.ContinueOnError)
	pid := flags.Int("pid", 0, "process of the VMM; its vcpus must stand")
	size := flags.Uint64("size", 0, "bytes of guest memory")
	out := flags.String("out", "", "delta to write; must not exist")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *pid <= 0 || *size == 0 || *size%pageSize != 0 || *out == "" || flags.NArg() > 0 {
		return fmt.Errorf("usage: hostkit dirty -pid PID -size BYTES -out FILE")
	}
	result, err := saveDirty(*pid, *size, *out)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// saveDirty leaves no file behind when it fails, and never replaces one: it may be a delta that nobody has folded yet.
// The file is durable when it returns; its name in the folder is the caller's to make so.
func saveDirty(pid int, size uint64, path string) (result saved, err error) {
	start, err := findGuestMemory(pid, size)
	if err != nil {
		return result, err
	}
	spans, err := dirtySpans(pid, start, size)
	if err != nil {
		return result, err
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return result, err
	}
	defer memory.Close()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return result, err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			os.Remove(path)
		}
	}()
	w := newDeltaWriter(file)
	for _, part := range spans {
		if err := w.copy(memory, start, part); err != nil {
			w.abandon()
			return result, err
		}
		result.Pages += part.length / pageSize
	}
	result.Bytes, err = w.finish(size)
	return result, err
}

// deltaWriter reads memory while a second goroutine writes what was read before.
type deltaWriter struct {
	file   *os.File
	runs   []run
	buffer []byte
	filled int
	full   chan []byte
	empty  chan []byte
	done   chan error
	// Of the writing goroutine until done.
	written int64
	sum     uint32
}

func newDeltaWriter(file *os.File) *deltaWriter {
	w := &deltaWriter{file: file, full: make(chan []byte, 2), empty: make(chan []byte, 3), done: make(chan error, 1)}
	for i := 0; i < cap(w.empty); i++ {
		w.empty <- make([]byte, deltaBufBytes)
	}
	w.buffer = <-w.empty
	go func() { w.done <- w.write() }()
	return w
}

// copy appends a part of memory, which lies at base in the address space that source reads.
func (w *deltaWriter) copy(source io.ReaderAt, base uint64, part span) error {
	for part.length > 0 {
		space := w.buffer[w.filled:]
		if uint64(len(space)) > part.length {
			space = space[:part.length]
		}
		if n, err := source.ReadAt(space, int64(base+part.offset)); n < len(space) {
			return fmt.Errorf("reading memory at %d: %w", part.offset, err)
		}
		w.add(part.offset, space)
		part.offset += uint64(len(space))
		part.length -= uint64(len(space))
		if w.filled == len(w.buffer) {
			w.full <- w.buffer
			w.buffer, w.filled = <-w.empty, 0
		}
	}
	return nil
}

var zeroUnit = make([]byte, deltaUnit)

// add notes what was read to the buffer's free part, and closes the gaps that zeros leave.
func (w *deltaWriter) add(offset uint64, read []byte) {
	for ; len(read) > 0; read = read[deltaUnit:] {
		unit := read[:deltaUnit]
		isZero := bytes.Equal(unit, zeroUnit)
		if !isZero {
			if &w.buffer[w.filled] != &unit[0] {
				copy(w.buffer[w.filled:], unit)
			}
			w.filled += deltaUnit
		}
		if last := len(w.runs) - 1; last >= 0 && w.runs[last].end() == offset && w.runs[last].zero == isZero {
			w.runs[last].length += deltaUnit
		} else {
			w.runs = append(w.runs, run{span{offset, deltaUnit}, isZero})
		}
		offset += deltaUnit
	}
}

// write takes full buffers until there are no more. After a failure it only gives them back.
func (w *deltaWriter) write() (err error) {
	for buffer := range w.full {
		if err == nil {
			w.sum = crc32.Update(w.sum, castagnoli, buffer)
			_, err = w.file.WriteAt(buffer, headerBytes+w.written)
			if len(buffer) == deltaBufBytes { // not the last one: fsync follows
				w.startWriteback(headerBytes+w.written, deltaBufBytes)
			}
			w.written += int64(len(buffer))
		}
		w.empty <- buffer[:cap(buffer)]
	}
	return err
}

// startWriteback lets the disk work while memory is still being read. It promises nothing: fsync does.
func (w *deltaWriter) startWriteback(offset, length int64) {
	const syncFileRangeWrite = 2
	_ = syscall.SyncFileRange(int(w.file.Fd()), offset, length, syncFileRangeWrite)
}

// abandon waits for the writing goroutine.
func (w *deltaWriter) abandon() {
	close(w.full)
	<-w.done
}

// finish makes the file whole and durable, and returns its size.
func (w *deltaWriter) finish(memoryBytes uint64) (int64, error) {
	w.full <- w.buffer[:w.filled]
	close(w.full)
	if err := <-w.done; err != nil {
		return 0, err
	}
	table := encodeRuns(w.runs)
	header := deltaHeader{
		memoryBytes: memoryBytes, dataBytes: uint64(w.written), runs: uint64(len(w.runs)),
		tableSum: crc32.Checksum(table, castagnoli), dataSum: w.sum,
	}
	if _, err := w.file.WriteAt(table, headerBytes+w.written); err != nil {
		return 0, err
	}
	if _, err := w.file.WriteAt(header.encode(), 0); err != nil {
		return 0, err
	}
	return headerBytes + w.written + int64(len(table)), w.file.Sync()
}
