// Package filesystem owns service filesystem.Filesystem: what files there are,
// and moving, making and removing them. Content goes through package transfer.
package filesystem

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
)

// entry describes one file. A symlink has the type and mode of what it leads to,
// as E2B's clients expect; one that leads nowhere is FILE_TYPE_SYMLINK.
type entry struct {
	Name          string        `json:"name"`
	Type          string        `json:"type"`
	Path          string        `json:"path"`
	Size          connect.Int64 `json:"size"`
	Mode          uint32        `json:"mode"`
	Permissions   string        `json:"permissions"`
	Owner         string        `json:"owner"`
	Group         string        `json:"group"`
	ModifiedTime  string        `json:"modifiedTime"`
	SymlinkTarget string        `json:"symlinkTarget,omitempty"`
	// Link is what a symlink says, as it is written there. Ours, not E2B's.
	Link string `json:"link,omitempty"`
}

// timeFormat is RFC 3339 with the nanoseconds that protobuf's JSON mapping has.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func describe(path string, accounts account.Accounts) (entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{}, fault.Read(err, path)
	}
	e := entry{
		Name:         filepath.Base(path),
		Type:         typeOf(info.Mode()),
		Path:         path,
		Size:         connect.Int64(info.Size()),
		Mode:         uint32(info.Mode().Perm()),
		Permissions:  info.Mode().String(),
		ModifiedTime: info.ModTime().UTC().Format(timeFormat),
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		e.Owner = accounts.UserName(stat.Uid)
		e.Group = accounts.GroupName(stat.Gid)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		e.describeTarget()
	}
	return e, nil
}

func (e *entry) describeTarget() {
	e.Link, _ = os.Readlink(e.Path)
	resolved, err := filepath.EvalSymlinks(e.Path)
	if err == nil {
		if target, err := os.Stat(resolved); err == nil {
			e.SymlinkTarget = resolved
			e.Type = typeOf(target.Mode())
			e.Mode = uint32(target.Mode().Perm())
			return
		}
	}
	e.SymlinkTarget = e.Link
}

func typeOf(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "FILE_TYPE_FILE"
	case mode.IsDir():
		return "FILE_TYPE_DIRECTORY"
	case mode&fs.ModeSymlink != 0:
		return "FILE_TYPE_SYMLINK"
	}
	return "FILE_TYPE_UNSPECIFIED"
}
