package server

// Watching folders, as a stream and by asking.

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
)

// change is one event of a watcher, as "CREATE name".
type change struct{ Name, Type string }

func (c change) String() string {
	return strings.TrimPrefix(c.Type, "EVENT_TYPE_") + " " + c.Name
}

// watching is the client's side of WatchDir.
type watching struct {
	*eventStream
	dir string
}

func (g *guest) watch(dir string, recursive bool, headers ...string) *watching {
	g.t.Helper()
	s := g.open("/filesystem.Filesystem/WatchDir", map[string]any{"path": dir, "recursive": recursive}, headers...)
	w := &watching{eventStream: s, dir: dir}
	if e := w.next(); e.Start == nil {
		g.t.Fatalf("%+v, want start", e)
	}
	return w
}

// until reads up to the change that is expected, and returns all.
func (w *watching) until(last string) (all []string) {
	w.t.Helper()
	for {
		e := w.next()
		if e.Last {
			w.t.Fatalf("the stream ended (%+v) after %q, want %q", e.Failure, all, last)
		}
		if e.Filesystem == nil {
			continue
		}
		all = append(all, e.Filesystem.String())
		if all[len(all)-1] == last {
			return all
		}
	}
}

func (w *watching) expect(changes ...string) {
	w.t.Helper()
	got := w.until(changes[len(changes)-1])
	if strings.Join(got, ", ") != strings.Join(changes, ", ") {
		w.t.Fatalf("got %q, want %q", got, changes)
	}
}

// ends reads to the end, which has that code; "" is a good one.
func (w *watching) ends(code string) (all []string) {
	w.t.Helper()
	for {
		e := w.next()
		if e.Filesystem != nil {
			all = append(all, e.Filesystem.String())
		}
		if !e.Last {
			continue
		}
		if got := e.Failure; (code == "") != (got == nil) || got != nil && got.Code != code {
			w.t.Fatalf("%+v, want %q", got, code)
		}
		return all
	}
}

// does runs a script in the folder.
func (w *watching) does(script string) {
	w.t.Helper()
	c := exec.Command("sh", "-ec", script)
	c.Dir = w.dir
	if out, err := c.CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v: %s", script, err, out)
	}
}

func TestAWatcherTellsEachKindOfChange(t *testing.T) {
	dir := t.TempDir()
	w := newGuest(t).watch(dir, false)
	for _, c := range []struct {
		script string
		want   []string
	}{
		{"echo x >file", []string{"CREATE file", "WRITE file"}},
		{"echo y >>file", []string{"WRITE file"}},
		{"chmod 600 file", []string{"CHMOD file"}},
		{"mv file other", []string{"RENAME file", "CREATE other"}},
		{"rm other", []string{"REMOVE other"}},
		{"mkdir folder", []string{"CREATE folder"}},
		{"echo x >folder/unwatched; rmdir folder || rm -r folder", []string{"REMOVE folder"}},
		{"ln -s /etc link", []string{"CREATE link"}},
		{"echo x >'na\nme <&>'", []string{"CREATE na\nme <&>", "WRITE na\nme <&>"}},
	} {
		w.does(c.script)
		w.expect(c.want...)
	}
}

func TestARecursiveWatcherFollowsTheTree(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o755)
	outside := t.TempDir()
	w := newGuest(t).watch(dir, true)
	for _, c := range []struct {
		script string
		want   []string
	}{
		{"echo x >a/b/c/deep", []string{"CREATE a/b/c/deep", "WRITE a/b/c/deep"}},
		{"mkdir a/new", []string{"CREATE a/new"}},
		{"touch a/new/file", []string{"CHMOD a/new/file", "CREATE a/new/file"}},
		// Moved inside: the new name counts from then on.
		{"mv a/b b", []string{"CREATE b", "CREATE b/c", "CREATE b/c/deep", "RENAME a/b"}},
		{"echo x >>b/c/deep", []string{"WRITE b/c/deep"}},
		// Moved out: no more is told of it.
		{"mv b " + outside + "/b; echo x >" + outside + "/b/c/more", []string{"RENAME b"}},
		// Moved in.
		{"mv " + outside + "/b in", []string{"CREATE in", "CREATE in/c", "CREATE in/c/deep", "CREATE in/c/more"}},
		{"chmod 700 in/c", []string{"CHMOD in/c"}},
		{"rm -r in", []string{"REMOVE in", "REMOVE in/c", "REMOVE in/c/deep", "REMOVE in/c/more"}},
		// What a symlink leads to is not in the tree.
		{"ln -s " + outside + " link; touch " + outside + "/file", []string{"CREATE link"}},
	} {
		w.does(c.script + "; mkdir the-end")
		got := w.until("CREATE the-end")
		w.does("rmdir the-end")
		w.until("REMOVE the-end")
		got = got[:len(got)-1]
		// In which order a folder is listed depends on the filesystem.
		sort.Strings(got)
		if strings.Join(got, ", ") != strings.Join(c.want, ", ") {
			t.Fatalf("%s: got %q, want %q", c.script, got, c.want)
		}
	}
}

// TestAnOverlayIsWatchedLikeAnyOther: the guest's root is one, and most of its
// folders are in the lower layer, which the first change copies up.
func TestAnOverlayIsWatchedLikeAnyOther(t *testing.T) {
	layers := inMemory(t)
	for _, folder := range []string{"lower/a/b", "upper", "work", "root"} {
		if err := os.MkdirAll(filepath.Join(layers, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"changed", "removed", "moved"} {
		os.WriteFile(filepath.Join(layers, "lower/a/b", name), []byte("x"), 0o644)
	}
	root := filepath.Join(layers, "root")
	options := fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", layers)
	if err := syscall.Mount("overlay", root, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(root, syscall.MNT_DETACH) })
	w := newGuest(t).watch(root, true)
	for _, c := range []struct {
		script string
		want   []string
	}{
		{"echo x >>a/b/changed", []string{"WRITE a/b/changed"}},
		{"chmod 600 a/b/changed", []string{"CHMOD a/b/changed"}},
		{"rm a/b/removed", []string{"REMOVE a/b/removed"}},
		{"mv a/b/moved a/moved", []string{"RENAME a/b/moved", "CREATE a/moved"}},
		{"echo x >a/b/new", []string{"CREATE a/b/new", "WRITE a/b/new"}},
		{"mkdir a/b/folder", []string{"CREATE a/b/folder"}},
		{"echo x >a/b/folder/file", []string{"CREATE a/b/folder/file", "WRITE a/b/folder/file"}},
	} {
		w.does(c.script)
		w.expect(c.want...)
	}
}

func TestWhatIsMadeInANewFolderIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	w := newGuest(t).watch(dir, true)
	want := []string{}
	for i := 0; i < 50; i++ {
		for _, name := range []string{"%d", "%d/a", "%d/a/b", "%d/a/b/file", "%d/late"} {
			want = append(want, "CREATE "+fmt.Sprintf(name, i))
		}
	}
	w.does(`i=0; while [ $i -lt 50 ]; do mkdir -p $i/a/b; : >$i/a/b/file; : >$i/late; i=$((i+1)); done; mkdir end`)
	got := map[string]int{}
	for len(got) < len(want)+1 {
		if e := w.next(); e.Filesystem != nil {
			got[e.Filesystem.String()]++
		}
	}
	var told []string
	for change, times := range got {
		if times != 1 {
			t.Errorf("%s: %d times", change, times)
		}
		if change != "CREATE end" {
			told = append(told, change)
		}
	}
	sort.Strings(told)
	sort.Strings(want)
	if strings.Join(told, ",") != strings.Join(want, ",") {
		t.Fatalf("got %q", told)
	}
}

func TestAFolderThatIsGoneEndsItsWatcher(t *testing.T) {
	g := newGuest(t)
	for _, script := range []string{
		"rm -r watched", "mv watched elsewhere", "mkdir other; mv watched other", "cd watched; rm -r ../watched; sleep 0.2",
	} {
		dir := filepath.Join(t.TempDir(), "watched")
		os.Mkdir(dir, 0o755)
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
		w := g.watch(dir, true, "Keepalive-Ping-Interval: 1")
		parent := &watching{eventStream: w.eventStream, dir: filepath.Dir(dir)}
		parent.does(script)
		w.ends("")
	}
	// Its parent is moved: nothing tells that, and the next keepalive finds it.
	dir := filepath.Join(t.TempDir(), "parent", "watched")
	os.MkdirAll(dir, 0o755)
	w := g.watch(dir, true, "Keepalive-Ping-Interval: 1")
	os.Rename(filepath.Dir(dir), filepath.Join(t.TempDir(), "moved"))
	w.ends("")
}

// inMemory is a folder whose files cost little.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "envd-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestAFloodOfChangesIsToldAsAnOverflowAndTheTreeIsWatchedOn(t *testing.T) {
	g, dir := newGuest(t), inMemory(t)
	os.MkdirAll(filepath.Join(dir, "moved/a"), 0o755)
	id := g.createWatcher(dir, true)
	// More than the kernel's queue holds, and then changes of the tree that it cannot tell.
	for i := 0; i < 10_000; i++ {
		name := filepath.Join(dir, "moved/a/file")
		os.WriteFile(name, nil, 0o644)
		os.Remove(name)
	}
	os.MkdirAll(filepath.Join(dir, "new/folder"), 0o755)
	os.Rename(filepath.Join(dir, "moved"), filepath.Join(dir, "elsewhere"))
	g.until(id, "the overflow is told", func(all []string) bool { return contains(all, "OVERFLOW ") })
	for _, name := range []string{"new/folder/file", "elsewhere/a/file"} {
		os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644)
		if got := g.changes(id); strings.Join(got, ",") != "CREATE "+name+",WRITE "+name {
			t.Fatalf("%q", got)
		}
	}
}

func TestABigTreeThatIsMovedInIsAnOverflow(t *testing.T) {
	g, dir := newGuest(t), inMemory(t)
	for i := 0; i < 20_000; i++ {
		folder := filepath.Join(dir, "outside", fmt.Sprint("tree/", i%2))
		os.MkdirAll(folder, 0o755)
		os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), nil, 0o644)
	}
	os.Mkdir(filepath.Join(dir, "watched"), 0o755)
	id := g.createWatcher(filepath.Join(dir, "watched"), true)
	os.Rename(filepath.Join(dir, "outside/tree"), filepath.Join(dir, "watched/tree"))
	if got := g.changes(id); strings.Join(got, ",") != "OVERFLOW " {
		t.Fatalf("%d changes: %.200q", len(got), got)
	}
	os.WriteFile(filepath.Join(dir, "watched/tree/1/after"), nil, 0o644)
	if got := g.changes(id); strings.Join(got, ",") != "CREATE tree/1/after" {
		t.Fatalf("%q", got)
	}
}

func TestAFileThatIsWrittenAllTheTimeIsToldSometimes(t *testing.T) {
	dir := t.TempDir()
	w := newGuest(t).watch(dir, false)
	w.does(`(for i in $(seq 2000); do echo $i >>one; echo $i >>two; done; mkdir end)`)
	if got := w.until("CREATE end"); len(got) > 500 {
		t.Fatalf("%d changes", len(got))
	}
}

func TestAWatcherThatIsAsked(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	id := g.createWatcher(dir, false)
	if got := g.changes(id); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o644)
	g.quiesce("")
	if got := g.changes(id); strings.Join(got, ",") != "CREATE file,WRITE file" {
		t.Fatalf("%q", got)
	}
	g.expectStatus(g.call("filesystem.Filesystem/RemoveWatcher", map[string]any{"watcherId": id}), 200)
	for _, method := range []string{"GetWatcherEvents", "RemoveWatcher"} {
		g.refused(method, path{"watcherId": id}, 404, "not_found")
	}
	gone := g.createWatcher(dir, false)
	os.RemoveAll(dir)
	if got := g.changes(gone); !contains(got, "REMOVE file") {
		t.Fatalf("%q", got)
	}
	g.refused("GetWatcherEvents", path{"watcherId": gone}, 404, "not_found")
}

func TestThereAreFewWatchersThatAreAsked(t *testing.T) {
	g, dir := newGuest(t), t.TempDir()
	ids := []string{}
	for i := 0; i < 32; i++ {
		ids = append(ids, g.createWatcher(dir, false))
	}
	g.refused("CreateWatcher", path{"path": dir}, 429, "resource_exhausted")
	g.expectStatus(g.call("filesystem.Filesystem/RemoveWatcher", map[string]any{"watcherId": ids[5]}), 200)
	ids[5] = g.createWatcher(dir, false)
	for _, id := range ids {
		g.expectStatus(g.call("filesystem.Filesystem/RemoveWatcher", map[string]any{"watcherId": id}), 200)
	}
}

func TestWhatCannotBeWatched(t *testing.T) {
	g := newGuest(t)
	for path, code := range map[string]string{
		"": "invalid_argument", "/no/such/folder": "not_found", "/etc/passwd": "invalid_argument", "/etc/passwd/x": "not_found",
	} {
		s := g.open("/filesystem.Filesystem/WatchDir", map[string]any{"path": path})
		if e := s.next(); !e.Last || e.Failure == nil || e.Failure.Code != code {
			t.Errorf("%q: %+v, want %s", path, e.Failure, code)
		}
	}
}

func TestAWatcherAlsoHasKeepalivesAndATimeout(t *testing.T) {
	w := newGuest(t).watch(t.TempDir(), true, "Keepalive-Ping-Interval: 1", "Connect-Timeout-Ms: 1500")
	if e := w.next(); e.Keepalive == nil {
		t.Fatalf("%+v", e)
	}
	w.ends("deadline_exceeded")
}

func TestAWatcherEndsWithItsConnection(t *testing.T) {
	g := newGuest(t)
	open := func() int {
		names, err := filepath.Glob("/proc/self/fd/*")
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, name := range names {
			if to, _ := os.Readlink(name); strings.Contains(to, "inotify") {
				count++
			}
		}
		return count
	}
	before := open()
	w := g.watch(t.TempDir(), true)
	other := g.watch(t.TempDir(), true)
	if open() != before+2 {
		t.Fatalf("%d watchers", open()-before)
	}
	w.body.Close()
	eventually(t, "the watcher is closed", func() bool { return open() == before+1 })
	g.quiesce("")
	if _, err := other.tryNext(); err == nil {
		t.Fatal("the connection survived")
	}
	eventually(t, "the watcher is closed", func() bool { return open() == before })
}

func (g *guest) createWatcher(dir string, recursive bool) string {
	g.t.Helper()
	var res struct{ WatcherID string }
	body := g.expectStatus(g.call("filesystem.Filesystem/CreateWatcher", map[string]any{"path": dir, "recursive": recursive}), 200)
	if err := json.Unmarshal([]byte(body), &res); err != nil || res.WatcherID == "" {
		g.t.Fatal(body, err)
	}
	return res.WatcherID
}

// changes asks a watcher once.
func (g *guest) changes(id string) (all []string) {
	g.t.Helper()
	var res struct{ Events []change }
	body := g.expectStatus(g.call("filesystem.Filesystem/GetWatcherEvents", map[string]any{"watcherId": id}), 200)
	if err := json.Unmarshal([]byte(body), &res); err != nil || res.Events == nil {
		g.t.Fatal(body, err)
	}
	for _, change := range res.Events {
		all = append(all, change.String())
	}
	return all
}

// until asks a watcher until ok, given all that it told and nothing is left.
func (g *guest) until(id, what string, ok func(all []string) bool) {
	g.t.Helper()
	var all []string
	eventually(g.t.(*testing.T), what, func() bool {
		news := g.changes(id)
		all = append(all, news...)
		return len(news) == 0 && ok(all)
	})
}

func contains(all []string, one string) bool {
	for _, each := range all {
		if each == one {
			return true
		}
	}
	return false
}
