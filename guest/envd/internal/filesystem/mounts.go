package filesystem

// Where other filesystems are mounted: what stands there is not the sandbox's to
// move or remove, and a removal that stops at it has emptied it before.

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"wrenn.dev/envd/internal/fault"
)

// Source: proc(5), "/proc/pid/mountinfo", field 5, with octal escapes.
const mountTable = "/proc/self/mountinfo"

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// mustHoldNoMount refuses a path at or below which a filesystem is mounted.
func mustHoldNoMount(path string) error {
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return fault.Read(err, path)
	}
	real := filepath.Join(folder, filepath.Base(path))
	table, err := os.Open(mountTable)
	if err != nil {
		return err
	}
	defer table.Close()
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		if point := unescape.Replace(fields[4]); isWithin(point, real) {
			return fault.New(fault.InvalidArgument, "%s: a filesystem is mounted at %s", path, point)
		}
	}
	return lines.Err()
}

// isWithin tells whether path is folder or below it. Both are clean.
func isWithin(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder+"/")
}
