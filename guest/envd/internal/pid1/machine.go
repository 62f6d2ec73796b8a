package pid1

// What process 1 does to the machine: the console at the start, the end of it all.

import (
	"os"
	"syscall"
	"time"
)

// endEverything asks every process to end, and kills what is left after grace.
func endEverything(grace time.Duration) {
	syscall.Kill(-1, syscall.SIGTERM)
	for deadline := time.Now().Add(grace); time.Now().Before(deadline); {
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.ECHILD {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	syscall.Kill(-1, syscall.SIGKILL)
}

// PowerOff flushes the disks and ends the machine.
func PowerOff() {
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

// logTo points stdout and stderr of this process, and so of the server, at the
// console. Without one they stay as they are.
func logTo(path string) {
	console, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return
	}
	defer console.Close()
	for fd := 1; fd <= 2; fd++ {
		syscall.Dup3(int(console.Fd()), fd, 0)
	}
	if null, err := os.Open(os.DevNull); err == nil {
		syscall.Dup3(int(null.Fd()), 0, 0)
		null.Close()
	}
}
