package main

// Which pages of a private file mapping differ from the file. Source: the kernel's Documentation/admin-guide/mm/pagemap.rst.

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	// A page of the file itself. A write to a private mapping puts an anonymous page in its place.
	pageOfFile = 1 << 61
)

// span is a part of guest memory, in bytes, whole pages.
type span struct{ offset, length uint64 }

func (s span) end() uint64 { return s.offset + s.length }

var pageSize = uint64(os.Getpagesize())

// dirtySpans reads the page table entries of size bytes of memory at start.
func dirtySpans(pid int, start, size uint64) ([]span, error) {
	pagemap, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return nil, err
	}
	defer pagemap.Close()
	const entryBytes = 8
	entries := make([]byte, 256<<10)
	var spans []span
	for offset := uint64(0); offset < size; {
		want := (size - offset) / pageSize * entryBytes
		if want > uint64(len(entries)) {
			want = uint64(len(entries))
		}
		// A process that has ended gives an early end.
		if _, err := io.ReadFull(io.NewSectionReader(pagemap, int64((start+offset)/pageSize*entryBytes), int64(want)), entries[:want]); err != nil {
			return nil, fmt.Errorf("reading the page map: %w", err)
		}
		for at := uint64(0); at < want; at += entryBytes {
			entry := binary.LittleEndian.Uint64(entries[at:])
			if entry&(pagePresent|pageSwapped) != 0 && entry&pageOfFile == 0 {
				spans = appendSpan(spans, span{offset, pageSize})
			}
			offset += pageSize
		}
	}
	return spans, nil
}

// appendSpan makes one of two that touch.
func appendSpan(spans []span, next span) []span {
	if len(spans) > 0 && spans[len(spans)-1].end() == next.offset {
		spans[len(spans)-1].length += next.length
		return spans
	}
	return append(spans, next)
}
