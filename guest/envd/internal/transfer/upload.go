package transfer

// POST /files: an octet stream with the path in the query, or a multipart form
// with `file` and, in any order, `path`. Without either a file's own name is its
// path, as E2B's clients send it.

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path/filepath"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/guestpath"
)

// Written names one file of a successful upload.
type Written struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Path string `json:"path"`
}

// Upload writes the files of r as user.
func Upload(r *http.Request, user account.User) ([]Written, error) {
	body := io.Reader(r.Body)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, fault.Wrap(fault.InvalidArgument, err, "the body is not gzip")
		}
		body = unpacked
	default:
		return nil, fault.New(fault.InvalidArgument, "unsupported Content-Encoding %q", encoding)
	}
	up := &upload{user: user, path: r.URL.Query().Get("path")}
	defer up.discard()
	mediaType, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch mediaType {
	case "application/octet-stream":
		if up.path == "" {
			return nil, fault.New(fault.InvalidArgument, "path is missing")
		}
		err := up.take("", body)
		return up.written, err
	case "multipart/form-data":
		err := up.readForm(multipart.NewReader(bufio.NewReaderSize(body, copyBytes), params["boundary"]))
		return up.written, err
	}
	return nil, fault.New(fault.InvalidArgument, "the content type must be multipart/form-data or application/octet-stream")
}

// upload is one request in progress.
type upload struct {
	user    account.User
	path    string
	written []Written
	waiting []spooled
}

type spooled struct {
	file *replacement
	name string
}

func (u *upload) readForm(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return u.placeWaiting()
		}
		if err != nil {
			return fault.Wrap(fault.InvalidArgument, err, "reading the form")
		}
		switch part.FormName() {
		case "path":
			// One byte more than any path may have, so that Resolve refuses it.
			text, err := io.ReadAll(io.LimitReader(part, 4097))
			if err != nil {
				return fault.Wrap(fault.InvalidArgument, err, "reading the form")
			}
			u.path = string(text)
		case "file":
			if err := u.take(fileName(part), part); err != nil {
				return err
			}
		}
	}
}

// take writes content to the path, or keeps it until the path is known.
func (u *upload) take(name string, content io.Reader) error {
	if u.path != "" {
		return u.record(u.path, func(path string) error { return write(path, content, u.user) })
	}
	file, err := spool(content)
	if err != nil {
		return err
	}
	u.waiting = append(u.waiting, spooled{file, name})
	return nil
}

// placeWaiting moves what came before its path to where it belongs.
func (u *upload) placeWaiting() error {
	for _, waiting := range u.waiting {
		path := u.path
		if path == "" {
			path = waiting.name
		}
		err := u.record(path, func(path string) error { return waiting.file.place(path, u.user) })
		if err != nil {
			return err
		}
	}
	if len(u.written) == 0 {
		return fault.New(fault.InvalidArgument, "the form has no field named file")
	}
	return nil
}

func (u *upload) record(path string, write func(path string) error) error {
	path, err := guestpath.Resolve(path, u.user)
	if err != nil {
		return err
	}
	for _, earlier := range u.written {
		if earlier.Path == path {
			return fault.New(fault.InvalidArgument, "two files for %s in one upload", path)
		}
	}
	if err := write(path); err != nil {
		return err
	}
	u.written = append(u.written, Written{Name: filepath.Base(path), Type: "file", Path: path})
	return nil
}

func (u *upload) discard() {
	for _, waiting := range u.waiting {
		waiting.file.abort()
	}
}

// fileName is the part's file name with its folders, which Part.FileName cuts off.
func fileName(part *multipart.Part) string {
	_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	return params["filename"]
}
