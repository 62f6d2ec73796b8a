package process

// Signals to a terminal. Its shell puts every job into a process group of its own,
// so a group is not enough: they go to all processes of the session, as proc(5),
// "/proc/pid/stat", has it. Who has left the session (a daemon) is left alone.

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
)

// killRounds bounds the hunt for what forks faster than it is killed.
const killRounds = 100

// signalSession sends sig to every process of the session. What is forked in the
// meantime does not escape a SIGKILL; after a SIGHUP, stopped ones are continued,
// as when a terminal is hung up.
func signalSession(session int, sig syscall.Signal) error {
	told := map[int]bool{}
	for round := 0; round < killRounds; round++ {
		news, err := members(session)
		if err != nil {
			return err
		}
		before := len(told)
		for _, pid := range news {
			if told[pid] {
				continue
			}
			told[pid] = true
			// One that is gone already is fine.
			if err := syscall.Kill(pid, sig); err == nil && sig == syscall.SIGHUP {
				syscall.Kill(pid, syscall.SIGCONT)
			}
		}
		if sig != syscall.SIGKILL || len(told) == before {
			return nil
		}
	}
	return errors.New("its processes fork faster than they are killed")
}

// sessionOutlived tells whether the session goes on without its leader. Its id is
// not given to another process until it is empty; then there would be a leader.
func sessionOutlived(session int) bool {
	if _, err := os.Stat("/proc/" + strconv.Itoa(session)); err == nil {
		return false
	}
	left, err := members(session)
	return err == nil && len(left) > 0
}

// members returns the processes of the session.
func members(session int) (pids []int, err error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	want := []byte(strconv.Itoa(session))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // It is gone.
		}
		// "pid (name) state ppid pgrp session …"; the name may hold anything.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 3 && bytes.Equal(fields[3], want) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
