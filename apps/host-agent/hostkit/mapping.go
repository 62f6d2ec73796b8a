package main

// Which part of a VMM's address space is the guest's memory: the private, writable mapping of a file that has exactly the
// guest's size. The name of the file does not help, since it may be a memfd that others have too.

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// vma is a line of /proc/PID/maps, or several that continue each other.
type vma struct {
	start, end, offset uint64
	file               string
}

func (v vma) size() uint64 { return v.end - v.start }

func findGuestMemory(pid int, size uint64) (start uint64, err error) {
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	defer maps.Close()
	return guestMemoryIn(maps, size)
}

// guestMemoryIn joins neighbours first: madvise(2) of a part splits a mapping.
func guestMemoryIn(maps io.Reader, size uint64) (start uint64, err error) {
	var all []vma
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		next, isCandidate, err := parseVma(lines.Text())
		if err != nil {
			return 0, err
		}
		if !isCandidate {
			continue
		}
		if len(all) > 0 {
			last := &all[len(all)-1]
			if next.file == last.file && next.start == last.end && next.offset == last.offset+last.size() {
				last.end = next.end
				continue
			}
		}
		all = append(all, next)
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	var found []vma
	for _, v := range all {
		if v.size() == size && v.offset == 0 {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("%d private writable mappings of a file have %d bytes; guest memory must be the only one", len(found), size)
	}
	return found[0].start, nil
}

// parseVma reads "start-end perms offset device inode path". Source: proc(5).
func parseVma(line string) (v vma, isCandidate bool, err error) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return v, false, fmt.Errorf("unexpected line in maps: %q", line)
	}
	if !strings.HasPrefix(fields[1], "rw") || !strings.HasSuffix(fields[1], "p") || fields[4] == "0" {
		return v, false, nil
	}
	start, end, _ := strings.Cut(fields[0], "-")
	for text, number := range map[string]*uint64{start: &v.start, end: &v.end, fields[2]: &v.offset} {
		if *number, err = strconv.ParseUint(text, 16, 64); err != nil {
			return v, false, fmt.Errorf("unexpected line in maps: %q", line)
		}
	}
	v.file = fields[3] + " " + fields[4]
	return v, true, nil
}
