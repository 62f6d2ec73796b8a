package process

// fork and exec: the session, the user, and nothing left open when it fails.
// syscall.StartProcess is used bare, since os/exec copies the output in goroutines
// of its own and waits for the end of the pipes.

import (
	"syscall"
	"time"

	"wrenn.dev/envd/internal/account"
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

// launch starts img in a session of its own with its end of plugs, which is
// closed whatever happens; the terminal's stays open. If it fails all is closed.
func (m *Manager) launch(img image, plugs *plugs) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: img.cwd, Env: img.env, Files: plugs.files, Sys: &syscall.SysProcAttr{
		Setsid:     true,
		Setctty:    plugs.terminal,
		Credential: &syscall.Credential{Uid: img.user.UID, Gid: img.user.GID, Groups: img.user.Groups},
	}}
	if err = m.oom.unprotected(func() error { return start(img, attr, &pid) }); err != nil {
		plugs.close()
		return 0, execFailure(err, img.argv[0])
	}
	if !plugs.terminal {
		plugs.closeTheirs()
	}
	return pid, nil
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
