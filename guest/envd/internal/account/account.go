// Package account answers who a user is from /etc/passwd and /etc/group. The
// files are read again only when they changed: a command asks several times.
package account

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// User is a row of /etc/passwd with the groups that name it.
type User struct {
	Name   string
	UID    uint32
	GID    uint32
	Groups []uint32
	Home   string
	Shell  string
}

// Database looks users and groups up. It is safe for concurrent use.
type Database struct {
	mu           sync.Mutex
	passwd       table
	group        table
	users        map[string]User
	userByID     map[uint32]string
	groupByID    map[uint32]string
	groupMembers map[string][]uint32
}

type table struct {
	path    string
	size    int64
	changed time.Time
}

// Open makes a database of the two files.
func Open(passwdPath, groupPath string) *Database {
	return &Database{passwd: table{path: passwdPath}, group: table{path: groupPath}}
}

// ByName returns the user of that name.
func (d *Database) ByName(name string) (User, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh()
	user, ok := d.users[name]
	user.Groups = d.groupMembers[name]
	return user, ok
}

// UserName is the name of uid, or the number itself.
func (d *Database) UserName(uid uint32) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh()
	return nameOr(d.userByID, uid)
}

// GroupName is the name of gid, or the number itself.
func (d *Database) GroupName(gid uint32) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh()
	return nameOr(d.groupByID, gid)
}

func nameOr(names map[uint32]string, id uint32) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
}

func (d *Database) refresh() {
	if rows, changed := d.passwd.rows(); changed {
		d.users, d.userByID = parsePasswd(rows)
	}
	if rows, changed := d.group.rows(); changed {
		d.groupByID, d.groupMembers = parseGroup(rows)
	}
}

// rows returns the fields of every line if the file changed since the last call.
func (t *table) rows() ([][]string, bool) {
	info, err := os.Stat(t.path)
	if err != nil || (info.Size() == t.size && info.ModTime().Equal(t.changed)) {
		return nil, false
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		return nil, false
	}
	t.size, t.changed = info.Size(), info.ModTime()
	var rows [][]string
	for _, line := range strings.Split(string(text), "\n") {
		rows = append(rows, strings.Split(line, ":"))
	}
	return rows, true
}

func parsePasswd(rows [][]string) (map[string]User, map[uint32]string) {
	users, byID := map[string]User{}, map[uint32]string{}
	for _, f := range rows {
		if len(f) < 7 {
			continue
		}
		uid, uidErr := strconv.ParseUint(f[2], 10, 32)
		gid, gidErr := strconv.ParseUint(f[3], 10, 32)
		if _, known := users[f[0]]; known || uidErr != nil || gidErr != nil {
			continue
		}
		users[f[0]] = User{Name: f[0], UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6]}
		if _, known := byID[uint32(uid)]; !known {
			byID[uint32(uid)] = f[0]
		}
	}
	return users, byID
}

func parseGroup(rows [][]string) (map[uint32]string, map[string][]uint32) {
	byID, members := map[uint32]string{}, map[string][]uint32{}
	for _, f := range rows {
		if len(f) < 4 {
			continue
		}
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		byID[uint32(gid)] = f[0]
		for _, name := range strings.Split(f[3], ",") {
			if name != "" {
				members[name] = append(members[name], uint32(gid))
			}
		}
	}
	return byID, members
}
