package transfer

// GET /files: the content to the end of the file, one byte range of it, or gzip.

import (
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/transport"
)

const (
	// headBytes are read before the answer starts: files of /proc and /sys say
	// nothing true about their size, and are smaller than this.
	headBytes = 64 << 10
	// pieceBytes may take pieceTime to be read by the client.
	pieceBytes = 1 << 20
	pieceTime  = 10 * time.Minute
)

// Download answers with the file at path. An error means that nothing was sent;
// what fails later breaks the connection.
func Download(w http.ResponseWriter, r *http.Request, path string) error {
	file, size, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": filepath.Base(path)}))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Vary", "Accept-Encoding")
	defer transport.SetWriteDeadline(r.Context(), time.Time{})

	if size > 0 {
		w.Header().Set("Accept-Ranges", "bytes")
		span, err := parseRange(r.Header.Get("Range"), size)
		if err != nil {
			w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
			return err
		}
		if span != nil {
			return sendRange(w, r, file, *span, size)
		}
	}
	head, whole, err := readHead(file, path)
	if err != nil {
		return err
	}
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		sendGzip(w, r, head, file)
		return nil
	}
	switch {
	case whole:
		size = int64(len(head))
	case size < int64(len(head)):
		size = -1
	}
	if size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	sendWhole(w, r, head, file, size)
	return nil
}

// openRegular opens without waiting for the other end of a FIFO that may have
// taken the file's place since it was looked at.
func openRegular(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fault.Read(err, path)
	}
	if err := mustBeRegular(info, path); err != nil {
		return nil, 0, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fault.File(err, path)
	}
	if info, err = file.Stat(); err == nil {
		err = mustBeRegular(info, path)
	}
	if err != nil {
		file.Close()
		return nil, 0, fault.File(err, path)
	}
	return file, info.Size(), nil
}

// readHead reads the first bytes and tells whether they are the whole file.
func readHead(file *os.File, path string) (head []byte, whole bool, err error) {
	head = make([]byte, headBytes)
	n, err := io.ReadFull(file, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return head[:n], true, nil
	}
	if err != nil {
		return nil, false, fault.File(err, path)
	}
	return head, false, nil
}

// sendWhole sends head and then size bytes in all, or to the end if size is -1.
func sendWhole(w http.ResponseWriter, r *http.Request, head []byte, file *os.File, size int64) {
	allow(r)
	if _, err := w.Write(head); err != nil {
		return
	}
	rest := int64(1) << 62
	if size >= 0 {
		rest = size - int64(len(head))
	}
	ended := copyPieces(w, r, file, rest)
	if !ended || (size >= 0 && rest > 0 && shrunk(file, size)) {
		breakOff()
	}
}

func sendRange(w http.ResponseWriter, r *http.Request, file *os.File, span byteRange, size int64) error {
	if _, err := file.Seek(span.first, io.SeekStart); err != nil {
		return fault.File(err, file.Name())
	}
	length := span.last - span.first + 1
	w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	w.Header().Set("Content-Range", "bytes "+strconv.FormatInt(span.first, 10)+"-"+
		strconv.FormatInt(span.last, 10)+"/"+strconv.FormatInt(size, 10))
	w.WriteHeader(http.StatusPartialContent)
	if !copyPieces(w, r, file, length) || shrunk(file, span.last+1) {
		breakOff()
	}
	return nil
}

func sendGzip(w http.ResponseWriter, r *http.Request, head []byte, file *os.File) {
	w.Header().Set("Content-Encoding", "gzip")
	packed, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	allow(r)
	_, err := packed.Write(head)
	if err != nil || !copyPieces(packed, r, file, 1<<62) || packed.Close() != nil {
		breakOff()
	}
}

// copyPieces copies up to n bytes or to the end, and tells whether that worked.
// io.CopyN from a file to a plain response is sendfile.
func copyPieces(to io.Writer, r *http.Request, file *os.File, n int64) bool {
	for n > 0 {
		allow(r)
		piece := int64(pieceBytes)
		if n < piece {
			piece = n
		}
		copied, err := io.CopyN(to, file, piece)
		n -= copied
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return false
		}
	}
	return true
}

// shrunk tells whether the file ended before size bytes were read from it.
func shrunk(file *os.File, size int64) bool {
	at, err := file.Seek(0, io.SeekCurrent)
	return err != nil || at < size
}

func allow(r *http.Request) {
	transport.SetWriteDeadline(r.Context(), time.Now().Add(pieceTime))
}

// breakOff closes the connection, so that a client cannot take a part for the whole.
func breakOff() { panic(http.ErrAbortHandler) }

func acceptsGzip(header string) bool {
	for _, item := range strings.Split(header, ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		q := strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		value, err := strconv.ParseFloat(q, 64)
		return q == "" || (err == nil && value > 0)
	}
	return false
}
