package server

// GET /files: whole, in part, compressed.

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesAreReadToTheirEnd(t *testing.T) {
	g := newGuest(t)
	want, _ := os.ReadFile("/proc/version")
	if got := g.expectStatus(g.download("/proc/version"), 200); got != string(want) || got == "" {
		t.Fatalf("/proc/version: %q", got)
	}
	// /sys says that its files have 4,096 bytes.
	want, _ = os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if got := g.expectStatus(g.download("/sys/kernel/mm/transparent_hugepage/enabled"), 200); got != string(want) {
		t.Fatalf("/sys: %q, want %q", got, want)
	}
	if got := g.expectStatus(g.download("/proc/kallsyms"), 200); len(got) < 100<<10 {
		t.Fatalf("/proc/kallsyms has %d bytes", len(got))
	}
	dir := t.TempDir()
	for _, size := range []int{0, 1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 3<<20 + 5} {
		content := bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]
		path := filepath.Join(dir, fmt.Sprint(size))
		os.WriteFile(path, content, 0o600)
		res := g.download(path)
		if res.ContentLength != int64(size) {
			t.Errorf("%d bytes: Content-Length %d", size, res.ContentLength)
		}
		if got := g.expectStatus(res, 200); got != string(content) {
			t.Errorf("%d bytes: got %d", size, len(got))
		}
	}
}

func TestRanges(t *testing.T) {
	g := newGuest(t)
	path := filepath.Join(t.TempDir(), "digits")
	os.WriteFile(path, []byte("0123456789"), 0o644)
	for _, c := range []struct {
		header string
		status int
		body   string
		span   string
	}{
		{"bytes=2-4", 206, "234", "bytes 2-4/10"},
		{"bytes=7-", 206, "789", "bytes 7-9/10"},
		{"bytes=-2", 206, "89", "bytes 8-9/10"},
		{"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
		{"bytes=9-99", 206, "9", "bytes 9-9/10"},
		{"bytes=0-0,2-3", 200, "0123456789", ""},
		{"bytes=4-2", 200, "0123456789", ""},
		{"bytes=x-", 200, "0123456789", ""},
		{"bytes=-", 200, "0123456789", ""},
		{"lines=1-2", 200, "0123456789", ""},
	} {
		res := g.download(path, "Range: "+c.header)
		if got := g.expectStatus(res, c.status); got != c.body || res.Header.Get("Content-Range") != c.span {
			t.Errorf("%s: %q, %q", c.header, got, res.Header.Get("Content-Range"))
		}
	}
	for _, header := range []string{"bytes=10-", "bytes=-0"} {
		res := g.download(path, "Range: "+header)
		if res.Header.Get("Content-Range") != "bytes */10" {
			t.Errorf("%s: %q", header, res.Header.Get("Content-Range"))
		}
		g.expectRefusal(res, 416, "out_of_range")
	}
	g.expectStatus(g.download("/proc/version", "Range: bytes=0-1"), 200)
}

func TestGzipWhenAskedFor(t *testing.T) {
	g := newGuest(t)
	path := filepath.Join(t.TempDir(), "text")
	content := strings.Repeat("the same line\n", 50000)
	os.WriteFile(path, []byte(content), 0o644)
	res := g.download(path, "Accept-Encoding: br, gzip;q=0.5")
	packed := g.expectStatus(res, 200)
	unpacked, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil || res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal(err, res.Header)
	}
	if got, err := io.ReadAll(unpacked); err != nil || string(got) != content {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for _, header := range []string{"identity", "gzip;q=0", "br"} {
		if res := g.download(path, "Accept-Encoding: "+header); res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed", header)
		}
	}
	var body bytes.Buffer
	writer := gzip.NewWriter(&body)
	io.WriteString(writer, content)
	writer.Close()
	upload := g.do("POST", filesPath(path), &body, "Content-Type: application/octet-stream", "Content-Encoding: gzip")
	g.expectStatus(upload, 200)
	expectFile(t, path, content, 0o644, 0)
}
