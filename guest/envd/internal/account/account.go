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

// Database holds the two files as they were when they last changed. It is safe for
// concurrent use.
type Database struct {
	mu      sync.Mutex
	passwd  table
	group   table
	current Accounts
}

// Accounts is the content of both files at one moment.
type Accounts struct {
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

// Current reads what has changed and returns all of it.
func (d *Database) Current() Accounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	if rows, changed := d.passwd.rows(); changed {
		d.current.users, d.current.userByID = parsePasswd(rows)
	}
	if rows, changed := d.group.rows(); changed {
		d.current.groupByID, d.current.groupMembers = parseGroup(rows)
	}
	return d.current
}

// User returns the user of that name.
func (a Accounts) User(name string) (User, bool) {
	user, ok := a.users[name]
	user.Groups = a.groupMembers[name]
	return user, ok
}

// UserName is the name of uid, or the number itself.
func (a Accounts) UserName(uid uint32) string { return nameOr(a.userByID, uid) }

// GroupName is the name of gid, or the number itself.
func (a Accounts) GroupName(gid uint32) string { return nameOr(a.groupByID, gid) }

func nameOr(names map[uint32]string, id uint32) string {
	if name, ok := names[id]; ok {
		return name
	}
	return strconv.FormatUint(uint64(id), 10)
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
