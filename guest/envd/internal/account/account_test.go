package account

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestUsersComeWithTheirGroups(t *testing.T) {
	passwd, group := filepath.Join(t.TempDir(), "passwd"), filepath.Join(t.TempDir(), "group")
	write(t, passwd, "root:x:0:0:root:/root:/bin/bash\nbroken\nbad:x:-1:0::/:\nann:x:1000:1001:Ann:/home/ann:\nann:x:7:7::/:/bin/sh\n")
	write(t, group, "root:x:0:\ndocker:x:50:bob,ann\nann:x:1001:\nwheel:x:10:ann\n")
	accounts := Open(passwd, group).Current()
	ann, ok := accounts.User("ann")
	want := User{Name: "ann", UID: 1000, GID: 1001, Groups: []uint32{50, 10}, Home: "/home/ann"}
	if !ok || !reflect.DeepEqual(ann, want) {
		t.Fatalf("%+v", ann)
	}
	for _, name := range []string{"", "bob", "broken", "bad"} {
		if _, ok := accounts.User(name); ok {
			t.Errorf("%q exists", name)
		}
	}
	if accounts.UserName(1000) != "ann" || accounts.UserName(4711) != "4711" || accounts.GroupName(10) != "wheel" {
		t.Error("names of ids")
	}
}

func TestANewUserIsSeen(t *testing.T) {
	passwd := filepath.Join(t.TempDir(), "passwd")
	write(t, passwd, "root:x:0:0:root:/root:/bin/bash\n")
	database := Open(passwd, "/no/such/file")
	if _, ok := database.Current().User("ann"); ok {
		t.Fatal("ann exists")
	}
	write(t, passwd, "root:x:0:0:root:/root:/bin/bash\nann:x:1:1::/:/bin/sh\n")
	if _, ok := database.Current().User("ann"); !ok {
		t.Fatal("ann is not seen")
	}
}
