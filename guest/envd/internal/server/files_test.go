package server

// POST /files, and what both directions refuse.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func filesPath(path string) string { return "/files?path=" + url.QueryEscape(path) }

func (g *guest) upload(path, content string) *http.Response {
	g.t.Helper()
	return g.do("POST", filesPath(path), strings.NewReader(content), "Content-Type: application/octet-stream")
}

func (g *guest) download(path string, headers ...string) *http.Response {
	g.t.Helper()
	return g.do("GET", filesPath(path), nil, headers...)
}

type field struct{ name, fileName, content string }

func (g *guest) uploadForm(query string, fields ...field) *http.Response {
	g.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range fields {
		var part io.Writer
		if f.fileName != "" {
			part, _ = form.CreateFormFile(f.name, f.fileName)
		} else {
			part, _ = form.CreateFormField(f.name)
		}
		io.WriteString(part, f.content)
	}
	form.Close()
	return g.do("POST", "/files?"+query, &body, "Content-Type: "+form.FormDataContentType())
}

func expectFile(t *testing.T, path, content string, mode os.FileMode, uid uint32) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || string(text) != content {
		t.Fatalf("%s: %q, %v; want %q", path, text, err, content)
	}
	info, _ := os.Stat(path)
	if info.Mode() != mode || info.Sys().(*syscall.Stat_t).Uid != uid {
		t.Fatalf("%s: mode %v, uid %d", path, info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}
}

// expectOnly checks that folder has these names and no temporary file.
func expectOnly(t *testing.T, folder string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Fatalf("%s has %q, want %q", folder, got, names)
	}
}

func TestAnUploadMakesItsFoldersAndBelongsToTheUser(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	path := filepath.Join(dir, "a", "b c", "file")
	body := g.expectStatus(g.do("POST", filesPath(path)+"&username=nobody", strings.NewReader("text"), "Content-Type: application/octet-stream"), 200)
	var written []map[string]string
	if err := json.Unmarshal([]byte(body), &written); err != nil || len(written) != 1 ||
		written[0]["path"] != path || written[0]["name"] != "file" || written[0]["type"] != "file" {
		t.Fatalf("%s", body)
	}
	expectFile(t, path, "text", 0o644, 65534)
	info, _ := os.Stat(filepath.Dir(path))
	if info.Mode().Perm() != 0o755 || info.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Fatalf("folder: %v", info.Mode())
	}
	expectOnly(t, filepath.Dir(path), "file")
}

func TestAReplacedFileKeepsModeAndOwner(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	path := filepath.Join(dir, "tool")
	g.expectStatus(g.upload(path, "old"), 200)
	os.Chown(path, 1234, 1234)
	syscall.Chmod(path, 0o4750)
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	g.expectStatus(g.upload(path, "new text"), 200)
	expectFile(t, path, "new text", os.ModeSetuid|0o750, 1234)
	if old, _ := io.ReadAll(reader); string(old) != "old" {
		t.Fatalf("an open reader saw %q: the file was not replaced but written over", old)
	}
	expectOnly(t, dir, "tool")
}

func TestSymlinksAreFollowed(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	os.Mkdir(filepath.Join(dir, "real"), 0o755)
	os.Symlink("real/target", filepath.Join(dir, "link"))
	os.Symlink("real", filepath.Join(dir, "folder"))
	os.Symlink("../link", filepath.Join(dir, "real", "back"))
	g.expectStatus(g.upload(filepath.Join(dir, "link"), "dangling"), 200)
	expectFile(t, filepath.Join(dir, "real", "target"), "dangling", 0o644, 0)
	g.expectStatus(g.upload(filepath.Join(dir, "folder", "back"), "through both"), 200)
	expectFile(t, filepath.Join(dir, "real", "target"), "through both", 0o644, 0)
	if link, _ := os.Readlink(filepath.Join(dir, "link")); link != "real/target" {
		t.Fatal("the link was replaced")
	}
	os.Symlink("loop", filepath.Join(dir, "loop"))
	g.expectRefusal(g.upload(filepath.Join(dir, "loop"), "x"), 400, "invalid_argument")
}

func TestARelativePathStartsAtHome(t *testing.T) {
	g := newGuest(t)
	t.Cleanup(func() { os.Remove("/root/.envd-test-file") })
	g.expectStatus(g.upload(".envd-test-file", "x"), 200)
	if got := g.expectStatus(g.download("~/.envd-test-file"), 200); got != "x" {
		t.Fatalf("%q", got)
	}
}

func TestPathsThatAreNone(t *testing.T) {
	g := newGuest(t)
	for _, path := range []string{"", "/a\x00b", "/" + strings.Repeat("x/", 2100), "/tmp/" + strings.Repeat("n", 300)} {
		g.expectRefusal(g.upload(path, "x"), 400, "invalid_argument")
		g.expectRefusal(g.download(path), 400, "invalid_argument")
	}
	g.expectRefusal(g.download("/no/such/file"), 404, "not_found")
	g.expectRefusal(g.download("/etc/passwd/x"), 404, "not_found")
	g.expectRefusal(g.upload("/etc/passwd/x", "x"), 400, "invalid_argument")
	g.expectRefusal(g.do("GET", filesPath("/etc/passwd")+"&username=nosuchuser", nil), 400, "invalid_argument")
	g.expectRefusal(g.do("POST", filesPath("/tmp/x"), strings.NewReader("x"), "Content-Type: text/plain"), 400, "invalid_argument")
	g.expectRefusal(g.uploadForm("path=/tmp/x", field{"other", "", "x"}), 400, "invalid_argument")
}

func TestWhatIsNoFileIsRefusedAtOnce(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for _, path := range []string{dir, fifo, filepath.Join(dir, "socket"), "/dev/null"} {
		g.expectRefusal(g.download(path), 400, "invalid_argument")
		g.expectRefusal(g.upload(path, "x"), 400, "invalid_argument")
	}
	expectOnly(t, dir, "fifo", "socket")
}

func TestFormsInAnyOrder(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	before, _ := os.ReadDir("/var/tmp")
	file := field{"file", "name.txt", "content"}
	g.expectStatus(g.uploadForm("path="+at("query"), file), 200)
	g.expectStatus(g.uploadForm("", field{"path", "", at("before")}, file), 200)
	g.expectStatus(g.uploadForm("", file, field{"path", "", at("after")}), 200)
	g.expectStatus(g.uploadForm("", field{"file", at("one"), "content"}, field{"file", at("two"), "content"}), 200)
	for _, name := range []string{"query", "before", "after", "one", "two"} {
		expectFile(t, at(name), "content", 0o644, 0)
	}
	g.expectRefusal(g.uploadForm("path="+at("twice"), file, file), 400, "invalid_argument")
	g.expectRefusal(g.uploadForm("", file, field{"path", "", "/" + strings.Repeat("x", 5000)}), 400, "invalid_argument")
	after, _ := os.ReadDir("/var/tmp")
	if len(after) != len(before) {
		t.Fatalf("spooled files left behind: %v", after)
	}
}

// tmpfs mounts a small filesystem that is gone after the test.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestAFullDiskIs507AndLeavesTheOldFile(t *testing.T) {
	g, dir := newGuest(t), tmpfs(t, "1m")
	path := filepath.Join(dir, "file")
	g.expectStatus(g.upload(path, "old"), 200)
	g.expectRefusal(g.upload(path, strings.Repeat("x", 2<<20)), 507, "resource_exhausted")
	expectFile(t, path, "old", 0o644, 0)
	expectOnly(t, dir, "file")
}

func TestASpooledUploadReachesAnotherFilesystem(t *testing.T) {
	g, dir := newGuest(t), tmpfs(t, "1m")
	path := filepath.Join(dir, "file")
	g.expectStatus(g.upload(path, "old"), 200)
	os.Chmod(path, 0o600)
	g.expectStatus(g.uploadForm("", field{"file", "x", "new"}, field{"path", "", path}), 200)
	expectFile(t, path, "new", 0o600, 0)
	expectOnly(t, dir, "file")
}

func TestABrokenOffUploadLeavesTheOldFile(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	path := filepath.Join(dir, "file")
	g.expectStatus(g.upload(path, "old"), 200)
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Access-Token: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\nhalf", filesPath(path), testToken)
	eventually(t, "the upload has begun", func() bool { entries, _ := os.ReadDir(dir); return len(entries) == 2 })
	conn.Close()
	eventually(t, "the temporary file is gone", func() bool { entries, _ := os.ReadDir(dir); return len(entries) == 1 })
	expectFile(t, path, "old", 0o644, 0)
}

func TestATransferHoldsLittleMemory(t *testing.T) {
	g := newGuest(t)
	path := filepath.Join(t.TempDir(), "big")
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res := g.do("POST", filesPath(path), io.LimitReader(zeros{}, size), "Content-Type: application/octet-stream")
	g.expectStatus(res, 200)
	n, err := io.Copy(io.Discard, g.download(path).Body)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Fatalf("%d KiB were allocated", grown>>10)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
