// Package guestpath turns a path from a request into an absolute one.
package guestpath

import (
	"path/filepath"
	"strings"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

// maxBytes is the kernel's PATH_MAX.
const maxBytes = 4096

// Resolve cleans path. `~` and relative paths start at the user's home.
func Resolve(path string, user account.User) (string, error) {
	switch {
	case path == "":
		return "", fault.New(fault.InvalidArgument, "the path is empty")
	case len(path) > maxBytes:
		return "", fault.New(fault.InvalidArgument, "the path has %d bytes: at most %d", len(path), maxBytes)
	case strings.IndexByte(path, 0) >= 0:
		return "", fault.New(fault.InvalidArgument, "the path contains a NUL byte")
	}
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = path[1:]
		return filepath.Join("/", user.Home, path), nil
	}
	if !filepath.IsAbs(path) {
		return filepath.Join("/", user.Home, path), nil
	}
	return filepath.Clean(path), nil
}
