package identity

// The files that carry the machine's identity. In our templates they are symlinks
// into a tmpfs: a clone gets its identity before it may answer anything, while its
// disk is still frozen. Where somebody has put a file in the place of such a link,
// that is replaced as a whole.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// etcFile is a file as it should be.
type etcFile struct{ path, text string }

// identityFiles returns those that are not yet as they should be: /etc/hostname,
// the host's own line of /etc/hosts, /etc/machine-id. An empty value changes none.
func identityFiles(etc, hostname, machineID string) ([]etcFile, error) {
	var wanted []etcFile
	if hostname != "" {
		path := filepath.Join(etc, "hosts")
		hosts, err := readRegular(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		wanted = append(wanted,
			etcFile{filepath.Join(etc, "hostname"), hostname + "\n"},
			etcFile{path, withOwnLine(string(hosts), hostname)})
	}
	if machineID != "" {
		wanted = append(wanted, etcFile{filepath.Join(etc, "machine-id"), machineID + "\n"})
	}
	var files []etcFile
	for _, file := range wanted {
		if current, err := readRegular(file.path); err != nil || !bytes.Equal(current, []byte(file.text)) {
			files = append(files, file)
		}
	}
	return files, nil
}

// withOwnLine replaces the line of 127.0.1.1, Debian's address for the host's own
// name, where it stands, or adds it.
func withOwnLine(hosts, name string) string {
	own := "127.0.1.1\t" + name
	if hosts == "" {
		hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost"
	}
	var lines []string
	found := false
	for _, line := range strings.Split(strings.TrimSuffix(hosts, "\n"), "\n") {
		if fields := strings.Fields(line); len(fields) == 0 || fields[0] != "127.0.1.1" {
			lines = append(lines, line)
		} else if !found {
			lines = append(lines, own)
			found = true
		}
	}
	if !found {
		lines = append(lines, own)
	}
	return strings.Join(lines, "\n") + "\n"
}

// inMemory tells whether a write to the file touches no disk.
func (f etcFile) inMemory() bool {
	const tmpfsMagic = 0x01021994 // statfs(2)
	var stat syscall.Statfs_t
	return syscall.Statfs(f.path, &stat) == nil && stat.Type == tmpfsMagic
}

// write follows a link, and replaces what is none.
func (f etcFile) write() error {
	if info, err := os.Lstat(f.path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return writeRegular(f.path, f.text)
	}
	temp := f.path + ".envd.tmp"
	defer os.Remove(temp)
	if err := writeRegular(temp, f.text); err != nil {
		return err
	}
	return os.Rename(temp, f.path)
}

// readRegular and writeRegular refuse a FIFO instead of waiting at it.
func readRegular(path string) ([]byte, error) {
	file, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func writeRegular(path, text string) error {
	file, err := openRegular(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

func openRegular(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|syscall.O_NONBLOCK, 0o644)
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
