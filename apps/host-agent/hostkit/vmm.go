package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"
)

// Sources: setns(2), prctl(2), capabilities(7), the kernel's Documentation/networking/tuntap.rst.
const (
	cloneNewnet     = 0x40000000
	prSetNoNewPrivs = 38
	prCapbsetDrop   = 24
	lastCapability  = 63
	tunSetIff       = 0x400454ca
	iffTap          = 0x0002
	iffNoPi         = 0x1000
	iffVnetHdr      = 0x4000
)

// TapFd is the descriptor at which the VMM finds its tap.
const tapFd = 5

var setnsCall = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

// runVmm becomes the VMM: it enters the slot's network namespace, opens the tap (which the VMM itself may not), joins the
// cgroup, gives up root and every capability for good, and executes the command. Descriptors 3 and 4 pass through.
func runVmm(args []string) error {
	flags := flag.NewFlagSet("vmm", flag.ContinueOnError)
	netns := flags.String("netns", "", "name of the network namespace")
	tap := flags.String("tap", "", "name of the tap in it")
	uid := flags.Int("uid", 0, "user and group to run as")
	group := flags.Int("group", 0, "one more group, for a device such as /dev/kvm")
	cgroup := flags.String("cgroup", "", "folder of the cgroup to join, if any")
	if err := flags.Parse(args); err != nil {
		return err
	}
	command := flags.Args()
	if len(command) == 0 || *uid <= 0 {
		return fmt.Errorf("usage: hostkit vmm -uid N [-group N] [-netns NAME -tap NAME] [-cgroup FOLDER] COMMAND ARG…")
	}
	if err := reserveDescriptors(); err != nil {
		return err
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	// Namespaces, credentials and prctl flags belong to a thread, and exec keeps those of the calling one.
	runtime.LockOSThread()
	if *cgroup != "" {
		if err := os.WriteFile(filepath.Join(*cgroup, "cgroup.procs"), []byte("0"), 0); err != nil {
			return err
		}
	}
	if *netns != "" {
		if err := enterNetns(*netns); err != nil {
			return err
		}
		if err := openTap(*tap); err != nil {
			return err
		}
	}
	if err := dropPrivileges(*uid, *group); err != nil {
		return err
	}
	return syscall.Exec(program, command, []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"})
}

// reserveDescriptors fills the gaps up to the tap's descriptor: nothing that the Go runtime opens for itself, such as its
// epoll instance, may be there when the tap takes its place.
func reserveDescriptors() error {
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		if fd > tapFd {
			return syscall.Close(fd)
		}
	}
}

func enterNetns(name string) error {
	namespace, err := os.Open(filepath.Join("/run/netns", name))
	if err != nil {
		return err
	}
	defer namespace.Close()
	if _, _, errno := syscall.RawSyscall(setnsCall, namespace.Fd(), cloneNewnet, 0); errno != 0 {
		return fmt.Errorf("setns %s: %w", name, errno)
	}
	return nil
}

func openTap(name string) error {
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open /dev/net/tun: %w", err)
	}
	var request struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:15], name)
	request.flags = iffTap | iffNoPi | iffVnetHdr
	if _, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(fd), tunSetIff, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return fmt.Errorf("attach to tap %s: %w", name, errno)
	}
	if fd == tapFd {
		return nil
	}
	if err := syscall.Dup3(fd, tapFd, 0); err != nil {
		return err
	}
	return syscall.Close(fd)
}

// dropPrivileges keeps one supplementary group, or none when group is 0.
func dropPrivileges(uid, group int) error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return err
	}
	for capability := uintptr(0); capability <= lastCapability; capability++ {
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prCapbsetDrop, capability, 0)
		if errno == syscall.EINVAL { // the kernel knows no more of them
			break
		}
		if errno != 0 {
			return fmt.Errorf("drop capability %d: %w", capability, errno)
		}
	}
	id := uintptr(uid)
	groups := []uint32{uint32(group)}
	count := uintptr(len(groups))
	if group == 0 {
		count = 0
	}
	steps := []struct {
		name          string
		call, a, b, c uintptr
	}{
		{"setgroups", syscall.SYS_SETGROUPS, count, uintptr(unsafe.Pointer(&groups[0])), 0},
		{"setresgid", syscall.SYS_SETRESGID, id, id, id},
		{"setresuid", syscall.SYS_SETRESUID, id, id, id},
		{"no_new_privs", syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0},
	}
	for _, step := range steps {
		if _, _, errno := syscall.RawSyscall6(step.call, step.a, step.b, step.c, 0, 0, 0); errno != 0 {
			return fmt.Errorf("%s: %w", step.name, errno)
		}
	}
	return nil
}
