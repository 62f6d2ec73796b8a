package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

type path map[string]any

func (g *guest) entry(method string, body path, headers ...string) map[string]any {
	g.t.Helper()
	var res struct{ Entry map[string]any }
	text := g.expectStatus(g.call("filesystem.Filesystem/"+method, body, headers...), 200)
	if err := json.Unmarshal([]byte(text), &res); err != nil {
		g.t.Fatal(err)
	}
	return res.Entry
}

func (g *guest) refused(method string, body path, status int, code string) {
	g.t.Helper()
	g.expectRefusal(g.call("filesystem.Filesystem/"+method, body), status, code)
}

func (g *guest) names(body path) string {
	g.t.Helper()
	var res struct{ Entries []struct{ Path string } }
	text := g.expectStatus(g.call("filesystem.Filesystem/ListDir", body), 200)
	if err := json.Unmarshal([]byte(text), &res); err != nil || res.Entries == nil {
		g.t.Fatal(text, err)
	}
	var paths []string
	for _, entry := range res.Entries {
		paths = append(paths, strings.TrimPrefix(entry.Path, body["path"].(string)+"/"))
	}
	return strings.Join(paths, " ")
}

func TestAnEntryHasTheShapeOfTheProtocol(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	file := filepath.Join(dir, "file")
	os.WriteFile(file, []byte("12345"), 0o640)
	os.Chown(file, 65534, 4242)
	at := time.Date(2020, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	os.Chtimes(file, at, at)
	want := map[string]any{
		"name": "file", "type": "FILE_TYPE_FILE", "path": file, "size": "5", "mode": float64(0o640),
		"permissions": "-rw-r-----", "owner": "nobody", "group": "4242", "modifiedTime": "2020-01-02T03:04:05.600000000Z",
	}
	if got := g.entry("Stat", path{"path": file}); !equal(got, want) {
		t.Fatalf("%v", got)
	}
	os.Symlink("file", filepath.Join(dir, "link"))
	got := g.entry("Stat", path{"path": filepath.Join(dir, "link")})
	if got["type"] != "FILE_TYPE_FILE" || got["symlinkTarget"] != file || got["mode"] != float64(0o640) {
		t.Fatalf("%v", got)
	}
	if got["link"] != "file" {
		t.Fatalf("%v", got)
	}
	os.Symlink("nowhere", filepath.Join(dir, "broken"))
	got = g.entry("Stat", path{"path": filepath.Join(dir, "broken")})
	if got["type"] != "FILE_TYPE_SYMLINK" || got["symlinkTarget"] != "nowhere" {
		t.Fatalf("%v", got)
	}
	if got := g.entry("Stat", path{"path": dir}); got["type"] != "FILE_TYPE_DIRECTORY" || got["permissions"] != "drwxr-xr-x" {
		t.Fatalf("%v", got)
	}
	g.refused("Stat", path{"path": "/no/such"}, 404, "not_found")
	g.refused("Stat", path{"path": "/a\x00"}, 400, "invalid_argument")
}

func equal(a, b map[string]any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestListDirHasADepth(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	os.MkdirAll(filepath.Join(dir, "a", "b", "c"), 0o755)
	os.WriteFile(filepath.Join(dir, "z"), nil, 0o644)
	os.Symlink("a", filepath.Join(dir, "link"))
	if got := g.names(path{"path": dir}); got != "a link z" {
		t.Fatal(got)
	}
	if got := g.names(path{"path": dir, "depth": 2}); got != "a a/b link z" {
		t.Fatal(got)
	}
	if got := g.names(path{"path": dir, "depth": 9}); got != "a a/b a/b/c link z" {
		t.Fatal(got)
	}
	if got := g.names(path{"path": filepath.Join(dir, "link")}); got != "b" {
		t.Fatal(got)
	}
	if got := g.names(path{"path": filepath.Join(dir, "a", "b", "c")}); got != "" {
		t.Fatal(got)
	}
	g.refused("ListDir", path{"path": filepath.Join(dir, "z")}, 400, "invalid_argument")
	g.refused("ListDir", path{"path": filepath.Join(dir, "no")}, 404, "not_found")
}

func TestMakeDirAndRemove(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	deep := filepath.Join(dir, "x", "y")
	if got := g.entry("MakeDir", path{"path": deep}, "Authorization: Basic bm9ib2R5Og=="); got["owner"] != "nobody" || got["path"] != deep {
		t.Fatalf("%v", got)
	}
	g.refused("MakeDir", path{"path": deep}, 409, "already_exists")
	os.WriteFile(filepath.Join(deep, "f"), nil, 0o644)
	g.refused("MakeDir", path{"path": filepath.Join(deep, "f")}, 400, "invalid_argument")
	for i := 0; i < 2; i++ {
		g.expectStatus(g.call("filesystem.Filesystem/Remove", path{"path": filepath.Join(dir, "x")}), 200)
	}
	expectOnly(t, dir)
	g.refused("Remove", path{"path": "/tmp/.."}, 400, "invalid_argument")
	g.refused("Remove", path{"path": filepath.Join(dir, "x"), "mustExist": true}, 404, "not_found")
}

func TestWhatHoldsAMountIsNeitherRemovedNorCopiedAway(t *testing.T) {
	g, point, other := newGuest(t), tmpfs(t, "1m"), tmpfs(t, "1m")
	os.WriteFile(filepath.Join(point, "kept"), nil, 0o644)
	for _, held := range []string{point, filepath.Dir(point)} {
		g.refused("Remove", path{"path": held}, 400, "invalid_argument")
	}
	g.refused("Move", path{"source": filepath.Dir(point), "destination": filepath.Join(other, "in")}, 400, "invalid_argument")
	expectOnly(t, point, "kept")
	expectOnly(t, other)
	// A link to it is no more than a link.
	link := filepath.Join(t.TempDir(), "link")
	os.Symlink(point, link)
	g.expectStatus(g.call("filesystem.Filesystem/Remove", path{"path": link, "mustExist": true}), 200)
	expectOnly(t, point, "kept")
}

func TestMoveRenames(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	source, destination := filepath.Join(dir, "s"), filepath.Join(dir, "new", "d")
	os.WriteFile(source, []byte("x"), 0o600)
	if got := g.entry("Move", path{"source": source, "destination": destination}); got["path"] != destination {
		t.Fatalf("%v", got)
	}
	expectFile(t, destination, "x", 0o600, 0)
	if exists(source) {
		t.Fatal("the source is still there")
	}
	g.refused("Move", path{"source": source, "destination": destination}, 404, "not_found")
	g.refused("Move", path{"source": filepath.Dir(destination), "destination": filepath.Join(destination, "in")}, 400, "invalid_argument")
}

func TestMoveReplacesOnlyWhereItMay(t *testing.T) {
	g, dir, other := newGuest(t), t.TempDir(), tmpfs(t, "1m")
	source := filepath.Join(dir, "s")
	os.WriteFile(source, []byte("new"), 0o600)
	for _, folder := range []string{dir, other} {
		there := filepath.Join(folder, "d")
		os.WriteFile(there, []byte("old"), 0o600)
		g.refused("Move", path{"source": source, "destination": there, "noReplace": true}, 409, "already_exists")
		expectFile(t, there, "old", 0o600, 0)
		free := filepath.Join(folder, "free")
		g.entry("Move", path{"source": source, "destination": free, "noReplace": true})
		g.entry("Move", path{"source": free, "destination": there})
		expectFile(t, there, "new", 0o600, 0)
		os.WriteFile(source, []byte("new"), 0o600)
	}
	expectOnly(t, other, "d")
}

func TestAMoveIntoItselfMakesNothing(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	folder := filepath.Join(dir, "folder")
	os.Mkdir(folder, 0o755)
	g.refused("Move", path{"source": folder, "destination": filepath.Join(folder, "a", "b")}, 400, "invalid_argument")
	g.refused("Move", path{"source": folder, "destination": folder, "noReplace": true}, 409, "already_exists")
	expectOnly(t, folder)
}

func TestMoveCopiesToAnotherFilesystem(t *testing.T) {
	g, dir, other := newGuest(t), t.TempDir(), tmpfs(t, "1m")
	tree := filepath.Join(dir, "tree")
	os.MkdirAll(filepath.Join(tree, "sub"), 0o750)
	os.WriteFile(filepath.Join(tree, "sub", "tool"), []byte("x"), 0o755)
	os.Chown(filepath.Join(tree, "sub", "tool"), 12, 34)
	syscall.Chmod(filepath.Join(tree, "sub", "tool"), 0o4755)
	os.Symlink("sub/tool", filepath.Join(tree, "link"))
	syscall.Mkfifo(filepath.Join(tree, "fifo"), 0o600)
	moved := filepath.Join(other, "moved")
	g.entry("Move", path{"source": tree, "destination": moved})
	expectFile(t, filepath.Join(moved, "sub", "tool"), "x", os.ModeSetuid|0o755, 12)
	expectOnly(t, moved, "fifo", "link", "sub")
	if link, _ := os.Readlink(filepath.Join(moved, "link")); link != "sub/tool" {
		t.Fatal(link)
	}
	expectOnly(t, dir)
	expectOnly(t, other, "moved")
}

func TestAMoveThatDoesNotFitLeavesTheSource(t *testing.T) {
	g, dir, other := newGuest(t), t.TempDir(), tmpfs(t, "64k")
	source := filepath.Join(dir, "big")
	os.WriteFile(source, make([]byte, 1<<20), 0o644)
	g.refused("Move", path{"source": source, "destination": filepath.Join(other, "big")}, 507, "resource_exhausted")
	expectOnly(t, dir, "big")
	expectOnly(t, other)
}
