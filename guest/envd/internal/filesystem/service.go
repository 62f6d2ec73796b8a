package filesystem

import (
	"errors"
	"io/fs"
	"net/http"
	"os"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/guestpath"
	"wrenn.dev/envd/internal/transfer"
)

// Service answers for the whole guest's file tree.
type Service struct {
	Users    *account.Resolver
	watchers watchers
}

type empty struct{}

type pathRequest struct {
	Path string `json:"path"`
}

type moveRequest struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	NoReplace   bool   `json:"noReplace"`
}

type removeRequest struct {
	Path      string `json:"path"`
	MustExist bool   `json:"mustExist"`
}

type listRequest struct {
	Path  string         `json:"path"`
	Depth connect.Uint32 `json:"depth"`
}

type entryResponse struct {
	Entry entry `json:"entry"`
}

type listResponse struct {
	Entries []entry `json:"entries"`
}

// Routes maps the paths of the service to handlers, all POST.
func (s *Service) Routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/filesystem.Filesystem/Stat":             connect.Unary(s.stat),
		"/filesystem.Filesystem/MakeDir":          connect.Unary(s.makeDir),
		"/filesystem.Filesystem/Move":             connect.Unary(s.move),
		"/filesystem.Filesystem/ListDir":          connect.Unary(s.listDir),
		"/filesystem.Filesystem/Remove":           connect.Unary(s.remove),
		"/filesystem.Filesystem/WatchDir":         connect.ServerStream(connect.Patience, s.watchDir),
		"/filesystem.Filesystem/CreateWatcher":    connect.Unary(s.createWatcher),
		"/filesystem.Filesystem/GetWatcherEvents": connect.Unary(s.getWatcherEvents),
		"/filesystem.Filesystem/RemoveWatcher":    connect.Unary(s.removeWatcher),
	}
}

func (s *Service) resolve(r *http.Request, path string) (string, account.User, error) {
	user, err := s.Users.Caller(r)
	if err != nil {
		return "", user, err
	}
	path, err = guestpath.Resolve(path, user)
	return path, user, err
}

func (s *Service) respond(path string) (entryResponse, error) {
	e, err := describe(path, s.Users.Accounts.Current())
	return entryResponse{Entry: e}, err
}

func (s *Service) stat(r *http.Request, req *pathRequest) (entryResponse, error) {
	path, _, err := s.resolve(r, req.Path)
	if err != nil {
		return entryResponse{}, err
	}
	return s.respond(path)
}

func (s *Service) makeDir(r *http.Request, req *pathRequest) (entryResponse, error) {
	path, user, err := s.resolve(r, req.Path)
	if err != nil {
		return entryResponse{}, err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return entryResponse{}, fault.New(fault.AlreadyExists, "%s: the directory exists", path)
	case err == nil:
		return entryResponse{}, fault.New(fault.InvalidArgument, "%s: not a directory", path)
	case !errors.Is(err, fs.ErrNotExist):
		return entryResponse{}, fault.File(err, path)
	}
	if _, err := os.Lstat(path); err == nil {
		return entryResponse{}, fault.New(fault.AlreadyExists, "%s: a link that leads nowhere", path)
	}
	if err := transfer.MakeFolders(path, user); err != nil {
		return entryResponse{}, err
	}
	return s.respond(path)
}

// remove takes away a file or a whole folder. What is not there is fine, but with
// `mustExist`, which is ours.
func (s *Service) remove(r *http.Request, req *removeRequest) (empty, error) {
	path, _, err := s.resolve(r, req.Path)
	if err != nil {
		return empty{}, err
	}
	if path == "/" {
		return empty{}, fault.New(fault.InvalidArgument, "the root folder cannot be removed")
	}
	if _, err := os.Lstat(path); err != nil && (req.MustExist || !errors.Is(err, fs.ErrNotExist)) {
		return empty{}, fault.Read(err, path)
	}
	if err := mustHoldNoMount(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return empty{}, err
	}
	if err := os.RemoveAll(path); err != nil {
		return empty{}, fault.File(err, path)
	}
	return empty{}, nil
}
