package process

// fork and exec: the pipes, the session, the user, and nothing left open when it
// fails. syscall.StartProcess is used bare, since os/exec copies the output in
// goroutines of its own and waits for the end of the pipes.

import (
	"os"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

// image is what execve gets, and who runs it where.
type image struct {
	file string
	argv []string
	env  []string
	cwd  string
	user account.User
}

// textBusyRetries: while another command is being forked, its child still holds
// our descriptors, so that a file just uploaded may look open for writing.
const textBusyRetries = 10

// launch starts img in a session of its own. stdin is nil unless asked for.
func (m *Manager) launch(img image, withStdin bool) (pid int, pipes outputPipes, stdin *os.File, err error) {
	var ours, theirs []int
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(ours)
		}
	}()
	files := []uintptr{m.devNull.Fd(), 0, 0}
	for fd := range files {
		if fd == 0 && !withStdin {
			continue
		}
		var ends [2]int
		if err = syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
			return 0, pipes, nil, fault.Wrap(fault.ResourceExhausted, err, "opening a pipe")
		}
		mine, its := ends[0], ends[1]
		if fd == 0 {
			mine, its = its, mine
		}
		ours, theirs = append(ours, mine), append(theirs, its)
		files[fd] = uintptr(its)
		if err = syscall.SetNonblock(mine, true); err != nil {
			return 0, pipes, nil, fault.Wrap(fault.Internal, err, "opening a pipe")
		}
	}
	attr := &syscall.ProcAttr{Dir: img.cwd, Env: img.env, Files: files, Sys: &syscall.SysProcAttr{
		Setsid:     true,
		Credential: &syscall.Credential{Uid: img.user.UID, Gid: img.user.GID, Groups: img.user.Groups},
	}}
	err = m.oom.unprotected(func() error { return start(img, attr, &pid) })
	if err != nil {
		return 0, pipes, nil, execFailure(err, img.argv[0])
	}
	if withStdin {
		stdin = os.NewFile(uintptr(ours[0]), "stdin")
		ours = ours[1:]
	}
	pipes = outputPipes{
		stdout: os.NewFile(uintptr(ours[0]), "stdout"),
		stderr: os.NewFile(uintptr(ours[1]), "stderr"),
	}
	return pid, pipes, stdin, nil
}

func start(img image, attr *syscall.ProcAttr, pid *int) (err error) {
	for try := 0; try < textBusyRetries; try++ {
		*pid, _, err = syscall.StartProcess(img.file, img.argv, attr)
		if err != syscall.ETXTBSY {
			return err
		}
		time.Sleep(time.Duration(try) * time.Millisecond)
	}
	return err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}
