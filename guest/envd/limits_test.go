package main

// The kernel's limits of watchers, in a user namespace that has small ones.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// folders makes count folders in parent, and returns it.
func folders(t *testing.T, parent string, count int) string {
	t.Helper()
	for i := 0; i < count; i++ {
		if err := os.Mkdir(filepath.Join(parent, fmt.Sprint(i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return parent
}

func TestTheLimitsOfWatchersAreToldByName(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `echo 5 >/proc/sys/user/max_inotify_watches && echo 2 >/proc/sys/user/max_inotify_instances &&
		exec "$0" serve -listen 127.0.0.1:0`
	address := serve(t, exec.Command("unshare", "--user", "--map-root-user", "sh", "-c", script, executable))
	post := func(path, mediaType, body string) io.Reader {
		req, _ := http.NewRequest("POST", "http://"+address+path, strings.NewReader(body))
		req.Header.Set("X-Access-Token", "x")
		req.Header.Set("Content-Type", mediaType)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res.Body
	}
	post("/init", "", `{"accessToken":"x"}`)
	watch := func(dir string) io.Reader {
		message := fmt.Sprintf(`{"path":%q,"recursive":true}`, dir)
		header := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
		return post("/filesystem.Filesystem/WatchDir", "application/connect+json", string(header)+message)
	}
	rest := func(stream io.Reader) []byte {
		text, err := io.ReadAll(stream)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	expect := func(text []byte, parts ...string) {
		t.Helper()
		for _, part := range append(parts, `"code":"resource_exhausted"`) {
			if !bytes.Contains(text, []byte(part)) {
				t.Fatalf("%q, want %s", text, part)
			}
		}
	}
	expect(rest(watch(folders(t, t.TempDir(), 5))), "fs.inotify.max_user_watches")

	growing := folders(t, t.TempDir(), 2)
	stream := watch(growing)
	begin := make([]byte, len(`.....{"start":{}}`))
	if _, err := io.ReadFull(stream, begin); err != nil || !bytes.Contains(begin, []byte("start")) {
		t.Fatalf("%q, %v", begin, err)
	}
	watch(t.TempDir())
	expect(rest(watch(t.TempDir())), "fs.inotify.max_user_instances")
	folders(t, filepath.Join(growing, "0"), 5)
	expect(rest(stream), "fs.inotify.max_user_watches")
}
