package identity

// The files that carry the machine's identity. In our templates they are symlinks
// into a tmpfs: a clone gets its identity before it may answer anything, and
// writing to disk would take longer than all the rest. Where somebody has put a
// file in the place of such a link, that is replaced as a whole.

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// writeHostname writes /etc/hostname and the host's own line of /etc/hosts.
func writeHostname(etc, name string) error {
	if err := replaceFile(filepath.Join(etc, "hostname"), name+"\n"); err != nil {
		return err
	}
	path := filepath.Join(etc, "hosts")
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return replaceFile(path, withOwnLine(string(old), name))
}

// withOwnLine replaces the line of 127.0.1.1, Debian's address for the host's own
// name, or adds it.
func withOwnLine(hosts, name string) string {
	own := "127.0.1.1\t" + name
	var lines []string
	for _, line := range strings.Split(strings.TrimSuffix(hosts, "\n"), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "127.0.1.1" {
			continue
		}
		lines = append(lines, line)
	}
	if hosts == "" {
		lines = []string{"127.0.0.1\tlocalhost", "::1\tlocalhost"}
	}
	return strings.Join(append(lines, own), "\n") + "\n"
}

func writeMachineID(etc, id string) error {
	return replaceFile(filepath.Join(etc, "machine-id"), id+"\n")
}

func replaceFile(path, text string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return os.WriteFile(path, []byte(text), 0o644)
	}
	temp := path + ".envd.tmp"
	defer os.Remove(temp)
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
