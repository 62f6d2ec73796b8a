package filesystem

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

// maxEntries bounds one answer: it is built in memory.
const maxEntries = 100_000

// listDir lists depth levels below a folder, depth first, names in order.
func (s *Service) listDir(r *http.Request, req *listRequest) (listResponse, error) {
	path, _, err := s.resolve(r, req.Path)
	if err != nil {
		return listResponse{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return listResponse{}, fault.Read(err, path)
	}
	if !info.IsDir() {
		return listResponse{}, fault.New(fault.InvalidArgument, "%s: not a directory", path)
	}
	depth := int(req.Depth)
	if depth == 0 {
		depth = 1
	}
	res := listResponse{Entries: []entry{}}
	if err := walk(path, depth, s.Users.Accounts.Current(), &res.Entries); err != nil {
		return listResponse{}, err
	}
	return res, nil
}

// walk appends the entries of folder. It does not follow symlinks, and takes what
// vanishes under its hands as never having been there.
func walk(folder string, depth int, accounts account.Accounts, entries *[]entry) error {
	children, err := os.ReadDir(folder)
	if err != nil {
		return fault.File(err, folder)
	}
	for _, child := range children {
		path := filepath.Join(folder, child.Name())
		e, err := describe(path, accounts)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if *entries = append(*entries, e); len(*entries) > maxEntries {
			return fault.New(fault.ResourceExhausted, "more than %d entries: list with a smaller depth", maxEntries)
		}
		if child.IsDir() && depth > 1 {
			if err := walk(path, depth-1, accounts, entries); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
